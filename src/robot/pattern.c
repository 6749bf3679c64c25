/* pattern.c - see pattern.h.
 * `at` leads from each folded byte back to the original, so that captures keep their case. A
 * pattern is cut at its stars once. Every part is taken at the first place where it fits: whether
 * it fits there depends on the text alone, never on the parts before, so going back could not help.
 * Most patterns are turned down before that by a table of the pairs of bytes in the message.
 * A message is tried clause by clause, then as a whole, then with the emoji at its end. */
#include "robot/pattern.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 65536 };

/* What ends sentences, and blanks. */
#define MARKS " .,!?~"

/* --- folding --------------------------------------------------------------------------------- */

static bool
is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) ||
	       c == 0x202F || c == 0x3000;
}

/* The half-width, lower-case form. The full-width star stays, so that only `*` is one in patterns.
 */
static uint32_t
fold(uint32_t c)
{
	if (c >= 0xFF01 && c <= 0xFF5E && c != 0xFF0A)
		c -= 0xFEE0;
	if (c < 0x80)
		return (uint32_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	switch (c) {
	case 0x2018:
	case 0x2019:
		return '\'';
	case 0x201C:
	case 0x201D:
		return '"';
	case 0x2013:
	case 0x2014:
		return '-';
	case 0x2026:
	case 0x3002:
	case 0xFF61:
		return '.';
	case 0x301C:
		return '~';
	default:
		return c;
	}
}

/* Drop blanks and marks from the end, but not all there is: "???" is a message too. */
static size_t
without_end(const char *s, size_t n)
{
	size_t end;

	while (n > 0 && s[n - 1] == ' ')
		n--;
	for (end = n; end > 0 && strchr(MARKS, s[end - 1]);)
		end--;
	return end ? end : n;
}

/* Fold n bytes of UTF-8 into out, which has room for n bytes, and n + 1 places. */
static void
fold_text(const char *s, size_t n, struct pattern_text *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n;) {
		uint32_t code = 0, c;
		int len = text_char(s + i, n - i, &code);
		size_t step = len > 0 ? (size_t)len : 1;

		c = fold(code);
		if (is_blank(code)) {
			if (k > 0 && out->s[k - 1] != ' ') {
				out->at[k] = (uint32_t)i;
				out->s[k++] = ' ';
			}
		} else if (c < 0x80 && len > 0) {
			out->at[k] = (uint32_t)i;
			out->s[k++] = (char)c;
		} else {
			for (size_t b = 0; b < step; b++) {
				out->at[k] = (uint32_t)i;
				out->s[k++] = s[i + b];
			}
		}
		i += step;
	}
	out->original = s;
	out->at[k] = (uint32_t)n;
	out->all = k;
	out->n = without_end(out->s, k);
}

/* --- clauses --------------------------------------------------------------------------------- */

/* An emoji, dingbat or arrow, or what such are joined with? */
static bool
is_emoji(uint32_t c)
{
	return (c >= 0x1F000 && c <= 0x1FAFF) || (c >= 0x2190 && c <= 0x2BFF) || c == 0x200D ||
	       c == 0x20E3 || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0020 && c <= 0xE007F);
}

/* How many bytes at the end of from..to are one mark, smiley or emoji? */
static size_t
sign_before(const struct pattern_text *t, size_t from, size_t to)
{
	static const char *const smileys[] = { ":-)", ";-)", ":-(", "^_^", ":)", ";)", ":(", ":d",
		":p", "^^", "<3", NULL };
	uint32_t c = 0;
	size_t i = to;

	if (from == to)
		return 0;
	if (strchr(MARKS ";:", t->s[to - 1]))
		return 1;
	for (int k = 0; smileys[k]; k++) {
		size_t n = strlen(smileys[k]);

		if (to - from > n && memcmp(t->s + to - n, smileys[k], n) == 0)
			return n;
	}
	while (i > from && to - i < 4 && ((unsigned char)t->s[--i] & 0xC0) == 0x80)
		;
	return text_char(t->s + i, to - i, &c) == (int)(to - i) && is_emoji(c) ? to - i : 0;
}

