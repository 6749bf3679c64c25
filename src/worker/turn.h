/* turn.h - one question and its answer: memory, robots, log line.
 * For:     conn.c and dgram.c, which only carry bytes.     Callers: worker/.
 * Holds:   runs to its end with the settings it began with. What the robot is told of the chat is
 *          at most memory_turns turns and memory_chars characters, the last ones. The sink's done
 *          comes once, never from inside turn_start(), never after turn_cancel(). turn->answer is
  *          the whole answer then.
 * Memory:  turn_start() gives; turn_free() after done, or turn_cancel(). */
#ifndef WORKER_TURN_H
#define WORKER_TURN_H

#include "wire/codec.h"
#include "worker/worker.h"

/* Who asks what; borrowed for the call. */
struct question {
	const char *user, *text, *id;
	size_t n_user, n_text, n_id;
	bool stream;
	uint64_t chat; /* 0: a datagram, which has no memory */
	int robot;     /* chosen by the chat; -1: the chain's order */
};

struct turn_sink {
	void (*piece)(void *arg, const char *text, size_t n);
	void (*done)(void *arg, enum fail fail);
	void (*wait)(void *arg); /* timeouts.notice_after passed without a word; NULL: never mind */
};

struct turn {
	struct worker *w;
	struct setup *setup;
	const struct turn_sink *sink;
	void *arg;
	struct chain_ask ask;
	struct talk talk;
	struct said *history;
	struct buf answer;
	struct msg msg; /* id and stream wish, for the codec */
	struct lapse_entry notice;
	bool paused;
	uint64_t chat;
	int64_t since_us;
	char bytes[]; /* user, text, id */
};

struct turn *turn_start(
    struct worker *w, const struct question *q, const struct turn_sink *sink, void *arg);
/* The robot that answered. Borrowed. */
const char *turn_robot(const struct turn *t);
void turn_free(struct turn *t);
/* The asker reads too slowly: no more pieces for now; and on again. */
void turn_pause(struct turn *t, bool pause);
/* The list of notices calls this. */
void turn_on_notice(struct lapse_entry *e, void *arg);
/* The asker is gone: stop and free. NULL is fine. */
void turn_cancel(struct turn *t, const char *outcome);

#endif
