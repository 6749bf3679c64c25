/* conn_talk.c - messages of a chat: take them, let them wait, answer them in order. */
#include "worker/conn.h"

#include "base/log.h"
#include "base/mem.h"
#include "wire/sentence.h"
#include "worker/enter.h"
#include "worker/visit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60000 };

static enum conf_language
language(const struct conn *c)
{
	return (enum conf_language)c->w->setup->conf->language;
}

void
conn_say(struct conn *c, enum part part, const struct msg *msg, const char *text, size_t n)
{
	/* A buffer that is full is that of somebody who does not read. */
	if (wire_encode(&c->wire, part, msg, text, n, &c->out))
		conn_leave(c, LEAVE_SLOW_READER);
}

void
conn_fail(struct conn *c, enum fail fail, const struct msg *msg)
{
	const char *text = sentence_fail(fail, language(c));

	if (wire_is_mid_answer(&c->wire) && (int)fail < CONN_HELD) {
		c->held[fail] += c->held[fail] < UINT16_MAX;
		return;
	}
	conn_say(c, PART_FAIL, msg, text, strlen(text));
}

/* A message is not taken. */
static void
reject(struct conn *c, enum fail fail, const struct msg *msg)
{
	score_add(&c->w->score->rejected, 1);
	conn_fail(c, fail, msg);
}

static void
reject_rate(struct conn *c, int64_t wait_ms, const struct msg *msg)
{
	char text[160];

	/* Held back until the answer under way is out, it has no time to tell any more. */
	if (wire_is_mid_answer(&c->wire))
		return reject(c, FAIL_RATE, msg);
	score_add(&c->w->score->rejected, 1);
	conn_say(c, PART_FAIL, msg, text, sentence_rate(wait_ms, language(c), text, sizeof text));
}

static void
tell_held(struct conn *c)
{
	for (int fail = 0; fail < CONN_HELD; fail++)
		for (; c->held[fail]; c->held[fail]--)
			conn_fail(c, (enum fail)fail, NULL);
}

/* --- commands -------------------------------------------------------------------------------- */

static void
note(struct conn *c, const struct msg *m, const char *text)
{
	conn_say(c, PART_NOTE, m, text, strlen(text));
}

/* One robot a line: a star for the one that was chosen, and whether it rests. */
static void
add_robots(const struct conn *c, struct buf *out)
{
	const struct chain *chain = c->w->setup->chain;

	for (int i = 0; i < chain_size(chain); i++) {
		int64_t rests_ms = chain_rests_ms(chain, i);

		(void)buf_addf(out, "%s%s%s", i ? "\n" : "", c->robot == i ? "* " : "",
		    chain_name_at(chain, i));
		if (rests_ms)
			(void)buf_addf(out, " (%s, %" PRId64 " s, %s)",
			    sentence(SAY_RESTS, language(c)), (rests_ms + 999) / 1000,
			    chain_trouble(chain, i));
	}
}

/* Who gave the last answer, and why others did not. */
static void
add_last(const struct conn *c, struct buf *out)
{
	const struct chain *chain = c->w->setup->chain;

	if (c->answered_by < 0)
		return;
	(void)buf_addf(out, "\n%s%s", sentence(SAY_ANSWERED, language(c)),
	    chain_name_at(chain, c->answered_by));
	for (int i = 0; i < c->n_passed; i++)
		(void)buf_addf(out, "%s%s: %s%s", i ? ", " : " (",
		    chain_name_at(chain, c->passed[i].robot), why_words[c->passed[i].why],
		    i + 1 == c->n_passed ? ")" : "");
}

/* `/robot`: the list; `/robot NAME`: choose it. */
static void
choose_robot(struct conn *c, const struct msg *m)
{
	const struct chain *chain = c->w->setup->chain;
	size_t n = m->n_text;
	int found = chain_find(chain, m->text, n);
	struct buf out;

	buf_init(&out, 1 << 16);
	if (n && found >= 0) {
		c->robot = found;
		(void)(buf_adds(&out, sentence(SAY_CHOSEN, language(c))) ||
		       buf_adds(&out, chain_name_at(chain, found)));
	} else {
		(void)(n && (buf_adds(&out, sentence(SAY_NO_ROBOT, language(c))) ||
				buf_adds(&out, "\n")));
		add_robots(c, &out);
		add_last(c, &out);
	}
	conn_say(c, PART_NOTE, m, buf_head(&out), out.len);
	buf_release(&out);
}

