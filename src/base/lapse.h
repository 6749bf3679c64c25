/* lapse.h - one timeout for many: a least-recently-active list with one timer.
 * For:     thousands of chats or transfers that share one duration (idle, message, first byte):
 *          touching one costs a list move, never a timer of its own.     Callers: worker, robot.
 * Holds:   entries are ordered by deadline, because all share the duration. Clock: monotonic ms.
 *          What came while the process stood still is seen before anything lapses.
 * Memory:  none of its own; entries are embedded by the caller and stopped before they are freed.
 */
#ifndef BASE_LAPSE_H
#define BASE_LAPSE_H

#include "base/list.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct lapse_entry {
	struct list link;
	int64_t since_ms;
};

struct lapse {
	struct ev_loop *loop;
	struct ev_timer timer;
	struct list entries;
	int64_t limit_ms;
	bool looks; /* it was late: sockets are looked at before anything lapses */
	void (*on_lapse)(struct lapse_entry *e, void *arg);
	void *arg;
};

/* limit_ms 0: never lapses. on_lapse is called with the entry already stopped; it may free it. */
void lapse_init(struct lapse *l, struct ev_loop *loop, int64_t limit_ms,
    void (*on_lapse)(struct lapse_entry *e, void *arg), void *arg);
void lapse_release(struct lapse *l);
/* A new duration counts at once, for the entries that wait already too. */
void lapse_set_limit(struct lapse *l, int64_t limit_ms);

void lapse_entry_init(struct lapse_entry *e);
/* (Re)start the entry's time: it moves to the end of the list, out of any other list. */
void lapse_touch(struct lapse *l, struct lapse_entry *e);
/* Take it out of its list; harmless when it is in none. */
void lapse_stop(struct lapse_entry *e);

/* Monotonic milliseconds, up to a tick of the kernel old (1 to 10 ms); microseconds, exact. */
int64_t lapse_now_ms(void);
int64_t lapse_now_us(void);

#endif
