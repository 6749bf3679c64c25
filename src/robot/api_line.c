/* api_line.c - see robot_api.h. The line is this worker's; who comes first over all workers is in
 * the robot's standing. Nobody tells us when another worker has done with a request, so while
 * somebody waits here we look every few milliseconds. */
#include "robot/robot_api.h"

#include "base/lapse.h"

enum { STALE_MS = 1000 };
#define LOOK_S 0.005

static bool
may_enter(const struct api_call *call)
{
	const struct robot *r = call->ask->robot;
	int64_t stale_ms = lapse_now_ms() - r->conf->first_byte_ms - STALE_MS;

	return standing_enter(
	    r->standing, r->env.slot, r->conf->max_inflight, call->line_ms, stale_ms);
}

/* Who waits longest goes in, or has waited too long. Others leave by themselves. */
static void
look_at_line(struct api_robot *a)
{
	const struct robot *r = a->r;
	int64_t now_ms = lapse_now_ms();
	struct api_call *call = NULL;

	while (!list_is_empty(&a->waiting)) {
		call = list_item(a->waiting.next, struct api_call, link);
		if (now_ms - call->line_ms >= r->conf->first_byte_ms) {
			list_remove(&call->link);
			robot_api_finish(call, WHY_BUSY);
		} else if (may_enter(call)) {
			list_remove(&call->link);
			call->counted = true;
			robot_api_send(call);
		} else {
			break;
		}
		call = NULL;
	}
	standing_waits(r->standing, r->env.slot, call ? call->line_ms : 0);
	if (call == NULL)
		ev_timer_stop(r->env.loop, &a->look);
	else if (!ev_is_active(&a->look))
		ev_timer_again(r->env.loop, &a->look);
}

static void
on_look(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	look_at_line(t->data);
}

static void
on_look_soon(void *arg)
{
	look_at_line(arg);
}

void
api_line_enter(struct api_call *call)
{
	struct api_robot *a = robot_api_of(call);

	if (a->r->conf->max_inflight == 0) {
		standing_enter_freely(a->r->standing, a->r->env.slot);
		call->counted = true;
		robot_api_send(call);
		return;
	}
	call->line_ms = lapse_now_ms();
	list_append(&a->waiting, &call->link);
	later_add(a->r->env.later, &a->look_soon);
}

void
api_line_leave(struct api_call *call)
{
	struct api_robot *a = robot_api_of(call);

	list_remove(&call->link);
	if (call->counted)
		standing_leave(a->r->standing, a->r->env.slot);
	call->counted = false;
	if (a->r->conf->max_inflight)
		later_add(a->r->env.later, &a->look_soon);
}

void
api_line_init(struct api_robot *a)
{
	list_init(&a->waiting);
	ev_timer_init(&a->look, on_look, 0.0, LOOK_S);
	a->look.data = a;
	later_task_init(&a->look_soon, on_look_soon, a);
}

void
api_line_release(struct api_robot *a)
{
	ev_timer_stop(a->r->env.loop, &a->look);
	later_remove(&a->look_soon);
}
