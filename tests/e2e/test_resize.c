/* test_resize.c - the pool grows and shrinks, by file and by signal; chats are spread. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif

enum { CHATS = 40, SPREAD = 800, POOL_MS = 1000 * SLOWER };

/* How many chats each worker opened, by the log. Returns the number of workers with any. */
static int
count_by_worker(struct server *s, pid_t *pids, int *counts)
{
	char text[SERVER_LINE_BYTES];
	const char *at = server_read_log(s), *end;
	int n = 0, i;

	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		snprintf(text, sizeof text, "%.*s", (int)(end - at), at);
		if (strstr(text, "ev=chat_open") == NULL)
			continue;
		for (i = 0; i < n && pids[i] != server_log_number(text, "pid"); i++)
			continue;
		if (i == n) {
			ck_assert_int_lt(n, SERVER_WORKERS_MAX);
			pids[n] = (pid_t)server_log_number(text, "pid");
			counts[n++] = 0;
		}
		counts[i]++;
	}
	return n;
}

static void
open_chats(struct server *s, struct peer **peers, int n)
{
	for (int i = 0; i < n; i++) {
		peers[i] = scene_chat(s);
		scene_hello(peers[i], "me::hi");
	}
}

START_TEST(d13_grown_pool_serves_within_a_second_and_all_of_it)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t pids[SERVER_WORKERS_MAX];
	int counts[SERVER_WORKERS_MAX], served = 0;
	struct peer *p = scene_chat(s);

	server_config(s, PLAIN POOL(8) DOOR(9999) NO_RATE HELLO);
	server_hup(s);
	server_wait_workers(s, 8, POOL_MS);
	(void)server_wait_log(s, "ev=reload result=ok");
	for (int i = 0; i < 1000 && served < 8; i++) {
		scene_hello(scene_chat(s), "me::new");
		if (i % 50 == 49)
			served = count_by_worker(s, pids, counts);
	}
	ck_assert_int_eq(served, 8);
	scene_hello(p, "me::old");
	peer_close_all();
	server_config(s, HELLO_SERVER);
	server_reload_ok(s);
	server_wait_workers(s, 2, SERVER_MS);
	scene_end(s, NULL);
}
END_TEST

START_TEST(d14_shrunk_pool_loses_no_chat)
{
	struct server *s = server_start(PLAIN POOL(6) DOOR(9999) NO_RATE HELLO);
	struct peer *peers[CHATS];

	open_chats(s, peers, CHATS);
	server_config(s, HELLO_SERVER);
	server_reload_ok(s);
	server_wait_workers(s, 2, SERVER_MS);
	for (int i = 0; i < CHATS; i++)
		scene_hello(peers[i], "still here");
	scene_hello(scene_chat(s), "me::new");
	peer_close_all();
	server_wait_workers(s, 2, SERVER_MS);
	server_config(s, PLAIN POOL(6) DOOR(9999) NO_RATE HELLO);
	server_reload_ok(s);
	server_wait_workers(s, 6, SERVER_MS);
	scene_end(s, NULL);
}
END_TEST

START_TEST(d14_shrinking_waits_for_the_running_answer)
{
	struct server *s = server_start(PLAIN POOL(4) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *peers[12];

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	for (int i = 0; i < 12; i++) {
		peers[i] = scene_chat(s);
		peer_send(peers[i], "me::hi\n");
	}
	fakebot_wait_requests(b, 12);
	server_config(s, PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	server_reload_ok(s);
	fakebot_release(b);
	for (int i = 0; i < 12; i++)
		peer_expect(peers[i], "echo:hi\n");
	server_wait_workers(s, 1, SERVER_MS);
	peer_close_all();
	server_config(s, PLAIN POOL(4) DOOR(9999) NO_RATE TURING);
	server_reload_ok(s);
	server_wait_workers(s, 4, SERVER_MS);
	scene_end(s, b);
}
END_TEST

START_TEST(ttin_and_ttou_change_the_pool_by_one)
{
	struct server *s = server_start(HELLO_SERVER);

	server_signal(s, SIGTTIN);
	server_wait_workers(s, 3, SERVER_MS);
	server_signal(s, SIGTTIN);
	server_wait_workers(s, 4, SERVER_MS);
	scene_hello(scene_chat(s), "me::hi");
	server_signal(s, SIGTTOU);
	server_wait_workers(s, 3, SERVER_MS);
	server_signal(s, SIGTTOU);
	server_wait_workers(s, 2, SERVER_MS);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* One connect a millisecond, on a timer: that is the shape of the load, nothing waits for it. */
START_TEST(e15_connects_a_millisecond_apart_spread_over_the_workers)
{
	struct server *s = server_start(PLAIN POOL(4) DOOR(9999) HELLO
	    "limits = { messages_per_minute = 0; chats_per_address = 0; };\n");
	struct timespec next;
	struct peer *p = NULL;
	pid_t pids[SERVER_WORKERS_MAX];
	int counts[SERVER_WORKERS_MAX], n;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (int i = 0; i < SPREAD; i++) {
		p = peer_open(s->address, SERVER_PORT);
		next.tv_nsec += 1000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	peer_expect(p, GREETING);
	for (int64_t by_ms = lapse_now_ms() + SERVER_MS; lapse_now_ms() < by_ms;)
		if (server_count_log(s, "ev=chat_open") == SPREAD)
			break;
	n = count_by_worker(s, pids, counts);
	ck_assert_int_eq(n, 4);
	for (int i = 0; i < n; i++)
		if (counts[i] < SPREAD * 15 / 100 || counts[i] > SPREAD * 35 / 100)
			ck_abort_msg("chats by worker: %d %d %d %d", counts[0], counts[1],
			    counts[2], counts[3]);
	scene_end(s, NULL);
}
END_TEST

Suite *
resize_suite(void)
{
	Suite *suite = suite_create("resize");
	TCase *tc = scene_case(suite, "pool");

	tcase_add_test(tc, d13_grown_pool_serves_within_a_second_and_all_of_it);
	tcase_add_test(tc, d14_shrunk_pool_loses_no_chat);
	tcase_add_test(tc, d14_shrinking_waits_for_the_running_answer);
	tcase_add_test(tc, ttin_and_ttou_change_the_pool_by_one);
	tcase_add_test(tc, e15_connects_a_millisecond_apart_spread_over_the_workers);
	return suite;
}
