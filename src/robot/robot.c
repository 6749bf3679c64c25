/* robot.c - see robot.h: the registry, and what all robots share. */
#include "robot/robot.h"
#include "robot/robot_kinds.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const why_words[] = { "ok", "timeout", "unavailable", "bad-reply", "refused" };

/* In the order of enum conf_kind. */
static const struct robot_ops *const kinds[] = { &robot_rules, &robot_hello, &robot_turing,
	&robot_turing2 };

struct robot *
robot_open(const struct conf_robot *c, const struct robot_env *env, struct err *e)
{
	struct robot *r = mem_zalloc(sizeof *r);

	r->ops = kinds[c->kind];
	r->conf = c;
	r->env = *env;
	if (r->ops->open(r, e)) {
		err_add(e, "robot \"%s\"", c->name);
		free(r);
		return NULL;
	}
	return r;
}

void
robot_close(struct robot *r)
{
	if (r == NULL)
		return;
	r->ops->close(r);
	free(r);
}

void
robot_ask(
    struct robot *r, const struct talk *talk, struct ask *ask, const struct sink *sink, void *arg)
{
	*ask = (struct ask){ .sink = sink, .arg = arg, .robot = r };
	list_init(&ask->later.link);
	r->ops->ask(r, talk, ask);
}

void
robot_cancel(struct ask *ask)
{
	later_remove(&ask->later);
	ask->robot->ops->cancel(ask);
}

void
ask_piece(struct ask *ask, const char *text, size_t n)
{
	size_t limit = ask->robot->env.limit_bytes;
	struct buf clean;

	if (limit && ask->n_bytes + n > limit)
		n = text_cut_bytes(text, n, limit - ask->n_bytes);
	ask->n_bytes += n;
	buf_init(&clean, (uint32_t)(3 * n + 16));
	(void)text_clean(&ask->clean, text, n, &clean);
	if (clean.len)
		ask->sink->piece(ask->arg, buf_head(&clean), clean.len);
	buf_release(&clean);
}

void
ask_done(struct ask *ask, enum why why)
{
	struct buf rest;

	buf_init(&rest, 8);
	if (text_clean_end(&ask->clean, &rest) == 0 && rest.len)
		ask->sink->piece(ask->arg, buf_head(&rest), rest.len);
	buf_release(&rest);
	ask->sink->done(ask->arg, why);
}
