/* score.h - the scoreboard: one slot of counters per worker in shared memory.
 * For:     limits over all workers, and the operator.     Callers: master/, worker/.
 * Holds:   a slot is written by its owner alone and read by anyone; one cache line apart.
 * Memory:  one anonymous shared mapping, made before the first fork. */
#ifndef SHARE_SCORE_H
#define SHARE_SCORE_H

#include <stdatomic.h>
#include <stdint.h>

enum { SCORE_SLOTS = 512 };

#define SCORE_COUNTERS(X)                                                                          \
	X(serving, "1: takes new chats")                                                           \
	X(beat_ms, "last sign of life, monotonic ms")                                              \
	X(chats, "chats open now")                                                                 \
	X(accepted, "connections accepted")                                                        \
	X(messages, "messages taken")                                                              \
	X(answers, "messages answered")                                                            \
	X(failures, "messages answered with ERR")                                                  \
	X(tokens_in, "tokens that robots read, as they tell")                                      \
	X(tokens_out, "tokens that robots wrote, as they tell")                                    \
	X(moved_out, "chats handed to another worker")                                             \
	X(moved_in, "chats taken from another worker")                                             \
	X(moves_failed, "chats that could not be moved and were told goodbye")                     \
	X(accept_failures, "accepts that failed for want of descriptors or memory")

struct score_slot {
#define SCORE_MEMBER(name, help) _Atomic int64_t name;
	_Alignas(64) SCORE_COUNTERS(SCORE_MEMBER)
#undef SCORE_MEMBER
};

struct score {
	_Atomic uint64_t last_chat; /* the number given last: chats are numbered over all workers */
	struct score_slot slots[SCORE_SLOTS];
};

/* NULL when there is no memory. */
struct score *score_new(void);
/* A slot gets a new owner: what counts "now" starts at 0. */
void score_reset_now(struct score *s, int slot);
/* Chats open over all slots. */
int64_t score_chats(const struct score *s);

static inline void
score_add(_Atomic int64_t *counter, int64_t n)
{
	atomic_store_explicit(
	    counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
