/* conn.h - one chat over a stream: bytes in and out, the queue, the deadlines.
 * For:     enter.c (a new one), worker.c (a drain).     Callers: worker/.
 * Holds:   handlers change state; conn_update() alone derives from it what to write, what to watch
 *          and which deadline runs, so no path can forget one. Answers leave in the order of the
 *          questions. At most 8 questions wait behind the one under way. When the worker leaves and
 *          others stay, a chat moves to one of them between two answers (move.h).
 * Memory:  freed by itself when the chat is over; buffers exist only while they hold bytes. */
#ifndef WORKER_CONN_H
#define WORKER_CONN_H

#include "wire/codec.h"
#include "worker/turn.h"
#include "worker/worker.h"

/* CONN_HIGH_WATER: bytes to be sent above which nothing more is asked or read. */
enum { CONN_HIGH_WATER = 65536 };
enum { CONN_PASSED = 4, CONN_WAITING = 8, CONN_HELD = (int)FAIL_ROBOT_TIMEOUT };

/* Why a chat ends; the words are in conn.c. */
enum leave {
	LEAVE_NOT,
	LEAVE_EXIT,
	LEAVE_EOF,
	LEAVE_ERROR,
	LEAVE_BUSY,
	LEAVE_DENIED,
	LEAVE_IDLE,
	LEAVE_LIMIT,
	LEAVE_SLOW_READER,
	LEAVE_DRAIN,
	LEAVE_MOVED,
};

/* A message that waits. */
struct asked {
	struct asked *next;
	enum msg_kind kind;
	bool stream;
	size_t n_user, n_text, n_id;
	char bytes[]; /* user, text, id */
};

struct conn {
	struct list link;
	struct list moving; /* in worker->to_move */
	struct worker *w;
	struct ev_io io;
	struct lapse_entry deadline;
	struct later_task update;
	struct wire wire;
	struct buf in, out;
	uint64_t id, address; /* address: key of the tally, 0: not counted */
	struct guest *guest;  /* what is unusual about it (enter.h); NULL: nothing */
	uint32_t door;        /* of a visitor: visit_door() */
	struct turn *turn;
	struct asked *first, **last;
	uint8_t n_waiting, n_passed;
	int8_t robot;       /* chosen with /robot; -1: the chain */
	int8_t answered_by; /* the last answer's robot, -1: none yet; `passed` did not give it */
	struct chain_passed passed[CONN_PASSED];
	enum leave leave;
	int64_t since_ms; /* it began then, monotonic */
	int64_t rate_ms;  /* the bucket of messages: when it was looked at, and what is in it */
	double rate_left;
	uint16_t held[CONN_HELD]; /* failures that wait until an answer's line is over */
	bool counted;             /* a chat: in the scoreboard and the tally */
	bool visiting;            /* so is a visitor of a web door (visit.h) */
	bool in_end;              /* the peer will send no more */
	bool quiet_over;          /* nothing came for timeouts.quiet */
	bool paused;              /* what is in may be whole */
	bool deaf;                /* `exit` was said: the rest is dropped */
	bool said_bye, shut;
	bool got, put;      /* bytes came in, went out, since the deadline was set */
	int unread;         /* bytes the peer had not taken when WAIT_OUT began */
	unsigned char wait; /* the deadline that runs: enum wait in conn_wait.c */
};

/* An empty chat that nobody knows of yet (takes fd). */
struct conn *conn_new(struct worker *w, int fd);
/* Finish what was asked, say goodbye, close. */
void conn_drain(struct conn *c);
/* The time is up: goodbye now. Frees it. */
void conn_kick(struct conn *c);
/* The four deadlines' lists call this. */
void conn_on_lapse(struct lapse_entry *e, void *arg);

/* --- between conn.c and enter.c -------------------------------------------------------------- */

/* Derive from the state what is to be done, written and waited for. May free it. */
void conn_update(struct conn *c);
void conn_watch(struct conn *c);
/* It is over, and freed. */
void conn_end(struct conn *c);
/* It is no chat: neither the scoreboard nor the tally has it any more. */
void conn_uncount(struct conn *c);

/* --- between conn.c and conn_talk.c ---------------------------------------------------------- */

/* Go by the settings in force now; `old` were those before. */
void conn_use_settings(struct conn *c, const struct setup *old);
/* Decode what is in, start what waits. */
void conn_talk(struct conn *c);
void conn_later(struct conn *c);
void conn_say(struct conn *c, enum part part, const struct msg *msg, const char *text, size_t n);
void conn_fail(struct conn *c, enum fail fail, const struct msg *msg);
void conn_leave(struct conn *c, enum leave why);
/* Forget everything that waits or runs. */
void conn_drop_questions(struct conn *c);
/* Let a message wait (borrowed). */
void conn_wait_in_line(struct conn *c, const char *user, size_t n_user, const struct msg *m);

/* --- between conn.c and conn_wait.c ---------------------------------------------------------- */

enum conn_outcome { CONN_WAITS_ON, CONN_CHANGED, CONN_OVER };

/* Derive from the state what is waited for. */
void conn_wait_set(struct conn *c);
void conn_wait_none(struct conn *c);
/* The time is up. CONN_OVER: the chat is to be freed. */
enum conn_outcome conn_wait_over(struct conn *c);

/* --- between conn.c and move.c --------------------------------------------------------------- */

/* It lives on elsewhere: frees it. */
void conn_moved(struct conn *c);
/* It came from elsewhere: go on. */
void conn_taken_up(struct conn *c);

#endif
