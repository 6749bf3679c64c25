/* pattern.c - see pattern.h.
 * `at` leads from each folded byte back to the original, so that captures keep their case. A
 * pattern is cut at its stars once. Every part is taken at the first place where it fits: whether
 * it fits there depends on the text alone, never on the parts before, so going back could not help.
 * Most patterns are turned down before that by a table of the pairs of bytes in the message. */
#include "robot/pattern.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 65536 };

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
	case 0x3001:
		return ',';
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
	for (end = n; end > 0 && strchr(" .,!?~", s[end - 1]);)
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
	out->n = without_end(out->s, k);
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

bool
pattern_match(const struct pattern *p, const struct pattern_text *t,
    struct pattern_span captures[PATTERN_CAPTURES])
{
	const struct pattern_part *first = &p->parts[0], *last = &p->parts[p->n_parts - 1];
	struct pattern_span rest = { first->n, t->n - last->n };

	if (p->n_parts == 1)
		return t->n == first->n && pattern_is_at(t, 0, first);
	if (t->n < first->n + last->n || !pattern_is_at(t, 0, first) ||
	    !pattern_is_at(t, rest.to, last) || !pattern_is_edge(t, rest.from) ||
	    !pattern_is_edge(t, rest.to))
		return false;
	for (int i = 1; i < p->n_parts - 1; i++)
		if (!has_pairs(t, &p->parts[i]))
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
