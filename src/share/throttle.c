/* throttle.c - see throttle.h. Times are microseconds, so that a limit of many thousands has an
 * interval, too. */
#include "share/throttle.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum { BUCKETS = 8192, WAYS = 8, MINUTE_US = 60000000 };

struct cell {
	_Atomic uint64_t key;
	_Atomic int64_t whole_us; /* the allowance is whole at that time */
};

struct throttle {
	struct cell cells[BUCKETS][WAYS];
};

struct throttle *
throttle_new(void)
{
	struct throttle *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return t == MAP_FAILED ? NULL : t;
}

/* The cell of the key; or one whose key has nothing to be remembered, taken over. NULL: none. */
static struct cell *
cell_of(struct throttle *t, uint64_t key, int64_t now_us)
{
	struct cell *bucket = t->cells[(key * 0x9E3779B97F4A7C15ULL) >> 51];

	for (int i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&bucket[i].key, memory_order_relaxed) == key)
			return &bucket[i];
	for (int i = 0; i < WAYS; i++) {
		uint64_t old = atomic_load_explicit(&bucket[i].key, memory_order_relaxed);

		if (atomic_load_explicit(&bucket[i].whole_us, memory_order_relaxed) <= now_us &&
		    atomic_compare_exchange_strong(&bucket[i].key, &old, key))
			return &bucket[i];
	}
	return NULL;
}

int64_t
throttle_take(struct throttle *t, uint64_t key, int64_t most, int64_t now_ms)
{
	int64_t now_us = now_ms * 1000, each_us = MINUTE_US / most, late_us;
	struct cell *c = cell_of(t, key, now_us);
	int64_t whole_us, next_us;

	if (c == NULL)
		return 0;
	whole_us = atomic_load(&c->whole_us);
	do {
		next_us = (whole_us > now_us ? whole_us : now_us) + each_us;
		late_us = next_us - now_us - most * each_us;
		if (late_us > 0)
			return (late_us + 999) / 1000;
	} while (!atomic_compare_exchange_weak(&c->whole_us, &whole_us, next_us));
	return 0;
}
