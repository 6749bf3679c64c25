/* later.c - see later.h. The queue is drained by a watcher of lowest priority that is fed by hand:
 * libev invokes it behind all other events of the same iteration, before it sleeps again. */
#include "base/later.h"

static void
on_wake(struct ev_loop *loop, struct ev_prepare *w, int events)
{
	struct later *l = w->data;

	(void)loop;
	(void)events;
	while (!list_is_empty(&l->tasks)) {
		struct later_task *t = list_item(l->tasks.next, struct later_task, link);

		list_remove(&t->link);
		t->run(t->arg);
	}
}

void
later_init(struct later *l, struct ev_loop *loop)
{
	l->loop = loop;
	list_init(&l->tasks);
	ev_prepare_init(&l->wake, on_wake);
	ev_set_priority(&l->wake, EV_MINPRI);
	l->wake.data = l;
}

void
later_release(struct later *l)
{
	ev_clear_pending(l->loop, &l->wake);
	while (!list_is_empty(&l->tasks))
		list_remove(l->tasks.next);
}

void
later_task_init(struct later_task *t, void (*run)(void *arg), void *arg)
{
	list_init(&t->link);
	t->run = run;
	t->arg = arg;
}

void
later_add(struct later *l, struct later_task *t)
{
	if (!list_is_empty(&t->link))
		return;
	list_append(&l->tasks, &t->link);
	ev_feed_event(l->loop, &l->wake, EV_CUSTOM);
}

void
later_remove(struct later_task *t)
{
	list_remove(&t->link);
}
