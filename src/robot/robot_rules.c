/* robot_rules.c - the built-in robot: patterns, answers in turn, captures with pronouns turned.
 * The rules come checked from conf_rules.c; xiaotu-robot(5) is what they promise.
 *
 * Memory. The robot keeps nothing about anybody. What it remembers it reads out of the chat's
 * history: it replays which questions had something to remember and which later ones found no rule
 *          and so
 * used one up. So chats may move between workers, and no two chats can mix. */
#include "robot/robot.h"

#include "base/mem.h"
#include "robot/pattern.h"
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

struct turned {
	struct pattern_part from;
	const char *to;
};

struct rules {
	struct arena arena;
	struct rule *rules; /* in the order in which they are tried */
	int n_rules;
	struct turned *turned;
	int n_turned;
	struct phrases fallback;
};

/* A message and the rule that it found. */
struct found {
	struct pattern_text text;
	struct rule *rule; /* NULL: none */
	struct pattern_span captures[PATTERN_CAPTURES];
	unsigned empty; /* bit N: {N} is empty or not there */
};

/* In what script is it? Anything but Chinese and ASCII letters says nothing. */
static enum script
script_of(const char *s, size_t n)
{
	enum script script = SCRIPT_NONE;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		int len = text_char(s + i, n - i, &c);

		if (len > 0 && ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0x20000 && c <= 0x323AF)))
			return SCRIPT_HAN;
		if (len > 0 && c < 0x80 && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			script = SCRIPT_LATIN;
		i += len > 0 ? (size_t)len : 1;
	}
	return script;
}

/* --- matching -------------------------------------------------------------------------------- */

/* Can one of them be said with these captures? */
static bool
has_phrase(const struct phrases *p, unsigned empty)
{
	for (int i = 0; i < p->n; i++)
		if (!(p->at[i].captures & empty))
			return true;
	return false;
}

static bool
match_rule(struct rule *r, struct found *f)
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
		if (has_phrase(&r->answers, f->empty))
			return true;
	}
	return false;
}

/* Fold the message and find its rule. Gives f->text. */
static void
find_rule(struct rules *own, const char *s, size_t n, struct found *f)
{
	memset(f, 0, sizeof *f);
	pattern_text_init(&f->text, s, n);
	for (int i = 0; i < own->n_rules && f->rule == NULL; i++)
		if (match_rule(&own->rules[i], f))
			f->rule = &own->rules[i];
}

/* --- saying ---------------------------------------------------------------------------------- */

/* The next of the phrases in the script, or, unless `strict`, the next in any. NULL when there is
 * none. */
static const struct phrase *
next_phrase(struct phrases *p, unsigned empty, enum script script, bool strict)
{
	for (int pass = 0; pass < (strict ? 1 : 2); pass++) {
		for (int k = 0; k < p->n; k++) {
			int i = (p->turn + k) % p->n;
			const struct phrase *one = &p->at[i];

			if ((one->captures & empty) ||
			    (pass == 0 && one->script != script && one->script != SCRIPT_NONE))
				continue;
			p->turn = (i + 1) % p->n;
			return one;
		}
	}
	return NULL;
}

/* The longest pair whose `from` stands at byte i as a whole word, or NULL. */
static const struct turned *
turned_at(const struct rules *own, const struct pattern_text *t, struct pattern_span in, size_t i)
{
	const struct turned *best = NULL;

	for (int k = 0; k < own->n_turned; k++) {
		const struct turned *one = &own->turned[k];

		if ((best == NULL || one->from.n > best->from.n) && in.to - i >= one->from.n &&
		    pattern_is_at(t, i, &one->from) && pattern_is_edge(t, i) &&
		    pattern_is_edge(t, i + one->from.n))
			best = one;
	}
	return best;
}

