/* reflect.c - see reflect.h. A pair is compared in full only where its first byte stands. */
#include "robot/reflect.h"

#include <string.h>

/* Is there a blank and then a word at byte i? */
static bool
is_word_after(const struct pattern_text *t, struct pattern_span in, size_t i)
{
	return i + 1 < in.to && t->s[i] == ' ' && !strchr(",.;:!?-", t->s[i + 1]);
}

/* The longest pair whose `from` stands at byte i as a whole word, or NULL. */
static const struct turned *
turned_at(const struct reflect *r, const struct pattern_text *t, struct pattern_span in, size_t i)
{
	const struct turned *best = NULL;

	for (int k = 0; k < r->n; k++) {
		const struct turned *one = &r->at[k];

		if ((best == NULL || one->rank > best->rank) && in.to - i >= one->from.n &&
		    t->s[i] == one->from.s[0] && pattern_is_at(t, i, &one->from) &&
		    pattern_is_edge(t, i) && pattern_is_edge(t, i + one->from.n) &&
		    (!one->goes_on || is_word_after(t, in, i + one->from.n)))
			best = one;
	}
	return best;
}

int
reflect_say(
    const struct reflect *r, const struct pattern_text *t, struct pattern_span in, struct buf *out)
{
	for (size_t i = in.from; i < in.to;) {
		const struct turned *turned = turned_at(r, t, in, i);
		size_t end = i + 1;
		int bad;

		while (end < in.to && t->at[end] == t->at[i])
			end++;
		if (turned) {
			end = i + turned->from.n;
			bad = buf_add(out, turned->to, turned->n_to);
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

static void
make_turned(struct arena *a, const char *from, const char *to, struct turned *t)
{
	pattern_part_make(a, from, &t->from);
	t->to = to;
	t->n_to = strlen(to);
	t->goes_on = t->from.n > 2 && memcmp(t->from.s + t->from.n - 2, " *", 2) == 0;
	if (t->goes_on)
		t->from.n -= 2;
	t->rank = t->from.n * 2 + t->goes_on;
	if (t->goes_on && t->n_to >= 2 && strcmp(to + t->n_to - 2, " *") == 0)
		t->n_to -= 2;
}

void
reflect_make(struct arena *a, const struct conf_rules *c, struct reflect *out)
{
	int n = 0;

	for (int i = 0; i < c->n_reflect; i++) {
		int n_from;

		pattern_choices(a, &c->reflect[i].from, 1, &n_from);
		n += n_from;
	}
	out->n = 0;
	out->at = arena_zalloc(a, (size_t)n * sizeof *out->at);
	for (int i = 0; i < c->n_reflect; i++) {
		int n_from, n_to;
		const char **from = pattern_choices(a, &c->reflect[i].from, 1, &n_from);
		const char **to = pattern_choices(a, &c->reflect[i].to, 1, &n_to);

		for (int k = 0; k < n_from; k++)
			make_turned(a, from[k], to[k % n_to], &out->at[out->n++]);
	}
}
