/* crowd.h - the connections of one process of the generator, and what it does with them.
 * For:     load.c, which splits the work among processes.     Callers: load.c.
 * Holds:   the time of a message runs from the moment it was MEANT to be sent, so that a server
 *          that stalls is charged for all who would have asked meanwhile. */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include "bench/peer.h"
#include "bench/spread.h"

enum order_kind {
	ORDER_OPEN,   /* until there are `n`, one each gap_ns */
	ORDER_TALK,   /* all, ping-pong: for length_ns, or `each` messages a peer */
	ORDER_RATE,   /* one message each gap_ns, for length_ns, whatever comes back */
	ORDER_WAVE,   /* one message each, begun within length_ns */
	ORDER_SERIAL, /* `n` messages, one after the other */
	ORDER_VISIT,  /* all: connect, be greeted, leave, again: for length_ns */
	ORDER_CLOSE
};

struct order {
	enum order_kind kind;
	int n, each;
	int64_t begin_ns, length_ns, gap_ns;
	int64_t limit_ns; /* how long to wait for what is still under way then */
};

/* What came of an order. In memory that parent and child share. */
struct outcome {
	int64_t n_answers, n_in_time; /* all; and those before begin + length */
	int64_t n_refusals, n_lost, n_open;
	int64_t last_ns; /* when the last answer came */
	struct spread took;
};

struct crowd;

/* `part` tells processes apart; for at most `most` peers. */
struct crowd *crowd_new(enum peer_speaks how, int port, unsigned part, int most);
void crowd_obey(struct crowd *c, const struct order *o, struct outcome *out);
void crowd_free(struct crowd *c);

#endif
