/* pattern.h - patterns with stars, matched against a message in bounded time.
 * For:     the rule robot; what a pattern matches is in xiaotu-robot(5).     Callers:
 *          robot_rules.c.
 * Holds:   messages and patterns are folded alike: ASCII lower case, full width to half width,
 *          white space to one blank, none outside, no sentence marks at the end. Matching one
 *          pattern takes time in proportion to the message, whatever both hold.
 * Memory:  patterns live in the caller's arena; a text holds about nine times its length until
 *          released. */
#ifndef ROBOT_PATTERN_H
#define ROBOT_PATTERN_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_CAPTURES = 9, PATTERN_CLAUSES = 8 };

/* The folded bytes from..to. */
struct pattern_span {
	size_t from, to;
};

/* A folded message of n bytes. at[i] is where the character of byte i begins in the original, at[n]
 * where the last one ends. Borrows the original until released. */
struct pattern_text {
	const char *original;
	char *s;
	uint32_t *at;
	size_t n, all;   /* without and with the marks at the end */
	uint64_t *pairs; /* which pairs of bytes it holds: bit a << 8 | b */
	/* What patterns are matched against, in this order: its clauses (the last one holds all
	 * the rest), all of it without emoji and smileys around, all of it. */
	struct pattern_span readings[PATTERN_CLAUSES + 2];
	int n_readings;
};

struct pattern_part {
	char *s;
	size_t n;
};

struct pattern {
	struct pattern_part *parts; /* what stands between the stars; the outer ones may be empty */
	int n_parts;
	bool asks; /* it ended in "*?": a question mark must follow */
};

/* Fold n bytes of UTF-8 without NUL. */
void pattern_text_init(struct pattern_text *t, const char *s, size_t n);
void pattern_text_release(struct pattern_text *t);

/* All that the texts stand for: "ab" and "ac" for "a(b|c)". They live as long as the texts and the
 * arena. */
const char **pattern_choices(struct arena *a, const char *const *texts, int n_texts, int *n);

/* Cut a pattern (NUL-terminated, at most PATTERN_CAPTURES stars) at its stars; or fold one text as
 * a part. */
void pattern_make(struct arena *a, const char *s, struct pattern *p);
void pattern_part_make(struct arena *a, const char *s, struct pattern_part *part);

/* Does it match a clause of the text, or the whole? Then captures 0 to n_parts - 2 are what the
 * stars stand for, trimmed of blanks and marks, maybe empty. */
bool pattern_match(const struct pattern *p, const struct pattern_text *t,
    struct pattern_span captures[PATTERN_CAPTURES]);

/* Does the part stand at byte i? Is byte i (0 to n) not inside of an ASCII word? */
bool pattern_is_at(const struct pattern_text *t, size_t i, const struct pattern_part *part);
bool pattern_is_edge(const struct pattern_text *t, size_t i);

#endif