/* --- answers --------------------------------------------------------------------------------- */

static void
on_piece(void *arg, const char *text, size_t n)
{
	struct conn *c = arg;

	conn_say(c, PART_PIECE, &c->turn->msg, text, n);
	if (c->out.len >= CONN_HIGH_WATER)
		turn_pause(c->turn, true);
	conn_later(c);
}

/* For /robot. A turn of settings that are gone has nothing to say about these. */
static void
note_robot(struct conn *c, const struct turn *t)
{
	if (t->setup != c->w->setup)
		return;
	c->answered_by = t->ask.at;
	c->n_passed = t->ask.n_passed < CONN_PASSED ? t->ask.n_passed : CONN_PASSED;
	memcpy(c->passed, t->ask.passed, sizeof c->passed);
}

static void
on_wait(void *arg)
{
	struct conn *c = arg;
	const char *text = sentence(SAY_WAIT, language(c));

	conn_say(c, PART_WAIT, &c->turn->msg, text, strlen(text));
	conn_later(c);
}

static void
on_done(void *arg, enum fail fail)
{
	struct conn *c = arg;
	struct turn *t = c->turn;

	note_robot(c, t);
	t->msg.robot = turn_robot(t);
	if (fail)
		conn_fail(c, fail, &t->msg);
	else
		conn_say(
		    c, PART_END, &t->msg, t->answer.len ? buf_head(&t->answer) : "", t->answer.len);
	c->turn = NULL;
	turn_free(t);
	tell_held(c);
	conn_later(c);
}

static const struct turn_sink sink = { on_piece, on_done, on_wait };

static void
ask(struct conn *c, const char *user, size_t n_user, const struct msg *m)
{
	struct question q = { .user = user,
		.n_user = n_user,
		.text = m->text,
		.n_text = m->n_text,
		.id = m->id,
		.n_id = m->n_id,
		.stream = m->stream,
		.chat = c->id,
		.robot = c->robot };

	c->turn = turn_start(c->w, &q, &sink, c);
}

static void
answer_one(struct conn *c)
{
	struct asked *a = c->first;
	const struct msg m = { .text = a->bytes + a->n_user,
		.n_text = a->n_text,
		.id = a->bytes + a->n_user + a->n_text,
		.n_id = a->n_id,
		.stream = a->stream };

	c->first = a->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->n_waiting--;
	if (a->kind == MSG_TEXT) {
		ask(c, a->bytes, a->n_user, &m);
	} else if (a->kind == MSG_HELP) {
		note(c, &m, sentence(SAY_HELP, language(c)));
	} else if (a->kind == MSG_FORGET) {
		store_mem.forget(c->w->store, c->id);
		note(c, &m, sentence(SAY_FORGOTTEN, language(c)));
	} else if (a->kind == MSG_ROBOT) {
		choose_robot(c, &m);
	} else {
		conn_leave(c, LEAVE_EXIT);
	}
	free(a);
}

void
conn_drop_questions(struct conn *c)
{
	turn_cancel(c->turn, "cancelled");
	c->turn = NULL;
	while (c->first) {
		struct asked *a = c->first;

		c->first = a->next;
		free(a);
	}
	c->last = &c->first;
	c->n_waiting = 0;
}

/* --- questions ------------------------------------------------------------------------------- */

/* Take one message out of the chat's bucket, which is refilled with time. Returns 0, or the
 * milliseconds until it holds one again. */
static int64_t
wait_of_chat(struct conn *c, int64_t now_ms)
{
	double limit = (double)c->w->setup->conf->limit_messages_per_minute;

	if (limit == 0)
		return 0;
	if (c->rate_ms == 0)
		c->rate_left = limit;
	else
		c->rate_left += (double)(now_ms - c->rate_ms) * limit / MINUTE_MS;
	c->rate_ms = now_ms;
	if (c->rate_left > limit)
		c->rate_left = limit;
	if (c->rate_left < 1.0)
		return 1 + (int64_t)((1.0 - c->rate_left) * MINUTE_MS / limit);
	c->rate_left -= 1.0;
	return 0;
}

