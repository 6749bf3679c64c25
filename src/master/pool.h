/* pool.h - the worker processes: as many as wanted, replaced when they die.
 * For:     master.c and reload.c.     Callers: master/.
 * Holds:   a slot is in one state; what an event does to it is a table in pool.c. A worker that
 *          keeps dying is replaced after 1, 2, 4 ... 30 s; when none ever was ready, the start has
 *          failed.
 * Memory:  inside struct master. */
#ifndef MASTER_POOL_H
#define MASTER_POOL_H

#include "share/boot.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct master;

enum slot_state { SLOT_EMPTY, SLOT_STARTING, SLOT_READY, SLOT_DRAINING, SLOT_STATES };

struct slot {
	struct master *m;
	enum slot_state state;
	pid_t pid;
	int chan;
	struct ev_io io;
	struct ev_timer late; /* to start, to leave */
	int64_t since_ms;
	int64_t awaited; /* number of the reload that waits for its answer; 0: none */
	bool tired;      /* it asked to be replaced: does not count as one of those wanted */
	bool is_hung, is_killed;
};

struct pool {
	struct master *m;
	worker_main *work;
	struct score *score;
	struct tally *tally;
	struct throttle *throttle;
	struct standings *standings;
	int standings_fd, first_slot; /* where they live; our first slot in them */
	int wanted;
	int n_failures; /* deaths in a row that came too soon */
	bool ever_ready;
	struct ev_timer retry, tick;
	int64_t ticked_ms, lenient_ms;
	int pair[2]; /* chats move through it: give, take; -1: not made yet */
	struct slot slots[SCORE_SLOTS];
};

int pool_init(struct pool *p, struct master *m, worker_main *work, struct err *e);
/* Fork and drain until as many live as are wanted. Does nothing while a reload is under way. */
void pool_fit(struct pool *p);
void pool_on_exit(struct pool *p, pid_t pid, int status);
/* All leave within timeouts.drain; none is replaced. */
void pool_drain(struct pool *p);
/* All leave, their chats go to the workers of another master. */
void pool_move(struct pool *p);
/* Those that drain leave at once. */
void pool_hurry(struct pool *p);
void pool_kill(struct pool *p);
/* Slots that are starting or ready, all that are not empty, those ready. Tired ones do not count
 * but in pool_left(). */
int pool_live(const struct pool *p);
int pool_left(const struct pool *p);
int pool_ready(const struct pool *p);
/* Send to every live worker, or to all with `draining`. Returns to how many. */
int pool_send(struct pool *p, const struct chan_msg *msg, bool draining);
/* --- between pool.c and pool_spawn.c --------------------------------------------------------- */

int pool_index(const struct slot *s);
void pool_set_late(struct slot *s, double seconds);
void pool_on_chan(struct ev_loop *loop, struct ev_io *io, int events);
/* Fork the worker of an empty slot. Returns 0, or -1, which was logged. */
int pool_spawn(struct slot *s);
int pool_make_pair(int pair[2], struct err *e);

/* In a new child: close every channel. */
void pool_let_go(struct pool *p);

#endif
