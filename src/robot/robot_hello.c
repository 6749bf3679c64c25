/* robot_hello.c - answers "Hello, TEXT!", as the tutorial's first server did; also what benchmarks
 * of the doors talk to, because it costs next to nothing. */
#include "robot/robot_kinds.h"

#include "base/mem.h"

#include <stdlib.h>

static void
on_later(void *arg)
{
	struct ask *ask = arg;
	struct buf answer = *(struct buf *)ask->own;

	free(ask->own);
	ask->own = NULL;
	ask_piece(ask, buf_head(&answer), answer.len);
	buf_release(&answer);
	ask_done(ask, WHY_OK);
}

static int
hello_open(struct robot *r, struct err *e)
{
	(void)r;
	(void)e;
	return 0;
}

static void
hello_ask(struct robot *r, const struct talk *talk, struct ask *ask)
{
	struct buf *answer = mem_zalloc(sizeof *answer);

	buf_init(answer, (uint32_t)talk->n_text + 16);
	(void)buf_adds(answer, "Hello, ");
	(void)buf_add(answer, talk->text, talk->n_text);
	(void)buf_adds(answer, "!");
	ask->own = answer;
	later_task_init(&ask->later, on_later, ask);
	later_add(r->env.later, &ask->later);
}

static void
hello_cancel(struct ask *ask)
{
	if (ask->own)
		buf_release(ask->own);
	free(ask->own);
	ask->own = NULL;
}

static void
hello_close(struct robot *r)
{
	(void)r;
}

const struct robot_ops robot_hello = {
	.open = hello_open,
	.ask = hello_ask,
	.cancel = hello_cancel,
	.close = hello_close,
};
