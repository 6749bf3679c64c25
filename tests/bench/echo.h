/* echo.h - the least a server can do: read, write. The yardstick for the doors.
 * For:     bench.c.     Callers: bench.c. */
#ifndef TESTS_BENCH_ECHO_H
#define TESTS_BENCH_ECHO_H

/* Serve with n processes that share one listener, until killed. Prints "serves". */
void echo_run(int port, int n_processes);

#endif
