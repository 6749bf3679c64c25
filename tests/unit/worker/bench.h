/* bench.h - a worker without a process of its own, and chats in it.
 * For:     unit tests of worker/.     Callers: tests/unit/worker.
 * Holds:   loop, settings, store and scoreboard are real; there are no doors and no master.
 * Memory:  bench_open() gives, bench_close() frees it and every chat in it. */
#ifndef UNIT_WORKER_BENCH_H
#define UNIT_WORKER_BENCH_H

#include "worker/conn.h"

struct bench {
	struct boot boot;
	struct worker w;
};

/* A worker with the robots `hello` and `second`, chats go through `pair` (NULL: nowhere). */
struct bench *bench_open(const int pair[2]);
void bench_close(struct bench *b);

/* A chat on one end of a socket pair, the other end is *peer. */
struct conn *bench_chat(struct bench *b, int *peer);
/* Let everything happen that can happen now. */
void bench_turn(struct bench *b);

#endif
