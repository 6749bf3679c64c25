/* histogram.h - how long things take, in buckets of 1-2-5 from 100 us to 500 s.
 * For:     latencies in shared memory.     Callers: share/, worker/, robot/, master/.
 * Holds:   atomics without locks: any number of writers, and a reader who sees each bucket whole
 *          but not all of them at the same moment. A zeroed struct is empty.
 * Memory:  embedded. */
#ifndef SHARE_HISTOGRAM_H
#define SHARE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 22 };

struct histogram {
	_Atomic int64_t
	    n[HISTOGRAM_BUCKETS]; /* each for itself; the last is for all that is longer */
	_Atomic int64_t sum_us;
};

/* Greatest value of each bucket but the last. */
extern const int64_t histogram_bounds_us[HISTOGRAM_BUCKETS - 1];

void histogram_add(struct histogram *h, int64_t us);
/* Add all of `more` to `h`. */
void histogram_join(struct histogram *h, const struct histogram *more);
void histogram_clear(struct histogram *h);
int64_t histogram_count(const struct histogram *h);
/* The value that `percent` of all do not pass, as near as the buckets tell; 0 when it is empty. */
int64_t histogram_percentile_us(const struct histogram *h, int percent);

#endif
