/* test_clock.c - clocks that jump and clocks that overflow (FAULTS, rows G). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/clocks.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HOUR_S = 3600, YEAR_S = 365 * 24 * HOUR_S, IDLERS = 50, LATE_MS = 1500, EDGE_MS = 1500 };
enum { BREATH_MS = 800 };

/* A year that the log shows in a line written from now on. */
static void
expect_log_year(struct server *s, int64_t ahead_s)
{
	time_t then = time(NULL) + ahead_s;
	struct tm tm;
	char words[64];

	(void)gmtime_r(&then, &tm);
	strftime(words, sizeof words, "ts=%Y-%m-%dT%H: ev=reload", &tm);
	server_reload_ok(s);
	if (server_count_log(s, words) == 0) { /* the hour may just have changed */
		then -= HOUR_S / 2;
		(void)gmtime_r(&then, &tm);
		strftime(words, sizeof words, "ts=%Y-%m-%dT%H: ev=reload", &tm);
		ck_assert_int_ge(server_count_log(s, words), 1);
	}
}

/* It comes when it should, give or take what a busy machine takes. */
static void
expect_at(struct peer *p, const char *prefix, int64_t since_ms, int64_t after_ms)
{
	peer_expect_prefix(p, prefix);
	ck_assert_int_ge(lapse_now_ms() - since_ms, after_ms - 50);
	ck_assert_int_le(
	    lapse_now_ms() - since_ms, after_ms + LATE_MS * (oracle_is_sanitized() ? 3 : 1));
}

#define SHORT                                                                                      \
	PLAIN POOL(2) DOOR(9999) NO_RATE TURING_WITH(                                              \
	    KEY, "first_byte_timeout = \"1200ms\";") "timeouts = { idle = \"2s\"; message = "      \
						     "\"800ms\"; heartbeat = \"3s\"; };\n"

/* While each timeout runs: of the robot, of a message, of a silent chat, of the workers' hearts. */
static void
jump_under_way(int64_t ahead_s)
{
	struct server *s = server_new("%s", SHORT);
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	struct peer *asks, *drips, *silent;
	struct fakebot *b;
	int64_t began;

	clocks_wall(s);
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(server_pids(s, before), 2);
	b = scene_bot(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "stuck", .hold = true });
	asks = scene_chat(s);
	drips = scene_chat(s);
	silent = scene_chat(s);
	began = lapse_now_ms();
	peer_send(asks, "me::stuck\n");
	peer_send(drips, "me");
	fakebot_wait_requests(b, 1);
	clocks_wall_set(ahead_s);
	expect_at(drips, "BYE limit ", began, 800);
	expect_at(asks, "ERR robot-timeout ", began, 1200);
	expect_at(silent, "BYE idle ", began, 2000);
	expect_log_year(s, ahead_s);
	peer_send(asks, "me::hi\n");
	peer_expect(asks, "echo:hi\n");
	ck_assert_int_eq(server_pids(s, after), 2);
	ck_assert_int_eq(memcmp(before, after, 2 * sizeof *before), 0);
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	scene_end(s, b);
}

START_TEST(g1_wall_clock_set_back_an_hour_changes_no_timeout)
{
	jump_under_way(-HOUR_S);
}
END_TEST

START_TEST(g2_wall_clock_set_on_a_year_changes_no_timeout)
{
	jump_under_way(YEAR_S);
}
END_TEST

/* With the half hour of the default: nobody is told goodbye, everybody talks on. */
START_TEST(g2_wall_clock_set_on_a_year_ends_no_chat)
{
	struct server *s = server_new("%s", HELLO_SERVER);
	struct peer *idlers[IDLERS];

	clocks_wall(s);
	server_run(s);
	server_wait_ready(s);
	for (int i = 0; i < IDLERS; i++) {
		idlers[i] = scene_chat(s);
		if (i % 2)
			scene_hello(idlers[i], "me::hi");
	}
	clocks_wall_set(YEAR_S);
	expect_log_year(s, YEAR_S);
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < IDLERS; i++)
			scene_hello(idlers[i], "me::still here");
	clocks_wall_set(-YEAR_S);
	for (int i = 0; i < IDLERS; i++)
		scene_hello(idlers[i], "me::still here");
	ck_assert_int_eq(server_count_log(s, "ev=chat_close"), 0);
	scene_end(s, NULL);
}
END_TEST

static const int64_t edges_ms[] = { 1LL << 31, 1LL << 32 };

/* The number of milliseconds outgrows 31 and 32 bits while every timeout runs; the edge is crossed
 * a while after the start, which takes the less the faster the machine is. */
START_TEST(g3_monotonic_clock_beyond_31_and_32_bits_does_not_wrap)
{
	struct server *s = server_new("%s", SHORT);
	int64_t start_ms = lapse_now_ms(), began;
	struct peer *asks, *drips, *silent;
	struct fakebot *b;

	if (!clocks_monotonic(s, edges_ms[_i] - EDGE_MS)) {
		server_end(s);
		return;
	}
	server_run(s);
	server_wait_ready(s);
	b = scene_bot(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "stuck", .hold = true });
	asks = scene_chat(s);
	drips = scene_chat(s);
	silent = scene_chat(s);
	began = lapse_now_ms();
	printf("%d ms before the edge\n", (int)(EDGE_MS - (began - start_ms)));
	peer_send(asks, "me::stuck\n");
	peer_send(drips, "me");
	expect_at(drips, "BYE limit ", began, 800);
	expect_at(asks, "ERR robot-timeout ", began, 1200);
	expect_at(silent, "BYE idle ", began, 2000);
	ck_assert_int_gt(lapse_now_ms() - start_ms, EDGE_MS);
	began = lapse_now_ms();
	peer_send(asks, "me::hi\n");
	peer_expect(asks, "echo:hi\n");
	expect_at(asks, "BYE idle ", began, 2000);
	server_reload_ok(s);
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	scene_end(s, b);
}
END_TEST

/* A machine that held its breath: the reply came in time, though nobody could look; and so did what
 * the other says. */
START_TEST(what_came_while_the_worker_stood_still_came_in_time)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING_WITH(
	    KEY, "first_byte_timeout = \"300ms\";") "timeouts = { idle = \"500ms\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);
	int64_t by_ms;
	pid_t worker;

	ck_assert_int_eq(server_pids(s, &worker), 1);
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(p, "me::hi\n");
	fakebot_wait_requests(b, 1);
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	fakebot_release(b);
	peer_send(q, "me::hello\n");
	by_ms = lapse_now_ms() + BREATH_MS;
	while (lapse_now_ms() < by_ms || fakebot_sent_bytes(b) == 0)
		procfs_tick();
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	peer_expect(p, "echo:hi\n");
	peer_expect(q, "echo:hello\n");
	scene_end(s, b);
}
END_TEST

Suite *
clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = scene_case(suite, "clock");

	tcase_add_test(tc, g1_wall_clock_set_back_an_hour_changes_no_timeout);
	tcase_add_test(tc, g2_wall_clock_set_on_a_year_changes_no_timeout);
	tcase_add_test(tc, g2_wall_clock_set_on_a_year_ends_no_chat);
	tcase_add_loop_test(tc, g3_monotonic_clock_beyond_31_and_32_bits_does_not_wrap, 0, 2);
	tcase_add_test(tc, what_came_while_the_worker_stood_still_came_in_time);
	return suite;
}
