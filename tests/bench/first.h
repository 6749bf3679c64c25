/* first.h - how long the first piece of a stream takes through xiaotud.
 * For:     bench.c.     Memory: none kept. */
#ifndef TESTS_BENCH_FIRST_H
#define TESTS_BENCH_FIRST_H

#include <ev.h>

/* Be a model server on robot_port, and a chat at xiaotud's port; ask `rounds` questions, one after
 * the other. Prints "MEDIAN P99", in microseconds from sending the first piece to hearing it. */
void first_measure(struct ev_loop *loop, int port, int robot_port, int rounds);

#endif