/* How many bytes at the start of from..to are one mark or emoji? */
static size_t
sign_after(const struct pattern_text *t, size_t from, size_t to)
{
	uint32_t c = 0;
	int len;

	if (from < to && strchr(MARKS ";:", t->s[from]))
		return 1;
	len = from < to ? text_char(t->s + from, to - from, &c) : 0;
	return len > 0 && is_emoji(c) ? (size_t)len : 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does a clause end at byte i? Not at the marks of "3.5" and "1,000"; but the blank does that
 * stands for a comma between Chinese, and so does a new line. */
static bool
is_break(const struct pattern_text *t, size_t i)
{
	unsigned char original = (unsigned char)t->original[t->at[i]];
	char before = i ? t->s[i - 1] : ' ', after = i + 1 < t->n ? t->s[i + 1] : ' ';

	switch (t->s[i]) {
	case '!':
	case '?':
	case ';':
	case '~':
		return true;
	case ',':
		return !is_digit(before) || !is_digit(after);
	case '.':
		return original >= 0x80 || (after & 0x80) || strchr(" .!?", after);
	case ' ':
		return original == '\n' || ((before & 0x80) && (after & 0x80));
	default:
		return false;
	}
}

/* One more way to read the message, unless there is nothing in it or it is the last one again. */
static void
add_reading(struct pattern_text *t, size_t from, size_t to)
{
	struct pattern_span *last = t->n_readings ? &t->readings[t->n_readings - 1] : NULL;

	if (from < to && (last == NULL || last->from != from || last->to != to))
		t->readings[t->n_readings++] = (struct pattern_span){ from, to };
}

/* The same without marks and emoji around it. */
static void
add_bare(struct pattern_text *t, size_t from, size_t to)
{
	size_t n;

	while ((n = sign_before(t, from, to)) > 0)
		to -= n;
	while ((n = sign_after(t, from, to)) > 0)
		from += n;
	add_reading(t, from, to);
}

static void
add_readings(struct pattern_text *t)
{
	size_t from = 0;

	for (size_t i = 0; i < t->n && t->n_readings < PATTERN_CLAUSES - 1; i++) {
		if (is_break(t, i)) {
			add_bare(t, from, i);
			from = i + 1;
		}
	}
	add_bare(t, from, t->n);
	add_bare(t, 0, t->n);
	add_reading(t, 0, t->n);
}

/* Does a question mark follow byte i, before anything else but marks and emoji? */
static bool
is_asked(const struct pattern_text *t, size_t i)
{
	size_t n;

	for (; i < t->all; i += n) {
		n = sign_after(t, i, t->all);
		if (n == 0 || t->s[i] == '?')
			return n > 0;
	}
	return false;
}

/* --- matching -------------------------------------------------------------------------------- */

/* In ASCII, whatever the locale. */
static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Is byte i part of an ASCII word? So is the apostrophe of "don't". */
static bool
is_word(const struct pattern_text *t, size_t i)
{
	if (i >= t->n)
		return false;
	if (t->s[i] == '\'')
		return i > 0 && i + 1 < t->n && is_alnum(t->s[i - 1]) && is_alnum(t->s[i + 1]);
	return is_alnum(t->s[i]);
}

bool
pattern_is_edge(const struct pattern_text *t, size_t i)
{
	return i == 0 || !is_word(t, i - 1) || !is_word(t, i);
}

static unsigned
pair_at(const char *s)
{
	return (unsigned)((unsigned char)s[0] << 8 | (unsigned char)s[1]);
}

void
pattern_text_init(struct pattern_text *t, const char *s, size_t n)
{
	t->s = mem_zalloc(n);
	t->at = mem_resize(NULL, n + 1, sizeof *t->at);
	t->pairs = mem_zalloc(PAIRS / 8);
	fold_text(s, n, t);
	for (size_t i = 0; i + 1 < t->n; i++)
		t->pairs[pair_at(t->s + i) / 64] |= (uint64_t)1 << pair_at(t->s + i) % 64;
	t->n_readings = 0;
	add_readings(t);
}

void
pattern_text_release(struct pattern_text *t)
{
	free(t->s);
	free(t->at);
	free(t->pairs);
}

/* Can the part stand anywhere in the text? */
static bool
has_pairs(const struct pattern_text *t, const struct pattern_part *part)
{
	for (size_t i = 0; i + 1 < part->n; i++)
		if (!(t->pairs[pair_at(part->s + i) / 64] >> pair_at(part->s + i) % 64 & 1))
			return false;
	return true;
}

/* Where the part first stands in from..to of the text, on edges. Returns false when nowhere. */
static bool
find_part(const struct pattern_text *t, const struct pattern_part *part, struct pattern_span in,
    size_t *place)
{
	for (size_t i = in.from; in.to - i >= part->n; i++) {
		const char *s = memmem(t->s + i, in.to - i, part->s, part->n);

		if (s == NULL)
			return false;
		i = (size_t)(s - t->s);
		if (pattern_is_edge(t, i) && pattern_is_edge(t, i + part->n)) {
			*place = i;
			return true;
		}
	}
	return false;
}

bool
pattern_is_at(const struct pattern_text *t, size_t i, const struct pattern_part *part)
{
	return t->n - i >= part->n && memcmp(t->s + i, part->s, part->n) == 0;
}

/* Drop blanks and marks around a capture. */
static struct pattern_span
trim(const struct pattern_text *t, struct pattern_span s)
{
	while (s.from < s.to && strchr(" .,;:!?~", t->s[s.from]))
		s.from++;
	while (s.from < s.to && strchr(" .,;:!?~", t->s[s.to - 1]))
		s.to--;
	return s;
}

static bool
match_reading(const struct pattern *p, const struct pattern_text *t, struct pattern_span in,
    struct pattern_span captures[PATTERN_CAPTURES])
{
	const struct pattern_part *first = &p->parts[0], *last = &p->parts[p->n_parts - 1];
	struct pattern_span rest = { in.from + first->n, in.to - last->n };

	if (p->asks && !is_asked(t, in.to))
		return false;
	if (p->n_parts == 1)
		return in.to - in.from == first->n && pattern_is_at(t, in.from, first);
	if (in.to - in.from < first->n + last->n || !pattern_is_at(t, in.from, first) ||
	    !pattern_is_at(t, rest.to, last) || !pattern_is_edge(t, rest.from) ||
	    !pattern_is_edge(t, rest.to))
		return false;
	for (int i = 1; i < p->n_parts - 1; i++) {
		size_t place;

		if (!find_part(t, &p->parts[i], rest, &place))
			return false;
		captures[i - 1] = trim(t, (struct pattern_span){ rest.from, place });
		rest.from = place + p->parts[i].n;
	}
	captures[p->n_parts - 2] = trim(t, rest);
	return true;
}

bool
pattern_match(const struct pattern *p, const struct pattern_text *t,
    struct pattern_span captures[PATTERN_CAPTURES])
{
	for (int i = 0; i < p->n_parts; i++)
		if (!has_pairs(t, &p->parts[i]))
			return false;
	for (int i = 0; i < t->n_readings; i++)
		if (match_reading(p, t, t->readings[i], captures))
			return true;
	return false;
}

/* --- making ---------------------------------------------------------------------------------- */

void
pattern_part_make(struct arena *a, const char *s, struct pattern_part *part)
{
	size_t n = strlen(s);
	struct pattern_text t = { .s = arena_zalloc(a, n + 1) };

	t.at = mem_resize(NULL, n + 1, sizeof *t.at);
	fold_text(s, n, &t);
	free(t.at);
	*part = (struct pattern_part){ t.s, t.n };
}

void
pattern_make(struct arena *a, const char *s, struct pattern *p)
{
	struct pattern_part whole;
	char *from, *end;

	pattern_part_make(a, s, &whole);
	from = whole.s;
	end = whole.s + whole.n;
	p->asks = whole.n > 0 && end[-1] == '*' && *end == '?';
	p->n_parts = 1;
	for (size_t i = 0; i < whole.n; i++)
		p->n_parts += whole.s[i] == '*';
	assert(p->n_parts <= PATTERN_CAPTURES + 1);
	p->parts = arena_zalloc(a, (size_t)p->n_parts * sizeof *p->parts);
	for (int i = 0; i < p->n_parts; i++) {
		char *star = memchr(from, '*', (size_t)(end - from));

		p->parts[i] = (struct pattern_part){ from, (size_t)((star ? star : end) - from) };
		from = star ? star + 1 : end;
	}
}

/* The first "(a|b)" of s, and its length; NULL when there is none. */
static const char *
find_choice(const char *s, size_t *n)
{
	for (; (s = strchr(s, '(')) != NULL; s++) {
		size_t end = strcspn(s + 1, "()") + 1;

		if (s[end] == ')' && memchr(s, '|', end)) {
			*n = end + 1;
			return s;
		}
	}
	return NULL;
}

/* The texts that s stands for. Returns how many; with out NULL they are only counted. */
static int
choices_of(struct arena *a, const char *s, const char **out)
{
	size_t n_choice, n;
	const char *choice = find_choice(s, &n_choice);
	int n_made = 0;

	if (choice == NULL) {
		if (out)
			*out = s;
		return 1;
	}
	for (const char *from = choice + 1; from < choice + n_choice; from += n + 1) {
		size_t size = strlen(s) + 1;
		char *text = arena_zalloc(a, size);

		n = strcspn(from, "|)");
		snprintf(text, size, "%.*s%.*s%s", (int)(choice - s), s, (int)n, from,
		    choice + n_choice);
		n_made += choices_of(a, text, out ? out + n_made : NULL);
	}
	return n_made;
}

const char **
pattern_choices(struct arena *a, const char *const *texts, int n_texts, int *n)
{
	const char **all;

	*n = 0;
	for (int i = 0; i < n_texts; i++)
		*n += choices_of(a, texts[i], NULL);
	all = arena_zalloc(a, (size_t)*n * sizeof *all);
	for (int i = 0, k = 0; i < n_texts; i++)
		k += choices_of(a, texts[i], all + k);
	return all;
}
