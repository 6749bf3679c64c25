/* robot.h - a robot behind HTTP that always says the same, as late and in as many pieces as wanted.
 * For:     bench.c.     Callers: bench.c. */
#ifndef TESTS_BENCH_ROBOT_H
#define TESTS_BENCH_ROBOT_H

#include <stdint.h>

struct robot_ways {
	int64_t delay_ns; /* before the reply begins */
	int n_pieces;     /* 0: a Turing reply at once; else a stream of chat.completion.chunks */
	int64_t gap_ns;   /* between pieces */
};

/* Serve until killed. Prints "serves". */
void robot_run(int port, const struct robot_ways *ways);

#endif
