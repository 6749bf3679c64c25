/* turn.c - see turn.h. */
#include "worker/turn.h"

#include "base/log.h"
#include "base/mem.h"
#include "wire/sentence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MOST = 1 << 26 };

static const enum fail fails[] = { [WHY_OK] = FAIL_NONE,
	[WHY_TIMEOUT] = FAIL_ROBOT_TIMEOUT,
	[WHY_UNAVAILABLE] = FAIL_ROBOT_UNAVAILABLE,
	[WHY_BAD_REPLY] = FAIL_ROBOT_BAD_REPLY,
	[WHY_REFUSED] = FAIL_ROBOT_REFUSED };

static void
log_turn(const struct turn *t, const char *outcome)
{
	int64_t ms = lapse_now_ms() - t->since_ms;
	const struct talk *k = &t->talk;

	if (!log_has(LOG_INFO_))
		return;
	if (t->setup->conf->log_messages)
		log_info("message chat=%" PRIu64 " user=%s robot=%s ms=%" PRId64
			 " outcome=%s text=%s answer=%s",
		    t->chat, log_quote(k->user, k->n_user), turn_robot(t), ms, outcome,
		    log_quote(k->text, k->n_text),
		    log_quote(t->answer.len ? buf_head(&t->answer) : "", t->answer.len));
	else
		log_info("message chat=%" PRIu64 " user=%s robot=%s ms=%" PRId64 " outcome=%s",
		    t->chat, log_quote(k->user, k->n_user), turn_robot(t), ms, outcome);
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

	/* The robot keeps to the limit; a text that still does not fit is only cut. */
	(void)buf_add(&t->answer, text, n);
	t->sink->piece(t->arg, text, n);
}

static void
on_done(void *arg, enum why why)
{
	struct turn *t = arg;
	enum fail fail = fails[why];

	if (fail == FAIL_NONE)
		remember(t);
	score_add(fail ? &t->w->score->failures : &t->w->score->answers, 1);
	log_turn(t, fail ? sentence_fail_word(fail) : "ok");
	t->sink->done(t->arg, fail);
}

static const struct sink own_sink = { on_piece, on_done };

/* The last turns of the chat, for robots that want them. */
static void
recall(struct turn *t)
{
	struct store_turn turns[STORE_MAX_TURNS];
	int most = (int)t->setup->conf->memory_turns, n;

	if (t->chat == 0 || most == 0 || !chain_wants_history(t->setup->chain))
		return;
	n = store_mem.recent(t->w->store, t->chat, most, turns);
	t->history = mem_zalloc((size_t)n * sizeof *t->history);
	for (int i = 0; i < n; i++)
		t->history[i] = (struct said){ turns[i].question, turns[i].answer,
			turns[i].n_question, turns[i].n_answer };
	t->talk.history = t->history;
	t->talk.n_history = n;
}

struct turn *
turn_start(struct worker *w, const struct question *q, const struct turn_sink *sink, void *arg)
{
	struct turn *t = mem_zalloc(sizeof *t + q->n_user + q->n_text + q->n_id);
	char *user = t->bytes, *text = user + q->n_user, *id = text + q->n_text;
	int64_t limit;

	memcpy(user, q->user, q->n_user);
	memcpy(text, q->text, q->n_text);
	memcpy(id, q->id, q->n_id);
	t->w = w;
	t->setup = setup_keep(w->setup);
	t->sink = sink;
	t->arg = arg;
	t->chat = q->chat;
	t->since_ms = lapse_now_ms();
	t->talk = (struct talk){ user, text, q->n_user, q->n_text, NULL, 0 };
	t->msg = (struct msg){ .id = id, .n_id = q->n_id, .stream = q->stream };
	limit = t->setup->conf->limit_answer_bytes;
	buf_init(&t->answer, limit ? (uint32_t)limit : ANSWER_MOST);
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
turn_free(struct turn *t)
{
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
