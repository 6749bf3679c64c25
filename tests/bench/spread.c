/* spread.c - see spread.h. */
#include "bench/spread.h"

#include <stddef.h>

enum { STEP_BITS = 6 };

/* Below 128 ns a bucket is one ns wide, then 64 to every power of two. */
static size_t
bucket_of(uint64_t ns)
{
	int shift = ns < 2 * SPREAD_STEPS ? 0 : 63 - __builtin_clzll(ns) - STEP_BITS;
	size_t at = (size_t)shift * SPREAD_STEPS + (size_t)(ns >> shift);

	return at < SPREAD_BUCKETS ? at : SPREAD_BUCKETS - 1;
}

/* The middle of a bucket. */
static int64_t
value_of(size_t bucket)
{
	size_t shift = bucket < 2 * SPREAD_STEPS ? 0 : bucket / SPREAD_STEPS - 1;
	int64_t low = (int64_t)(bucket - shift * SPREAD_STEPS) << shift;

	return low + ((int64_t)1 << shift) / 2;
}

void
spread_add(struct spread *s, int64_t took_ns)
{
	if (took_ns < 0)
		took_ns = 0;
	s->n++;
	s->count[bucket_of((uint64_t)took_ns)]++;
	if (took_ns > s->most_ns)
		s->most_ns = took_ns;
}

void
spread_merge(struct spread *s, const struct spread *other)
{
	s->n += other->n;
	if (other->most_ns > s->most_ns)
		s->most_ns = other->most_ns;
	for (size_t i = 0; i < SPREAD_BUCKETS; i++)
		s->count[i] += other->count[i];
}

int64_t
spread_at(const struct spread *s, double part)
{
	uint64_t wanted = (uint64_t)(part * (double)s->n), seen = 0;

	if (s->n == 0)
		return 0;
	for (size_t i = 0; i < SPREAD_BUCKETS; i++) {
		seen += s->count[i];
		if (seen > wanted)
			return value_of(i) < s->most_ns ? value_of(i) : s->most_ns;
	}
	return s->most_ns;
}
