/* score.h - the scoreboard: one slot of counters per worker in shared memory.
 * For:     limits over all workers, and the operator.     Callers: master/, worker/.
 * Holds:   a slot is written by its owner alone and read by anyone; one cache line apart. Counters
 *          of a slot stay when a new worker takes it, so sums only grow.
 * Memory:  one anonymous shared mapping, made before the first fork. */
#ifndef SHARE_SCORE_H
#define SHARE_SCORE_H

#include "share/metric.h"

#include <stdatomic.h>
#include <stdint.h>

enum { SCORE_SLOTS = 512 };

/* Of each worker; see metric.h. */
#define SCORE_METRICS(X)                                                                           \
	X(GAUGE, serving, "Workers that take new chats.")                                          \
	X(INNER, beat_ms, "last sign of life, monotonic ms")                                       \
	X(GAUGE, chats, "Chats open now.")                                                         \
	X(GAUGE, visitors, "Connections to web doors that are no chats.")                          \
	X(COUNTER, accepted, "Connections accepted.")                                              \
	X(COUNTER, refused, "Connections let go at the door: address, token, TLS or a limit.")     \
	X(COUNTER, requests, "HTTP requests answered.")                                            \
	X(COUNTER, messages, "Messages taken.")                                                    \
	X(COUNTER, answers, "Messages answered.")                                                  \
	X(COUNTER, failures, "Messages taken and answered with ERR.")                              \
	X(COUNTER, rejected, "Messages answered with ERR and not taken: rate, busy, no message.")  \
	X(COUNTER, tokens_in, "Tokens that robots read, as they tell.")                            \
	X(COUNTER, tokens_out, "Tokens that robots wrote, as they tell.")                          \
	X(COUNTER, moved_out, "Chats handed to another worker.")                                   \
	X(COUNTER, moved_in, "Chats taken from another worker.")                                   \
	X(COUNTER, moves_failed, "Chats that could not be moved and were told goodbye.")           \
	X(COUNTER, accept_failures, "Accepts that failed for want of descriptors or memory.")      \
	X(TIME, message_duration, "From a message taken to the end of its answer.")

struct score_slot {
	_Alignas(64) SCORE_METRICS(METRIC_MEMBER)
};

/* What happens to the server as a whole, counted by the master: member, family, label, help. Rows
 * of a family stand together and have one help. */
#define SCORE_EVENTS(X)                                                                            \
	X(reload_ok, "reloads", "result=\"ok\"", "Reloads of the configuration.")                  \
	X(reload_rejected, "reloads", "result=\"rejected\"", "Reloads of the configuration.")      \
	X(death_signal, "worker_deaths", "reason=\"signal\"", "Workers that ended unasked.")       \
	X(death_exit, "worker_deaths", "reason=\"exit\"", "Workers that ended unasked.")           \
	X(death_start, "worker_deaths", "reason=\"start\"", "Workers that ended unasked.")         \
	X(death_drain, "worker_deaths", "reason=\"drain\"", "Workers that ended unasked.")         \
	X(death_hang, "worker_deaths", "reason=\"hang\"", "Workers that ended unasked.")

struct score_events {
#define SCORE_EVENT(member, family, label, help) _Atomic int64_t member;
	SCORE_EVENTS(SCORE_EVENT)
#undef SCORE_EVENT
};

struct score {
	_Atomic uint64_t last_chat; /* the number given last: chats are numbered over all workers */
	_Atomic int64_t started_s;  /* by the wall clock */
	_Atomic int64_t workers_wanted;
	_Atomic int n_used;       /* slots that ever had an owner: the others need no look */
	_Atomic int sandbox_told; /* the log has said what workers may do */
	struct score_events events;
	struct score_slot slots[SCORE_SLOTS];
};

struct score_event {
	size_t place; /* offset in struct score_events */
	const char *name, *family, *label, *help;
};

/* The tables; they end with a row without a name. */
extern const struct metric score_metrics[];
extern const struct score_event score_events[];

/* NULL when there is no memory. */
struct score *score_new(void);
/* A worker begins in this slot (by the master, before it is forked). */
void score_use(struct score *s, int slot);
/* A slot gets a new owner: what counts "now" starts at 0. */
void score_reset_now(struct score *s, int slot);
/* Places taken over all slots: chats open, and visitors. */
int64_t score_chats(const struct score *s);
/* A number of the table over all slots; a duration over all slots, added to `h`. */
int64_t score_sum(const struct score *s, const struct metric *m);
void score_join(const struct score *s, const struct metric *m, struct histogram *h);

static inline void
score_add(_Atomic int64_t *counter, int64_t n)
{
	atomic_store_explicit(
	    counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
