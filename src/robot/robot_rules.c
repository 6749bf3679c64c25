/* robot_rules.c - the built-in robot: patterns, answers in turn, captures with pronouns turned.
 * The rules come checked from conf_rules.c; xiaotu-robot(5) is what they promise.
 *
 * Memory. The robot keeps nothing about anybody. What it remembers it reads out of the chat's
 * history: it replays which questions had something to remember and which later ones found no rule
 * and so used one up. So chats may move between workers, and no two chats can mix. Answers go in
 * turn for all chats together, but those that stand in the history of this one are passed over. */
#include "robot/robot.h"

#include "base/mem.h"
#include "robot/pattern.h"
#include "robot/reflect.h"
#include "robot/robot_kinds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_BYTES = 1 << 20 };

enum script { SCRIPT_NONE, SCRIPT_LATIN, SCRIPT_HAN };

struct phrase {
	const char *s;
	size_t n;
	unsigned captures; /* bit N: holds {N} */
	enum script script;
};

/* Phrases said in turn. */
struct phrases {
	struct phrase *at;
	int n, turn;
};

struct rule {
	struct pattern *patterns;
	int n_patterns;
	struct phrases answers, remember;
	int64_t priority;
};

struct rules {
	struct arena arena;
	struct rule *rules; /* in the order in which they are tried */
	int n_rules;
	struct reflect reflect;
	struct phrases fallback;
};

/* A message and the rule that it found. */
struct found {
	struct pattern_text text;
	struct rule *rule; /* NULL: none */
	struct pattern_span captures[PATTERN_CAPTURES];
	unsigned empty; /* bit N: {N} is empty or not there */
};

/* In what script is it? More than `few` ASCII letters say Latin, if there is no Chinese. */
static enum script
script_of(const char *s, size_t n, int few)
{
	int letters = 0;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		int len = text_char(s + i, n - i, &c);

		if (len > 0 && ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0x20000 && c <= 0x323AF)))
			return SCRIPT_HAN;
		letters += len > 0 && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
		i += len > 0 ? (size_t)len : 1;
	}
	return letters > few ? SCRIPT_LATIN : SCRIPT_NONE;
}

/* --- matching -------------------------------------------------------------------------------- */

/* Can one of them be said in the script with these captures? One of the other script counts if
 * there are none in this. */
static bool
has_phrase(const struct phrases *p, unsigned empty, enum script script)
{
	bool has_other = false, has_script = false;

	for (int i = 0; i < p->n; i++) {
		const struct phrase *one = &p->at[i];
		bool fits = one->script == script || one->script == SCRIPT_NONE;

		if (fits && !(one->captures & empty))
			return true;
		has_script |= fits;
		has_other |= !(one->captures & empty);
	}
	return has_other && !has_script;
}

static bool
match_rule(struct rule *r, enum script script, struct found *f)
{
	for (int i = 0; i < r->n_patterns; i++) {
		const struct pattern *p = &r->patterns[i];

		if (!pattern_match(p, &f->text, f->captures))
			continue;
		f->empty = ~0U;
		for (int k = 0; k < p->n_parts - 1; k++) {
			if (f->captures[k].from < f->captures[k].to)
				f->empty &= ~(2U << k);
		}
		if (has_phrase(&r->answers, f->empty, script))
			return true;
	}
	return false;
}

/* Fold the message and find its rule. Gives f->text. */
static void
find_rule(struct rules *own, const char *s, size_t n, enum script script, struct found *f)
{
	memset(f, 0, sizeof *f);
	pattern_text_init(&f->text, s, n);
	for (int i = 0; i < own->n_rules && f->rule == NULL; i++)
		if (match_rule(&own->rules[i], script, f))
			f->rule = &own->rules[i];
}

/* --- saying ---------------------------------------------------------------------------------- */