/* The same of its address, over all workers. */
static int64_t
wait_of_address(const struct conn *c, int64_t now_ms)
{
	int64_t limit = c->w->setup->conf->limit_messages_per_minute_per_address;

	return limit && c->address ? throttle_take(c->w->boot->throttle, c->address, limit, now_ms)
				   : 0;
}

static int64_t
rate_wait_ms(struct conn *c)
{
	int64_t now_ms = lapse_now_ms(), wait_ms = wait_of_chat(c, now_ms);

	return wait_ms ? wait_ms : wait_of_address(c, now_ms);
}

void
conn_wait_in_line(struct conn *c, const char *user, size_t n_user, const struct msg *m)
{
	struct asked *a = mem_zalloc(sizeof *a + n_user + m->n_text + m->n_id);

	a->kind = m->kind;
	a->stream = m->stream;
	a->n_user = n_user;
	a->n_text = m->n_text;
	a->n_id = m->n_id;
	memcpy(a->bytes, user, n_user);
	memcpy(a->bytes + n_user, m->text, m->n_text);
	memcpy(a->bytes + n_user + m->n_text, m->id, m->n_id);
	*c->last = a;
	c->last = &a->next;
	c->n_waiting++;
}

/* Is there no room for one more? The one that would start at once does not wait. */
static bool
is_busy(const struct conn *c)
{
	return c->n_waiting >= CONN_WAITING + (c->turn == NULL);
}

static void
take(struct conn *c, const struct msg *m)
{
	int64_t wait_ms;

	if (m->kind == MSG_EXIT)
		c->deaf = true; /* nothing behind it counts */
	else if ((wait_ms = rate_wait_ms(c)))
		return reject_rate(c, wait_ms, m);
	else if (is_busy(c))
		return reject(c, FAIL_BUSY, m);
	/* Most messages find nobody before them, and need not be kept. */
	if (m->kind == MSG_TEXT && c->turn == NULL && c->first == NULL)
		return ask(c, c->wire.user, c->wire.n_user, m);
	conn_wait_in_line(c, c->wire.user, c->wire.n_user, m);
}

static enum edge
edge(const struct conn *c)
{
	return c->in_end ? EDGE_END : c->quiet_over ? EDGE_QUIET : EDGE_MORE;
}

static void
decode(struct conn *c)
{
	c->paused = false;
	while (c->leave == LEAVE_NOT && !c->deaf && c->out.len < CONN_HIGH_WATER) {
		struct msg m;
		enum decode got = wire_decode(&c->wire, &c->in, edge(c), &m);

		if (got == DECODE_GOT && m.kind >= MSG_REQUEST)
			visit_take(c, &m);
		else if (got == DECODE_GOT)
			take(c, &m);
		else if (got == DECODE_BAD)
			reject(c, m.fail, &m);
		wire_done(&c->wire, &c->in);
		c->paused = got == DECODE_PAUSE;
		if (got == DECODE_BAD && m.fatal)
			conn_leave(c, LEAVE_ERROR);
		if (got == DECODE_MORE || got == DECODE_PAUSE)
			break;
		/* The one under way does not wait. */
		if (got == DECODE_GOT && c->turn == NULL && c->first)
			answer_one(c);
	}
}

void
conn_talk(struct conn *c)
{
	/* The next worker goes on where we leave off. */
	if (c->w->moving && c->turn == NULL && c->leave == LEAVE_NOT && !enter_is_tied(c))
		return;
	decode(c);
	while (c->turn == NULL && c->first && c->out.len < CONN_HIGH_WATER &&
	       (c->leave == LEAVE_DRAIN || (c->leave == LEAVE_NOT && !c->w->moving)))
		answer_one(c);
	if (c->deaf)
		buf_eat(&c->in, c->in.len);
}
