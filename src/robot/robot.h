/* robot.h - a question in, pieces of answer out: the vtable of all robots.
 * For:     the chain, which asks one robot after the other.     Callers: robot/, worker/.
 * Holds:   robots know no client. Nothing calls back from inside the call that started it; exactly
 *          one done per ask, none after cancel; pieces are whole UTF-8 characters, free of control
 *          characters, together at most `limit_bytes` of the robot's settings.
 * Memory:  robot_open() gives a robot, robot_close() frees it when no ask runs. */
#ifndef ROBOT_ROBOT_H
#define ROBOT_ROBOT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/later.h"
#include "base/text.h"
#include "conf/conf.h"
#include "share/standing.h"
#include "share/why.h"

/* One earlier turn of the chat; borrowed texts. */
struct said {
	const char *question, *answer;
	size_t n_question, n_answer;
};

/* What is asked. All borrowed until done or cancel; texts are UTF-8 without NUL. */
struct talk {
	const char *user, *text;
	size_t n_user, n_text;
	const struct said *history; /* oldest first */
	int n_history;
};

/* `piece` must not cancel the ask. */
struct ask;
struct sink {
	void (*piece)(void *arg, const char *text, size_t n);
	void (*done)(void *arg, enum why why);
};

/* One question under way. The caller embeds or allocates it zeroed and keeps it until done. */
struct ask {
	const struct sink *sink;
	void *arg;
	struct robot *robot;
	struct later_task later; /* for robots that answer at once */
	void *own;               /* the robot's own state of this question */
	struct text_clean clean;
	size_t n_bytes; /* answered so far */
	bool alone;     /* nobody else can answer: trying again is worth the time */
	/* what the robot tells besides the answer */
	int64_t tokens_in, tokens_out; /* -1: nothing */
	int64_t wait_ms;               /* how long it wants to be left alone, 0: not told */
	bool held_up;                  /* by the reader: a timeout is not its fault */
};

/* What every robot is opened with, besides its own options. */
struct robot_env {
	struct ev_loop *loop;
	struct later *later;
	enum conf_language language;
	size_t limit_bytes; /* of one answer */
	bool log_texts;     /* log.messages: what is said may be in the log */
	struct standings *standings;
	int slot; /* of this worker, in them */
};

struct robot {
	const struct robot_ops *ops;
	const struct conf_robot *conf; /* borrowed from the snapshot */
	struct robot_env env;
	struct standing *standing; /* shared with the other workers */
	void *own;
};

struct api;

struct robot_ops {
	const struct api *api; /* NULL: none of those behind HTTP */
	bool wants_history;
	/* Returns 0 or -1 with the error; sets r->own. */
	int (*open)(struct robot *r, struct err *e);
	/* `talk` stays valid until done or cancel. */
	void (*ask)(struct robot *r, const struct talk *talk, struct ask *ask);
	void (*cancel)(struct ask *ask);
	/* No more pieces for now, please; and on again. NULL: its pieces come all at once. */
	void (*pause)(struct ask *ask, bool pause);
	void (*close)(struct robot *r);
};

/* Open the robot that conf->kind names. Keeps `c` (borrowed) until robot_close(). NULL on error. */
struct robot *robot_open(const struct conf_robot *c, const struct robot_env *env, struct err *e);
void robot_close(struct robot *r);

/* Start a question; the sink is called later. */
void robot_ask(
    struct robot *r, const struct talk *talk, struct ask *ask, const struct sink *sink, void *arg);
void robot_cancel(struct ask *ask);
void robot_pause(struct ask *ask, bool pause);

/* Does it want to be told earlier turns? */
bool robot_wants_history(const struct robot *r);
/* Ms until it may be asked again: its breaker is open, or all its keys are set aside. 0: now. */
int64_t robot_rests_ms(const struct robot *r, int64_t now_ms);

/* For robots: hand text on, cleaned and bounded; and the end, after which the ask may be gone. Not
 * from inside ops->ask. */
void ask_piece(struct ask *ask, const char *text, size_t n);
void ask_done(struct ask *ask, enum why why);
/* Has it said as much as it may? */
bool ask_is_full(const struct ask *ask);

#endif
