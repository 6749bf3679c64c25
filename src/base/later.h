/* later.h - the "after this turn" queue.
 * For:     work that must not run inside the call that asks for it: freeing an object from its own
 *          callback, answers of a robot, draining the curl multi.     Callers: workers and the
 *          client.
 * Holds:   a task runs once per later_add(), after all events of the turn, in order of arrival;
 *          tasks added by tasks run in the same turn.
 * Memory:  none of its own; the caller embeds the task and keeps it until it ran or was removed. */
#ifndef BASE_LATER_H
#define BASE_LATER_H

#include "base/list.h"

#include <ev.h>

struct later {
	struct ev_loop *loop;
	struct ev_prepare wake;
	struct list tasks;
};

struct later_task {
	struct list link;
	void (*run)(void *arg);
	void *arg;
};

void later_init(struct later *l, struct ev_loop *loop);
void later_release(struct later *l);

void later_task_init(struct later_task *t, void (*run)(void *arg), void *arg);
/* Queue the task; one that is queued already keeps its place. */
void later_add(struct later *l, struct later_task *t);
/* Forget it; harmless when it is not queued. */
void later_remove(struct later_task *t);

#endif
