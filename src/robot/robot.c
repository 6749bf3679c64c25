/* robot.c - see robot.h: the registry, and what all robots share. */
#include "robot/robot.h"
#include "robot/robot_kinds.h"

#include "base/lapse.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* In the order of enum conf_kind. */
static const struct robot_ops *const kinds[] = { &robot_rules, &robot_hello, &robot_turing,
	&robot_turing2, &robot_openai, &robot_ollama, &robot_anthropic };

struct robot *
robot_open(const struct conf_robot *c, const struct robot_env *env, struct err *e)
{
	struct robot *r = mem_zalloc(sizeof *r);

	r->ops = kinds[c->kind];
	r->conf = c;
	r->env = *env;
	r->standing = standings_find(env->standings, conf_robot_identity(c), lapse_now_ms());
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
	*ask = (struct ask){ .sink = sink,
		.arg = arg,
		.robot = r,
		.alone = ask->alone,
		.tokens_in = -1,
		.tokens_out = -1 };
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
robot_pause(struct ask *ask, bool pause)
{
	if (ask->robot->ops->pause)
		ask->robot->ops->pause(ask, pause);
}

bool
robot_wants_history(const struct robot *r)
{
	return r->ops->wants_history;
}

int64_t
robot_rests_ms(const struct robot *r, int64_t now_ms)
{
	return standing_away_ms(r->standing, r->conf->api_key.n, now_ms);
}

bool
ask_is_full(const struct ask *ask)
{
	return ask->n_bytes >= ask->robot->env.limit_bytes;
}

/* Hand on what is clean, as much of it as the limit allows. A cut is the end: nothing may follow a
 * hole. */
static void
hand_on(struct ask *ask, const struct buf *clean)
{
	size_t left = ask->robot->env.limit_bytes - ask->n_bytes, n = clean->len;

	if (n > left) {
		n = text_cut_bytes(buf_head(clean), n, left);
		ask->n_bytes = ask->robot->env.limit_bytes;
	} else {
		ask->n_bytes += n;
	}
	if (n)
		ask->sink->piece(ask->arg, buf_head(clean), n);
}

void
ask_piece(struct ask *ask, const char *text, size_t n)
{
	struct buf clean;

	if (ask_is_full(ask))
		return;
	buf_init(&clean, (uint32_t)(3 * n + 16));
	(void)text_clean(&ask->clean, text, n, &clean);
	hand_on(ask, &clean);
	buf_release(&clean);
}

void
ask_done(struct ask *ask, enum why why)
{
	struct buf rest;

	buf_init(&rest, 8);
	/* Of a robot that failed, half a character alone is no text. */
	if ((why == WHY_OK || ask->n_bytes) && text_clean_end(&ask->clean, &rest) == 0)
		hand_on(ask, &rest);
	buf_release(&rest);
	ask->sink->done(ask->arg, why);
}
