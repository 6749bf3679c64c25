/* histogram.c - see histogram.h. */
#include "share/histogram.h"

/* clang-format off */
const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS - 1] = {
	100, 200, 500,
	1000, 2000, 5000,
	10000, 20000, 50000,
	100000, 200000, 500000,
	1000000, 2000000, 5000000,
	10000000, 20000000, 50000000,
	100000000, 200000000, 500000000,
};
/* clang-format on */

static void
add(_Atomic int64_t *counter, int64_t n)
{
	(void)atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static int64_t
get(const _Atomic int64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
histogram_add(struct histogram *h, int64_t us)
{
	int i = 0;

	us = us < 0 ? 0 : us;
	while (i < HISTOGRAM_BUCKETS - 1 && us > histogram_bounds_us[i])
		i++;
	add(&h->n[i], 1);
	add(&h->sum_us, us);
}

void
histogram_join(struct histogram *h, const struct histogram *more)
{
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		add(&h->n[i], get(&more->n[i]));
	add(&h->sum_us, get(&more->sum_us));
}

void
histogram_clear(struct histogram *h)
{
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		atomic_store_explicit(&h->n[i], 0, memory_order_relaxed);
	atomic_store_explicit(&h->sum_us, 0, memory_order_relaxed);
}

int64_t
histogram_count(const struct histogram *h)
{
	int64_t n = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += get(&h->n[i]);
	return n;
}

/* Within a bucket the values are taken to lie evenly. */
int64_t
histogram_percentile_us(const struct histogram *h, int percent)
{
	double rank = (double)histogram_count(h) * percent / 100.0, below = 0.0;
	int64_t from = 0;

	if (rank == 0.0)
		return 0;
	for (int i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		double here = (double)get(&h->n[i]);
		int64_t to = histogram_bounds_us[i];

		if (here > 0.0 && below + here >= rank)
			return from + (int64_t)((double)(to - from) * (rank - below) / here);
		below += here;
		from = to;
	}
	return from; /* at least that */
}
