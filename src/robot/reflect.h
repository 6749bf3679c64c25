/* reflect.h - pronouns turned in what is put back: 我 -> 你, my -> your.
 * For:     the rule robot; which pair is taken is in xiaotu-robot(5).     Callers: robot_rules.c.
 * Memory:  the pairs live in the caller's arena and borrow the texts of the configuration. */
#ifndef ROBOT_REFLECT_H
#define ROBOT_REFLECT_H

#include "base/buf.h"
#include "conf/conf.h"
#include "robot/pattern.h"

struct turned {
	struct pattern_part from;
	const char *to;
	size_t n_to;
	bool goes_on; /* only where another word follows: both ended in " *" */
	size_t rank;  /* of those that fit, the greatest is taken: the longest */
};

struct reflect {
	struct turned *at;
	int n;
};

void reflect_make(struct arena *a, const struct conf_rules *c, struct reflect *out);

/* Append the capture as it was written, with its pronouns turned, each once. Returns 0, or -1 when
 * out is full. */
int reflect_say(
    const struct reflect *r, const struct pattern_text *t, struct pattern_span in, struct buf *out);

#endif
