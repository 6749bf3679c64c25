/* tool.h - what all parts of the bench need: a clock, an end, sockets.
 * For:     bench.     Callers: tests/bench. */
#ifndef TESTS_BENCH_TOOL_H
#define TESTS_BENCH_TOOL_H

#include <stdint.h>

#define SECOND_NS INT64_C(1000000000)

/* Monotonic; the same in all processes. */
int64_t tool_now_ns(void);
/* Say what failed, with errno, and exit with 1. */
_Noreturn void tool_die(const char *what);
/* As many descriptors as we may have. Returns how many. */
int tool_raise_limit(void);
/* A listening socket on 127.0.0.1, or the end. Non-blocking. */
int tool_listen(int port);
/* Begin to connect to 127.0.0.1, from 127.0.part.x, so that there are ports for everybody.
 * Returns the descriptor, non-blocking, or -1 with errno. */
int tool_connect(int port, unsigned part, unsigned x);
/* Exit when the parent is gone, however it went. */
void tool_die_with_parent(void);

#endif