/* Append the local time, date (ISO 8601) or day of the week that `word` asks for. */
static int
say_now(const char *word, enum script script, struct buf *out)
{
	static const char *const han[] = { "日", "一", "二", "三", "四", "五", "六" };
	static const char *const latin[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday" };
	time_t now = time(NULL);
	char text[16];
	struct tm tm;

	localtime_r(&now, &tm);
	if (word[0] == 't')
		return buf_add(out, text, strftime(text, sizeof text, "%H:%M", &tm));
	if (word[0] == 'd')
		return buf_add(out, text, strftime(text, sizeof text, "%Y-%m-%d", &tm));
	if (script == SCRIPT_HAN)
		return buf_addf(out, "星期%s", han[tm.tm_wday]);
	return buf_adds(out, latin[tm.tm_wday]);
}

/* Append what the {word} at s stands for. Returns its length, braces included, 0 when it is plain
 * text, -1 when out is full. */
static int
say_place(const struct rules *own, const struct talk *talk, const struct found *f,
    const struct phrase *p, const char *s, struct buf *out)
{
	if (s[1] >= '1' && s[1] <= '9' && s[2] == '}')
		return reflect_say(&own->reflect, &f->text, f->captures[s[1] - '1'], out) ? -1 : 3;
	if (strncmp(s, "{user}", 6) == 0)
		return buf_add(out, talk->user, talk->n_user) ? -1 : 6;
	if (strncmp(s, "{time}", 6) == 0 || strncmp(s, "{date}", 6) == 0)
		return say_now(s + 1, p->script, out) ? -1 : 6;
	if (strncmp(s, "{weekday}", 9) == 0)
		return say_now(s + 1, p->script, out) ? -1 : 9;
	return 0;
}

/* Append the phrase; a full buffer just ends it. */
static void
say(const struct rules *own, const struct talk *talk, const struct found *f, const struct phrase *p,
    struct buf *out)
{
	for (const char *s = p->s; *s;) {
		size_t run = strcspn(s, "{");
		int used = 0;

		if (run && buf_add(out, s, run))
			return;
		s += run;
		if (*s)
			used = say_place(own, talk, f, p, s, out);
		if (used < 0 || (*s && used == 0 && buf_add(out, s++, 1)))
			return;
		s += used;
	}
}

/* Did this chat hear it lately? */
static bool
was_said(
    const struct rules *own, const struct talk *talk, const struct found *f, const struct phrase *p)
{
	bool was = false;
	struct buf text;

	if (talk->n_history == 0)
		return false;
	buf_init(&text, ANSWER_BYTES);
	say(own, talk, f, p, &text);
	for (int i = 0; i < talk->n_history && !was; i++)
		was = talk->history[i].n_answer == text.len && text.len &&
		      memcmp(talk->history[i].answer, buf_head(&text), text.len) == 0;
	buf_release(&text);
	return was;
}

/* Say the next of the phrases: one in the script that this chat did not hear lately; else, with two
 * passes, one that it did; else, with three, one in any script. Returns false when there is none.
 */
static bool
say_next(const struct rules *own, const struct talk *talk, const struct found *f, struct phrases *p,
    enum script script, int n_passes, struct buf *out)
{
	for (int pass = 0; pass < n_passes; pass++) {
		for (int k = 0; k < p->n; k++) {
			int i = (p->turn + k) % p->n;
			const struct phrase *one = &p->at[i];

			if ((one->captures & f->empty) ||
			    (pass < 2 && one->script != script && one->script != SCRIPT_NONE) ||
			    (pass == 0 && was_said(own, talk, f, one)))
				continue;
			p->turn = (i + 1) % p->n;
			say(own, talk, f, one, out);
			return true;
		}
	}
	return false;
}

/* The script to answer in: that of the message, or of the last one before that had any. A few
 * letters (ok, lol, bye) are said in Chinese chats, too. */
static enum script
script_of_talk(const struct robot *r, const struct talk *talk)
{
	enum { FEW = 4 };
	enum script script = script_of(talk->text, talk->n_text, FEW);

	for (int i = talk->n_history - 1; script == SCRIPT_NONE && i >= 0; i--)
		script = script_of(talk->history[i].question, talk->history[i].n_question, FEW);
	if (script == SCRIPT_NONE)
		script = script_of(talk->text, talk->n_text, 0);
	if (script == SCRIPT_NONE)
		script = r->env.language == CONF_EN ? SCRIPT_LATIN : SCRIPT_HAN;
	return script;
}

/* Which earlier questions are to be come back to? Each one once, the oldest first; those that found
 * no rule have used one up, unless the one before did. Puts their indices into waiting, returns how
 * many; none when the last one used one up. */
static int
remembered(struct rules *own, const struct talk *talk, enum script script, int *waiting)
{
	int first = 0, n = 0;
	bool used = false;

	for (int i = 0; i < talk->n_history; i++) {
		struct found f;

		find_rule(own, talk->history[i].question, talk->history[i].n_question, script, &f);
		if (f.rule && has_phrase(&f.rule->remember, f.empty, script))
			waiting[n++] = i;
		used = f.rule == NULL && !used && first < n;
		first += used;
		pattern_text_release(&f.text);
	}
	memmove(waiting, waiting + first, (size_t)(n - first) * sizeof *waiting);
	return used ? 0 : n - first;
}

/* Come back to the first of them of which something can be said that was not said lately. */
static bool
say_remembered(struct rules *own, const struct talk *talk, enum script script, struct buf *out)
{
	int *waiting = mem_resize(NULL, (size_t)talk->n_history + 1, sizeof *waiting);
	int n = remembered(own, talk, script, waiting);
	bool said = false;

	for (int i = 0; i < n && !said; i++) {
		const struct said *one = &talk->history[waiting[i]];
		struct found f;

		find_rule(own, one->question, one->n_question, script, &f);
		said = say_next(own, talk, &f, &f.rule->remember, script, 1, out);
		pattern_text_release(&f.text);
	}
	free(waiting);
	return said;
}

/* Append the answer. Returns false when there is none. */
static bool
answer(struct robot *r, const struct talk *talk, struct buf *out)
{
	struct rules *own = r->own;
	enum script script = script_of_talk(r, talk);
	struct found f;
	bool said;

	find_rule(own, talk->text, talk->n_text, script, &f);
	if (f.rule)
		said = say_next(own, talk, &f, &f.rule->answers, script, 3, out);
	else
		said = say_remembered(own, talk, script, out) ||
		       say_next(own, talk, &f, &own->fallback, script, 3, out);
	pattern_text_release(&f.text);
	return said;
}

/* --- opening --------------------------------------------------------------------------------- */

static void
make_phrases(struct arena *a, const struct conf_texts *t, struct phrases *out)
{
	out->n = t->n;
	out->at = arena_zalloc(a, (size_t)t->n * sizeof *out->at);
	for (int i = 0; i < t->n; i++) {
		struct phrase *p = &out->at[i];

		p->s = t->at[i];
		p->n = strlen(p->s);
		p->script = script_of(p->s, p->n, 0);
		for (size_t k = 0; k + 2 < p->n; k++)
			if (p->s[k] == '{' && p->s[k + 1] >= '1' && p->s[k + 1] <= '9' &&
			    p->s[k + 2] == '}')
				p->captures |= 1U << (p->s[k + 1] - '0');
	}
}

static void
make_rule(struct arena *a, const struct conf_rule *c, struct rule *r)
{
	const char **all = pattern_choices(a, c->patterns.at, c->patterns.n, &r->n_patterns);

	r->priority = c->priority;
	r->patterns = arena_zalloc(a, (size_t)r->n_patterns * sizeof *r->patterns);
	for (int i = 0; i < r->n_patterns; i++)
		pattern_make(a, all[i], &r->patterns[i]);
	make_phrases(a, &c->answers, &r->answers);
	make_phrases(a, &c->remember, &r->remember);
}

/* Put the rules into the order in which they are tried: by priority, then as in the file. */
static void
make_rules(struct rules *own, const struct conf_rules *c)
{
	own->rules = arena_zalloc(&own->arena, (size_t)c->n_rules * sizeof *own->rules);
	for (int i = 0; i < c->n_rules; i++) {
		struct rule rule = { .n_patterns = 0 };
		int k = own->n_rules++;

		make_rule(&own->arena, &c->rules[i], &rule);
		for (; k > 0 && own->rules[k - 1].priority < rule.priority; k--)
			own->rules[k] = own->rules[k - 1];
		own->rules[k] = rule;
	}
}

static int
rules_open(struct robot *r, struct err *e)
{
	const struct conf_rules *c = &r->conf->rules;
	struct rules *own = mem_zalloc(sizeof *own);

	(void)e;
	make_rules(own, c);
	reflect_make(&own->arena, c, &own->reflect);
	make_phrases(&own->arena, &c->fallback, &own->fallback);
	r->own = own;
	return 0;
}

static void
rules_close(struct robot *r)
{
	struct rules *own = r->own;

	if (own)
		arena_release(&own->arena);
	free(own);
	r->own = NULL;
}

static void
on_later(void *arg)
{
	struct ask *ask = arg;
	struct buf out;
	bool said;

	buf_init(&out, ANSWER_BYTES);
	said = answer(ask->robot, ask->own, &out);
	if (out.len)
		ask_piece(ask, buf_head(&out), out.len);
	buf_release(&out);
	/* Without a fallback the next robot of the chain is meant to answer. */
	ask_done(ask, said ? WHY_OK : WHY_REFUSED);
}

static void
rules_ask(struct robot *r, const struct talk *talk, struct ask *ask)
{
	ask->own = (void *)(uintptr_t)talk;
	later_task_init(&ask->later, on_later, ask);
	later_add(r->env.later, &ask->later);
}

static void
rules_cancel(struct ask *ask)
{
	later_remove(&ask->later);
}

const struct robot_ops robot_rules = {
	.wants_history = true,
	.open = rules_open,
	.ask = rules_ask,
	.cancel = rules_cancel,
	.close = rules_close,
};
