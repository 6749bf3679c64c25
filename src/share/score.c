/* score.c - see score.h. */
#include "share/score.h"

#include <stddef.h>
#include <sys/mman.h>

#define OWNER score_slot
const struct metric score_metrics[] = { SCORE_METRICS(METRIC_ROW){ .name = NULL } };
#undef OWNER

#define EVENT_ROW(member, family, label, help)                                                     \
	{ offsetof(struct score_events, member), #member, family, label, help },
const struct score_event score_events[] = { SCORE_EVENTS(EVENT_ROW){ .name = NULL } };

struct score *
score_new(void)
{
	void *map = mmap(
	    NULL, sizeof(struct score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

void
score_use(struct score *s, int slot)
{
	if (slot >= atomic_load(&s->n_used))
		atomic_store(&s->n_used, slot + 1);
}

void
score_reset_now(struct score *s, int slot)
{
	atomic_store(&s->slots[slot].chats, 0);
	atomic_store(&s->slots[slot].visitors, 0);
	atomic_store(&s->slots[slot].serving, 0);
	atomic_store(&s->slots[slot].beat_ms, 0);
}

int64_t
score_chats(const struct score *s)
{
	int64_t n = 0;

	for (int i = 0, n_used = atomic_load(&s->n_used); i < n_used; i++)
		n += atomic_load_explicit(&s->slots[i].chats, memory_order_relaxed) +
		     atomic_load_explicit(&s->slots[i].visitors, memory_order_relaxed);
	return n;
}

int64_t
score_sum(const struct score *s, const struct metric *m)
{
	int64_t n = 0;

	for (int i = 0; i < SCORE_SLOTS; i++)
		n += metric_number(m, &s->slots[i]);
	return n;
}

void
score_join(const struct score *s, const struct metric *m, struct histogram *h)
{
	for (int i = 0; i < SCORE_SLOTS; i++)
		histogram_join(h, metric_time(m, &s->slots[i]));
}
