/* chain.c - see chain.h. Who is asked next, and what a robot's end says about its health. */
#include "robot/chain.h"

#include "base/lapse.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_POINTS = 2, FAILURE_POINTS = 1, PROBE_SLACK_MS = 1000 };

struct chain {
	struct robot **robots;
	int n;
	enum conf_language language;
};

struct chain *
chain_open(const struct conf *c, const struct robot_env *env, struct err *e)
{
	struct chain *chain = mem_zalloc(sizeof *chain);
	struct robot_env own = *env;

	own.language = chain->language = (enum conf_language)c->language;
	own.limit_bytes = conf_answer_bytes(c);
	own.log_texts = c->log_messages;
	chain->robots = mem_zalloc((size_t)c->n_robots * sizeof(struct robot *));
	for (int i = 0; i < c->n_robots; i++) {
		chain->robots[i] = robot_open(&c->robots[i], &own, e);
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

/* --- who is next ----------------------------------------------------------------------------- */

static void
note_passed(struct chain_ask *a, int i, enum why why)
{
	int k = 0;

	while (k < a->n_passed && a->passed[k].robot != i)
		k++;
	if (k == CHAIN_PASSED)
		return;
	a->n_passed += k == a->n_passed;
	a->passed[k] = (struct chain_passed){ (uint8_t)i, (uint8_t)why };
}

/* May the i-th be asked now? It may claim the probe. */
static bool
is_able(struct chain_ask *a, int i, int64_t now_ms)
{
	const struct robot *r = a->chain->robots[i];
	int64_t probe_ms = r->conf->connect_ms + r->conf->first_byte_ms + PROBE_SLACK_MS;
	enum standing_say say;

	/* A robot that asked to be left alone is, whoever else is there. */
	if (a->forced)
		return standing_rests_ms(r->standing, true, now_ms) == 0;
	if (robot_rests_ms(r, now_ms) == 0 &&
	    (say = standing_may_ask(r->standing, now_ms, probe_ms)) != STANDING_REST) {
		a->probing = say == STANDING_PROBE;
		return true;
	}
	note_passed(a, i, WHY_RESTS);
	return false;
}

/* The k-th in this message's order: the chosen one, then the others. */
static int
in_order(const struct chain_ask *a, int k)
{
	if (a->first < 0)
		return k;
	return k == 0 ? a->first : k <= a->first ? k - 1 : k;
}

/* The next one to be asked, -1: nobody is left. */
static int
pick(struct chain_ask *a)
{
	int64_t now_ms = lapse_now_ms();

	a->probing = false;
	for (;;) {
		for (int k = 0; k < a->chain->n; k++) {
			int i = in_order(a, k);

			if (!(a->tried >> i & 1) && is_able(a, i, now_ms))
				return i;
		}
		if (a->forced)
			return -1;
		a->forced = true;
	}
}

/* Is there nobody else who might answer? */
static bool
is_alone(const struct chain_ask *a)
{
	int64_t now_ms = lapse_now_ms();

	for (int i = 0; i < a->chain->n; i++)
		if (!(a->tried >> i & 1) && robot_rests_ms(a->chain->robots[i], now_ms) == 0)
			return false;
	return true;
}

/* --- one robot's turn ------------------------------------------------------------------------ */

static void on_piece(void *arg, const char *text, size_t n);
static void on_done(void *arg, enum why why);
static const struct sink own_sink = { on_piece, on_done };

static void
ask_robot(struct chain_ask *a, int i)
{
	struct robot *r = a->chain->robots[i];

	a->at = i;
	a->tried |= 1ULL << i;
	a->running = true;
	/* A robot that rests is not asked again and again because nobody else is there. */
	a->ask.alone = is_alone(a) && !a->forced;
	a->since_us = lapse_now_us();
	standing_add(&r->standing->asked, 1);
	robot_ask(r, a->talk, &a->ask, &own_sink, a);
}

static void
be_well(const struct robot *r)
{
	if (standing_good(r->standing))
		log_notice("robot_recovered robot=%s", r->conf->name);
}

static void
on_piece(void *arg, const char *text, size_t n)
{
	struct chain_ask *a = arg;
	const struct robot *r = a->chain->robots[a->at];

	if (!a->said) {
		be_well(r);
		histogram_add(&r->standing->first_text_duration, lapse_now_us() - a->since_us);
	}
	a->said = true;
	a->sink->piece(a->arg, text, n);
}

static void
be_unwell(const struct chain_ask *a, int points, int64_t wait_ms, enum why why)
{
	const struct robot *r = a->chain->robots[a->at];
	int64_t ms = standing_bad(r->standing, points, wait_ms, lapse_now_ms());

	if (ms)
		log_warn("robot_rests robot=%s ms=%" PRId64 " why=%s", r->conf->name, ms,
		    why_words[why]);
}

/* What its end says about the robot's health: robot-apis, section 6. */
static void
judge(struct chain_ask *a, enum why why)
{
	const struct robot *r = a->chain->robots[a->at];

	standing_add(why == WHY_OK ? &r->standing->answered : &r->standing->failed, 1);
	if (a->ask.tokens_in > 0)
		standing_add(&r->standing->tokens_in, a->ask.tokens_in);
	if (a->ask.tokens_out > 0)
		standing_add(&r->standing->tokens_out, a->ask.tokens_out);
	if (why == WHY_OK)
		histogram_add(&r->standing->answer_duration, lapse_now_us() - a->since_us);
	else if (why != WHY_RESTS && why != WHY_BUSY)
		r->standing->why = (int)why;
	switch (why) {
	case WHY_OK:
	case WHY_REFUSED:
	case WHY_NO_ANSWER:
	case WHY_TOO_LONG:
	case WHY_KEY: /* its keys are set aside, it is well */
	case WHY_QUOTA:
		be_well(r);
		break;
	case WHY_TIMEOUT:
		if (!a->ask.held_up)
			be_unwell(a, TIMEOUT_POINTS, 0, why);
		break;
	case WHY_UNAVAILABLE:
	case WHY_BAD_REPLY:
		be_unwell(a, FAILURE_POINTS, a->ask.wait_ms, why);
		break;
	case WHY_RATE:
		be_unwell(a, STANDING_POINTS, a->ask.wait_ms, why);
		break;
	case WHY_BUSY:
	case WHY_RESTS:
		if (a->probing)
			standing_unprobed(r->standing);
		break;
	}
}

static void
count_passed(const struct chain_ask *a)
{
	for (int i = 0; i < a->n_passed; i++)
		if (a->passed[i].why == WHY_RESTS)
			standing_add(&a->chain->robots[a->passed[i].robot]->standing->passed, 1);
}

static void
say_no_answer(struct chain_ask *a)
{
	const char *text = a->chain->language == CONF_ZH
			       ? "这个我还不会，换个话题吧。"
			       : "I have no answer to that; let us talk of something else.";

	a->sink->piece(a->arg, text, strlen(text));
}

static void
on_done(void *arg, enum why why)
{
	struct chain_ask *a = arg;
	int next = -1;

	a->running = false;
	judge(a, why);
	if (why != WHY_OK && !a->said)
		next = pick(a);
	if (why != WHY_OK)
		note_passed(a, a->at, why);
	if (next >= 0) {
		log_info("robot_passed_over robot=%s why=%s next=%s", chain_robot_name(a),
		    why_words[why], chain_name_at(a->chain, next));
		ask_robot(a, next);
		return;
	}
	if (why == WHY_NO_ANSWER && !a->said) {
		say_no_answer(a);
		why = WHY_OK;
	}
	count_passed(a);
	a->sink->done(a->arg, why);
}

/* All of them asked to be left alone for now. */
static void
on_nobody(void *arg)
{
	struct chain_ask *a = arg;

	a->running = false;
	a->sink->done(a->arg, WHY_RATE);
}

void
chain_ask(struct chain *c, const struct talk *talk, int first, struct chain_ask *a,
    const struct sink *sink, void *arg)
{
	int i;

	a->chain = c;
	a->talk = talk;
	a->sink = sink;
	a->arg = arg;
	a->first = first < c->n ? first : -1;
	a->tried = 0;
	a->n_passed = 0;
	a->said = a->forced = false;
	i = pick(a);
	a->nobody = i < 0;
	if (i >= 0) {
		ask_robot(a, i);
		return;
	}
	a->at = in_order(a, 0);
	a->running = true;
	a->ask.tokens_in = a->ask.tokens_out = -1;
	later_task_init(&a->ask.later, on_nobody, a);
	later_add(c->robots[a->at]->env.later, &a->ask.later);
}

void
chain_cancel(struct chain_ask *a)
{
	if (!a->running)
		return;
	a->running = false;
	if (a->nobody) {
		later_remove(&a->ask.later);
		return;
	}
	robot_cancel(&a->ask);
	if (a->probing && !a->said)
		standing_unprobed(a->chain->robots[a->at]->standing);
}

void
chain_pause(struct chain_ask *a, bool pause)
{
	if (a->running && !a->nobody)
		robot_pause(&a->ask, pause);
}

/* --- names ----------------------------------------------------------------------------------- */

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

int
chain_find(const struct chain *c, const char *name, size_t n)
{
	for (int i = 0; i < c->n; i++)
		if (strlen(chain_name_at(c, i)) == n && memcmp(chain_name_at(c, i), name, n) == 0)
			return i;
	return -1;
}

int64_t
chain_rests_ms(const struct chain *c, int i)
{
	return robot_rests_ms(c->robots[i], lapse_now_ms());
}

const char *
chain_trouble(const struct chain *c, int i)
{
	return why_words[c->robots[i]->standing->why];
}

bool
chain_wants_history(const struct chain *c)
{
	for (int i = 0; i < c->n; i++)
		if (robot_wants_history(c->robots[i]))
			return true;
	return false;
}