/* Append the capture as it was written, with its pronouns turned, each once. */
static int
say_capture(
    const struct rules *own, const struct pattern_text *t, struct pattern_span in, struct buf *out)
{
	for (size_t i = in.from; i < in.to;) {
		const struct turned *turned = turned_at(own, t, in, i);
		size_t end = i + 1;
		int bad;

		while (end < in.to && t->at[end] == t->at[i])
			end++;
		if (turned) {
			end = i + turned->from.n;
			bad = buf_adds(out, turned->to);
		} else if (t->s[i] == ' ') {
			bad = buf_adds(out, " ");
		} else {
			bad = buf_add(out, t->original + t->at[i], t->at[end] - t->at[i]);
		}
		if (bad)
			return -1;
		i = end;
	}
	return 0;
}

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
		return say_capture(own, &f->text, f->captures[s[1] - '1'], out) ? -1 : 3;
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

/* The script to answer in: that of the message, or of the last one before that had any. */
static enum script
script_of_talk(const struct robot *r, const struct talk *talk)
{
	enum script script = script_of(talk->text, talk->n_text);

	for (int i = talk->n_history - 1; script == SCRIPT_NONE && i >= 0; i--)
		script = script_of(talk->history[i].question, talk->history[i].n_question);
	if (script == SCRIPT_NONE)
		script = r->env.language == CONF_EN ? SCRIPT_LATIN : SCRIPT_HAN;
	return script;
}

/* Which earlier question is to be come back to? Each one once, the oldest first; those that found
 * no rule have used one up. Returns its index, or -1. */
static int
remembered(struct rules *own, const struct talk *talk)
{
	int *waiting = mem_resize(NULL, (size_t)talk->n_history + 1, sizeof *waiting);
	int first = 0, n = 0, index;

	for (int i = 0; i < talk->n_history; i++) {
		struct found f;

		find_rule(own, talk->history[i].question, talk->history[i].n_question, &f);
		if (f.rule && has_phrase(&f.rule->remember, f.empty))
			waiting[n++] = i;
		else if (f.rule == NULL && first < n)
			first++;
		pattern_text_release(&f.text);
	}
	index = first < n ? waiting[first] : -1;
	free(waiting);
	return index;
}

static bool
say_remembered(struct rules *own, const struct talk *talk, enum script script, struct buf *out)
{
	int i = remembered(own, talk);
	const struct phrase *p;
	struct found f;

	if (i < 0)
		return false;
	find_rule(own, talk->history[i].question, talk->history[i].n_question, &f);
	p = next_phrase(&f.rule->remember, f.empty, script, true);
	if (p)
		say(own, talk, &f, p, out);
	pattern_text_release(&f.text);
	return p != NULL;
}

/* Append the answer. Returns false when there is none. */
static bool
answer(struct robot *r, const struct talk *talk, struct buf *out)
{
	struct rules *own = r->own;
	enum script script = script_of_talk(r, talk);
	const struct phrase *p = NULL;
	struct found f;
	bool said = false;

	find_rule(own, talk->text, talk->n_text, &f);
	if (f.rule)
		p = next_phrase(&f.rule->answers, f.empty, script, false);
	else if (say_remembered(own, talk, script, out))
		said = true;
	else
		p = next_phrase(&own->fallback, 0, script, false);
	if (p)
		say(own, talk, &f, p, out);
	pattern_text_release(&f.text);
	return said || p;
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
		p->script = script_of(p->s, p->n);
		for (size_t k = 0; k + 2 < p->n; k++)
			if (p->s[k] == '{' && p->s[k + 1] >= '1' && p->s[k + 1] <= '9' &&
			    p->s[k + 2] == '}')
				p->captures |= 1U << (p->s[k + 1] - '0');
	}
}

static void
make_rule(struct arena *a, const struct conf_rule *c, struct rule *r)
{
	r->priority = c->priority;
	r->n_patterns = c->patterns.n;
	r->patterns = arena_zalloc(a, (size_t)r->n_patterns * sizeof *r->patterns);
	for (int i = 0; i < r->n_patterns; i++)
		pattern_make(a, c->patterns.at[i], &r->patterns[i]);
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
	own->n_turned = c->n_reflect;
	own->turned = arena_zalloc(&own->arena, (size_t)c->n_reflect * sizeof *own->turned);
	for (int i = 0; i < c->n_reflect; i++) {
		pattern_part_make(&own->arena, c->reflect[i].from, &own->turned[i].from);
		own->turned[i].to = c->reflect[i].to;
	}
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
