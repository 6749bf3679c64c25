/* turn.c - see turn.h. */
#include "worker/turn.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/sentence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, SENTENCE_BYTES = 256 };

static const enum fail fails[] = { [WHY_OK] = FAIL_NONE,
	[WHY_TIMEOUT] = FAIL_ROBOT_TIMEOUT,
	[WHY_UNAVAILABLE] = FAIL_ROBOT_UNAVAILABLE,
	[WHY_BAD_REPLY] = FAIL_ROBOT_BAD_REPLY,
	[WHY_REFUSED] = FAIL_ROBOT_REFUSED,
	[WHY_KEY] = FAIL_ROBOT_REFUSED,
	[WHY_QUOTA] = FAIL_ROBOT_REFUSED,
	[WHY_RATE] = FAIL_ROBOT_UNAVAILABLE,
	[WHY_NO_ANSWER] = FAIL_ROBOT_BAD_REPLY,
	[WHY_TOO_LONG] = FAIL_ROBOT_REFUSED,
	[WHY_BUSY] = FAIL_ROBOT_TIMEOUT,
	[WHY_RESTS] = FAIL_ROBOT_REFUSED };

/* What is only said when there is something to say: an account of tokens, who was passed over. */
static void
add_account(const struct turn *t, struct buf *line)
{
	const struct chain_ask *a = &t->ask;

	if (a->ask.tokens_in >= 0)
		(void)buf_addf(line, " tokens_in=%" PRId64, a->ask.tokens_in);
	if (a->ask.tokens_out >= 0)
		(void)buf_addf(line, " tokens_out=%" PRId64, a->ask.tokens_out);
	for (int i = 0; i < a->n_passed; i++)
		(void)buf_addf(line, "%s%s:%s",
		    i ? "," : " passed=", chain_name_at(a->chain, a->passed[i].robot),
		    why_words[a->passed[i].why]);
}

static void
log_turn(const struct turn *t, const char *outcome)
{
	int64_t ms = (lapse_now_us() - t->since_us) / 1000;
	const struct talk *k = &t->talk;
	struct buf line;

	if (!log_has(LOG_INFO_))
		return;
	buf_init(&line, LINE_BYTES);
	add_account(t, &line);
	if (t->setup->conf->log_messages)
		(void)buf_addf(&line, " text=%s answer=%s", log_quote(k->text, k->n_text),
		    log_quote(t->answer.len ? buf_head(&t->answer) : "", t->answer.len));
	log_info("message chat=%" PRIu64 " user=%s robot=%s ms=%" PRId64 " outcome=%s%.*s", t->chat,
	    log_quote(k->user, k->n_user), turn_robot(t), ms, outcome, (int)line.len,
	    line.len ? buf_head(&line) : "");
	buf_release(&line);
}

static void
remember(struct turn *t)
{
	const struct store_turn said = { t->talk.text, t->answer.len ? buf_head(&t->answer) : "",
		t->talk.n_text, t->answer.len };

	if (t->chat && chain_wants_history(t->setup->chain))
		store_mem.append(t->w->store, t->chat, (int)t->setup->conf->memory_turns, &said);
}

static void
on_piece(void *arg, const char *text, size_t n)
{
	struct turn *t = arg;

	lapse_stop(&t->notice);
	/* The robot keeps to the limit, but for what the chain may say itself. */
	(void)buf_add(&t->answer, text, n);
	t->sink->piece(t->arg, text, n);
}

static void
count_tokens(const struct turn *t)
{
	const struct ask *a = &t->ask.ask;

	if (a->tokens_in > 0)
		score_add(&t->w->score->tokens_in, a->tokens_in);
	if (a->tokens_out > 0)
		score_add(&t->w->score->tokens_out, a->tokens_out);
}

static void
on_done(void *arg, enum why why)
{
	struct turn *t = arg;
	enum fail fail = fails[why];

	lapse_stop(&t->notice);
	if (fail == FAIL_NONE)
		remember(t);
	count_tokens(t);
	score_add(fail ? &t->w->score->failures : &t->w->score->answers, 1);
	histogram_add(&t->w->score->message_duration, lapse_now_us() - t->since_us);
	log_turn(t, fail ? sentence_fail_word(fail) : "ok");
	t->sink->done(t->arg, fail);
}

