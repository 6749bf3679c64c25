/* load.h - the generator: processes full of connections, told what to do over standard input.
 * For:     the Python beside it.     Callers: bench.c.
 * Holds:   as many processes as descriptors need; they begin an order at the same moment. */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "bench/peer.h"

/* Obey the lines of standard input, each answered with one JSON object on standard output, until
 * it ends: see the table in load.c. At most `most` connections, from at least n_children. */
void load_run(enum peer_speaks how, int port, int most, int n_children);

#endif
