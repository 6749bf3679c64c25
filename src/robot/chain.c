/* chain.c - see chain.h. */
#include "robot/chain.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

struct chain {
	struct robot **robots;
	int n;
};

struct chain *
chain_open(const struct conf *c, struct ev_loop *loop, struct later *later, struct err *e)
{
	struct chain *chain = mem_zalloc(sizeof *chain);
	struct robot_env env = { loop, later, (enum conf_language)c->language,
		(size_t)c->limit_answer_bytes };

	chain->robots = mem_zalloc((size_t)c->n_robots * sizeof(struct robot *));
	for (int i = 0; i < c->n_robots; i++) {
		chain->robots[i] = robot_open(&c->robots[i], &env, e);
		if (chain->robots[i] == NULL) {
			chain_close(chain);
			return NULL;
		}
		chain->n = i + 1;
	}
	return chain;
}

void
chain_close(struct chain *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < c->n; i++)
		robot_close(c->robots[i]);
	free(c->robots);
	free(c);
}

static void
on_piece(void *arg, const char *text, size_t n)
{
	struct chain_ask *a = arg;

	a->said = true;
	a->sink->piece(a->arg, text, n);
}

static void on_done(void *arg, enum why why);
static const struct sink own_sink = { on_piece, on_done };

static void
on_done(void *arg, enum why why)
{
	struct chain_ask *a = arg;

	a->running = false;
	if (why == WHY_OK || a->said || a->only >= 0 || a->at + 1 >= a->chain->n) {
		a->sink->done(a->arg, why);
		return;
	}
	log_info("robot_passed_over robot=%s why=%s next=%s", chain_robot_name(a), why_words[why],
	    chain_name_at(a->chain, a->at + 1));
	a->at++;
	a->running = true;
	robot_ask(a->chain->robots[a->at], a->talk, &a->ask, &own_sink, a);
}

void
chain_ask(struct chain *c, const struct talk *talk, int only, struct chain_ask *a,
    const struct sink *sink, void *arg)
{
	a->chain = c;
	a->talk = talk;
	a->sink = sink;
	a->arg = arg;
	a->only = only < c->n ? only : -1;
	a->at = a->only >= 0 ? a->only : 0;
	a->said = false;
	a->running = true;
	robot_ask(c->robots[a->at], talk, &a->ask, &own_sink, a);
}

void
chain_cancel(struct chain_ask *a)
{
	if (a->running)
		robot_cancel(&a->ask);
	a->running = false;
}

const char *
chain_robot_name(const struct chain_ask *a)
{
	return chain_name_at(a->chain, a->at);
}

int
chain_size(const struct chain *c)
{
	return c->n;
}

const char *
chain_name_at(const struct chain *c, int i)
{
	return c->robots[i]->conf->name;
}

bool
chain_wants_history(const struct chain *c)
{
	for (int i = 0; i < c->n; i++)
		if (c->robots[i]->ops->wants_history)
			return true;
	return false;
}
