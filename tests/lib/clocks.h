/* clocks.h - a server whose clocks are not ours (FAULTS, rows G).
 * For:     clocks that jump, and clocks that are about to overflow.     Callers: tests/e2e.
 * Holds:   only the server under test and its children see these clocks.
 * Memory:  ends with the test's process; the file is in the server's folder. */
#ifndef TESTS_LIB_CLOCKS_H
#define TESTS_LIB_CLOCKS_H

#include "lib/server.h"

/* Before it runs: its wall clock can be set. */
void clocks_wall(struct server *s);
/* Its wall clock is so many seconds ahead of ours. */
void clocks_wall_set(int64_t ahead_s);

/* Before it runs: its monotonic clock shows `at_ms`, now. Returns false, having said why, when the
 * system lets us have no time namespace. */
bool clocks_monotonic(struct server *s, int64_t at_ms);

#endif