static const struct sink own_sink = { on_piece, on_done };

static size_t
chars_of(const struct said *s)
{
	return text_count_chars(s->question, s->n_question) +
	       text_count_chars(s->answer, s->n_answer);
}

/* Keep the last of n turns that have at most `most` characters together; a long answer is cut
 * rather than forgotten, if it is the last one. Returns how many go. */
static int
fit(struct said *turns, int n, size_t most)
{
	size_t chars = 0, asked;
	struct said *last;
	int i = n;

	if (n == 0 || most == 0)
		return 0;
	last = &turns[n - 1];
	asked = text_count_chars(last->question, last->n_question);
	if (chars_of(last) > most && asked < most)
		last->n_answer = text_cut_chars(last->answer, last->n_answer, most - asked);
	while (i > 0 && (chars += chars_of(&turns[i - 1])) <= most)
		i--;
	return i;
}

/* The last turns of the chat, for robots that want them. */
static void
recall(struct turn *t)
{
	const struct conf *conf = t->setup->conf;
	struct store_turn turns[STORE_MAX_TURNS];
	int n, gone;

	n = store_mem.recent(t->w->store, t->chat, (int)conf->memory_turns, turns);
	t->history = mem_zalloc((size_t)n * sizeof *t->history);
	for (int i = 0; i < n; i++)
		t->history[i] = (struct said){ turns[i].question, turns[i].answer,
			turns[i].n_question, turns[i].n_answer };
	gone = fit(t->history, n, (size_t)conf->memory_chars);
	t->talk.history = t->history + gone;
	t->talk.n_history = n - gone;
}

struct turn *
turn_start(struct worker *w, const struct question *q, const struct turn_sink *sink, void *arg)
{
	struct turn *t = mem_zalloc(sizeof *t + q->n_user + q->n_text + q->n_id);
	char *user = t->bytes, *text = user + q->n_user, *id = text + q->n_text;

	memcpy(user, q->user, q->n_user);
	memcpy(text, q->text, q->n_text);
	memcpy(id, q->id, q->n_id);
	t->w = w;
	t->setup = setup_keep(w->setup);
	t->sink = sink;
	t->arg = arg;
	t->chat = q->chat;
	t->since_us = lapse_now_us();
	t->talk = (struct talk){ user, text, q->n_user, q->n_text, NULL, 0 };
	t->msg = (struct msg){ .id = id, .n_id = q->n_id, .stream = q->stream };
	buf_init(&t->answer, (uint32_t)conf_answer_bytes(t->setup->conf) + SENTENCE_BYTES);
	lapse_entry_init(&t->notice);
	if (sink->wait)
		lapse_touch(&w->notice, &t->notice);
	if (t->chat && t->setup->conf->memory_turns && chain_wants_history(t->setup->chain))
		recall(t);
	score_add(&w->score->messages, 1);
	chain_ask(t->setup->chain, &t->talk, q->robot, &t->ask, &own_sink, t);
	return t;
}

const char *
turn_robot(const struct turn *t)
{
	return chain_robot_name(&t->ask);
}

void
turn_pause(struct turn *t, bool pause)
{
	if (t->paused == pause)
		return;
	t->paused = pause;
	chain_pause(&t->ask, pause);
}

void
turn_on_notice(struct lapse_entry *e, void *arg)
{
	struct turn *t = list_item(e, struct turn, notice);

	(void)arg;
	t->sink->wait(t->arg);
}

void
turn_free(struct turn *t)
{
	lapse_stop(&t->notice);
	buf_release(&t->answer);
	free(t->history);
	setup_drop(t->setup);
	free(t);
}

void
turn_cancel(struct turn *t, const char *outcome)
{
	if (t == NULL)
		return;
	chain_cancel(&t->ask);
	log_turn(t, outcome);
	turn_free(t);
}
