/* spread.h - a histogram of durations, from which percentiles are read.
 * For:     every latency the generator measures.     Callers: crowd.c, load.c.
 * Holds:   64 steps per power of two, so a value is off by 1.6 % at most; the largest is exact.
 * Memory:  embedded, without pointers: children keep theirs in shared memory. */
#ifndef TESTS_BENCH_SPREAD_H
#define TESTS_BENCH_SPREAD_H

#include <stdint.h>

enum { SPREAD_STEPS = 64, SPREAD_BUCKETS = SPREAD_STEPS * 40 };

struct spread {
	uint64_t n;
	int64_t most_ns;
	uint64_t count[SPREAD_BUCKETS];
};

/* A zeroed struct is empty. Negative durations count as 0. */
void spread_add(struct spread *s, int64_t took_ns);
void spread_merge(struct spread *s, const struct spread *other);
/* The duration that `part` (0 to 1) of all do not exceed, in nanoseconds; 0 when there are none. */
int64_t spread_at(const struct spread *s, double part);

#endif
