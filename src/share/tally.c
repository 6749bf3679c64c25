/* tally.c - see tally.h. Each slot is a set-associative table: a key has WAYS places, no more, so
 * that readers of other slots need no lock and look at WAYS entries. */
#include "share/tally.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKETS = 1024, WAYS = 8 };

struct entry {
	_Atomic uint64_t key;
	_Atomic int64_t n;
};

struct bucket {
	struct entry ways[WAYS];
};

struct tally {
	_Atomic int n_used; /* slots that ever counted anything: the others need no look */
	_Alignas(4096) struct bucket buckets[]; /* BUCKETS of each slot, on pages of their own */
};

struct tally *
tally_new(int n_slots)
{
	size_t size = sizeof(struct tally) + (size_t)n_slots * BUCKETS * sizeof(struct bucket);
	struct tally *t = mmap(
	    NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (t == MAP_FAILED)
		return NULL;
	return t;
}

static struct bucket *
bucket_of(struct tally *t, int slot, uint64_t key)
{
	uint64_t hash = key * 0x9E3779B97F4A7C15ULL;

	return &t->buckets[(size_t)slot * BUCKETS + (hash >> 54)];
}

void
tally_reset(struct tally *t, int slot)
{
	size_t size = BUCKETS * sizeof(struct bucket);

	/* Untouched pages stay untouched: those of a shared mapping are zero again after REMOVE. */
	(void)madvise(&t->buckets[(size_t)slot * BUCKETS], size, MADV_REMOVE);
}

uint64_t
tally_key(const struct sock_addr *a)
{
	uint64_t key = 0;

	if (a->u.any.sa_family == AF_INET)
		return 1ULL << 63 | ntohl(a->u.in.sin_addr.s_addr);
	if (a->u.any.sa_family == AF_INET6)
		memcpy(&key, &a->u.in6.sin6_addr, sizeof key);
	return a->u.any.sa_family == AF_INET6 && key == 0 ? 1 : key;
}

/* Several workers may raise it at once. */
static void
note_use(struct tally *t, int slot)
{
	int n_used = atomic_load_explicit(&t->n_used, memory_order_relaxed);

	while (slot >= n_used && !atomic_compare_exchange_weak(&t->n_used, &n_used, slot + 1))
		continue;
}

int64_t
tally_count(struct tally *t, uint64_t key)
{
	int64_t n = 0;

	for (int slot = 0, n_used = atomic_load(&t->n_used); slot < n_used; slot++) {
		const struct bucket *b = bucket_of(t, slot, key);

		for (int i = 0; i < WAYS; i++)
			if (atomic_load_explicit(&b->ways[i].key, memory_order_relaxed) == key)
				n += atomic_load_explicit(&b->ways[i].n, memory_order_relaxed);
	}
	return n;
}

int
tally_add(struct tally *t, int slot, uint64_t key, int n)
{
	struct bucket *b = bucket_of(t, slot, key);
	struct entry *found = NULL;

	for (int i = 0; i < WAYS && !(found && atomic_load(&found->key) == key); i++) {
		struct entry *e = &b->ways[i];

		if (atomic_load(&e->key) == key || (!found && atomic_load(&e->n) == 0))
			found = e;
	}
	if (found == NULL)
		return 0;
	note_use(t, slot);
	atomic_store(&found->key, key);
	atomic_store(&found->n, atomic_load(&found->n) + n);
	return 1;
}
