/* lapse.c - see lapse.h. The timer is armed for the oldest entry only; entries that moved on since
 * are noticed when it fires, and it is armed again for whoever is oldest then.
 *
 * What came while the process stood still (it was stopped, or its machine was) came in time:
 * sockets come before the timer in a turn of the loop, and one that fires late lets a few turns go
 * by. The first of them sees no socket, for epoll_wait(2) ends with EINTR then. */
#include "base/lapse.h"

#include <time.h>

enum { LATE_MS = 100, LOOK_MS = 20 };

int64_t
lapse_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Every message asks a dozen times. The coarse clock is that of the last tick, 1 to 10 ms old, and
 * costs a fifth. */
int64_t
lapse_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
may_lapse(const struct lapse *l)
{
	return l->limit_ms && !list_is_empty(&l->entries);
}

/* When is the oldest due, in ms from now? There is one. */
static int64_t
left_ms_of(const struct lapse *l, int64_t now_ms)
{
	const struct lapse_entry *e = list_item(l->entries.next, struct lapse_entry, link);

	return e->since_ms + l->limit_ms - now_ms;
}

static void
arm(struct lapse *l)
{
	int64_t left_ms;

	if (!may_lapse(l))
		return;
	left_ms = left_ms_of(l, lapse_now_ms());
	if (left_ms < 1)
		left_ms = 1;
	if (l->looks)
		left_ms = LOOK_MS;
	ev_timer_stop(l->loop, &l->timer);
	ev_now_update(l->loop);
	ev_timer_set(&l->timer, (double)left_ms / 1000.0, 0.0);
	ev_timer_start(l->loop, &l->timer);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct lapse *l = t->data;
	int64_t now_ms = lapse_now_ms();

	(void)loop;
	(void)events;
	l->looks = !l->looks && may_lapse(l) && left_ms_of(l, now_ms) < -LATE_MS;
	while (!l->looks && may_lapse(l) && left_ms_of(l, now_ms) <= 0) {
		struct lapse_entry *e = list_item(l->entries.next, struct lapse_entry, link);

		lapse_stop(e);
		l->on_lapse(e, l->arg);
	}
	arm(l);
}

void
lapse_init(struct lapse *l, struct ev_loop *loop, int64_t limit_ms,
    void (*on_lapse)(struct lapse_entry *e, void *arg), void *arg)
{
	*l = (struct lapse){ .loop = loop, .limit_ms = limit_ms, .on_lapse = on_lapse, .arg = arg };
	list_init(&l->entries);
	ev_timer_init(&l->timer, on_timer, 0.0, 0.0);
	ev_set_priority(&l->timer, EV_MINPRI + 1);
	l->timer.data = l;
}

void
lapse_release(struct lapse *l)
{
	if (l->loop == NULL)
		return;
	ev_timer_stop(l->loop, &l->timer);
	while (!list_is_empty(&l->entries))
		list_remove(l->entries.next);
}

void
lapse_set_limit(struct lapse *l, int64_t limit_ms)
{
	l->limit_ms = limit_ms;
	ev_timer_stop(l->loop, &l->timer);
	arm(l);
}

void
lapse_entry_init(struct lapse_entry *e)
{
	list_init(&e->link);
	e->since_ms = 0;
}

void
lapse_touch(struct lapse *l, struct lapse_entry *e)
{
	list_remove(&e->link);
	list_append(&l->entries, &e->link);
	e->since_ms = lapse_now_ms();
	if (!ev_is_active(&l->timer))
		arm(l);
}

void
lapse_stop(struct lapse_entry *e)
{
	list_remove(&e->link);
}
