/* bench.c - the load of `make bench`, and what it is measured against.
 *   bench load chat|http|echo PORT MOST CHILDREN   connections that obey standard input: see load.c
 *   bench echo PORT PROCESSES                      an echo server
 *   bench robot PORT DELAY_MS PIECES GAP_US        a robot; PIECES 0: Turing, else a stream
 *   bench first PORT ROBOT N                       N streams; microseconds to the first piece */
#include "bench/echo.h"
#include "bench/first.h"
#include "bench/load.h"
#include "bench/robot.h"
#include "bench/tool.h"

#include "base/text.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void
die_usage(void)
{
	fprintf(stderr, "usage: bench load chat|http|echo PORT MOST CHILDREN\n"
			"       bench echo PORT PROCESSES\n"
			"       bench robot PORT DELAY_MS PIECES GAP_US\n"
			"       bench first PORT ROBOT_PORT N\n");
	exit(2);
}

static int
number(const char *text)
{
	int64_t value;

	if (text_to_int(text, &value) || value < 0 || value > INT32_MAX)
		die_usage();
	return (int)value;
}

static enum peer_speaks
speaks(const char *word)
{
	if (strcmp(word, "chat") == 0)
		return PEER_CHAT;
	if (strcmp(word, "http") == 0)
		return PEER_HTTP;
	if (strcmp(word, "echo") == 0)
		return PEER_ECHO;
	die_usage();
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	tool_die_with_parent();
	if (argc == 6 && strcmp(what, "load") == 0) {
		load_run(speaks(argv[2]), number(argv[3]), number(argv[4]), number(argv[5]));
	} else if (argc == 4 && strcmp(what, "echo") == 0) {
		echo_run(number(argv[2]), number(argv[3]));
	} else if (argc == 6 && strcmp(what, "robot") == 0) {
		struct robot_ways ways = { .delay_ns = number(argv[3]) * INT64_C(1000000),
			.n_pieces = number(argv[4]),
			.gap_ns = number(argv[5]) * INT64_C(1000) };

		robot_run(number(argv[2]), &ways);
	} else if (argc == 5 && strcmp(what, "first") == 0) {
		first_measure(
		    ev_loop_new(EVFLAG_AUTO), number(argv[2]), number(argv[3]), number(argv[4]));
	} else {
		die_usage();
	}
	return 0;
}
