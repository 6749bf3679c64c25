/* test_stop.c - leaving and starting again (FAULTS, rows H). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHATS = 20, FAST_MS = 4000 };

static void
expect_goodbye(struct peer *p)
{
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
}

START_TEST(h1_term_finishes_the_answers_and_says_goodbye)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *busy[CHATS], *idle = scene_chat(s), *p;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	for (int i = 0; i < CHATS; i++) {
		busy[i] = scene_chat(s);
		peer_send(busy[i], "me::hi\n");
	}
	fakebot_wait_requests(b, CHATS);
	server_signal(s, SIGTERM);
	expect_goodbye(idle);
	while ((p = peer_try(s->address, SERVER_PORT)) != NULL)
		peer_close(p);
	fakebot_release(b);
	for (int i = 0; i < CHATS; i++) {
		peer_expect(busy[i], "echo:hi\n");
		expect_goodbye(busy[i]);
	}
	ck_assert_int_eq(server_wait_exit(s), 0);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

static const int leaving[] = { SIGTERM, SIGINT, SIGQUIT };

START_TEST(leaving_signal_says_goodbye_and_exits_0)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	server_signal(s, leaving[_i]);
	expect_goodbye(p);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_eq(server_count_log(s, "ev=stopped"), 1);
	peer_close_all();
	server_end(s);
}
END_TEST

START_TEST(drain_has_an_end)
{
	struct server *s = server_start(TURING_SERVER "timeouts = { drain = \"500ms\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	int64_t began;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(p, "me::hi\n");
	fakebot_wait_requests(b, 1);
	began = lapse_now_ms();
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_ge(lapse_now_ms() - began, 400);
	ck_assert_int_le(lapse_now_ms() - began, FAST_MS);
	peer_drop(p);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

START_TEST(h2_second_term_leaves_at_once)
{
	struct server *s = server_start(TURING_SERVER "timeouts = { drain = \"60s\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *idle = scene_chat(s);
	int64_t began;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(p, "me::hi\n");
	fakebot_wait_requests(b, 1);
	server_signal(s, SIGTERM);
	expect_goodbye(idle); /* so the first has been heard */
	began = lapse_now_ms();
	server_signal(s, SIGTERM);
	ck_assert_int_lt(server_wait_exit(s), 128);
	ck_assert_int_le(lapse_now_ms() - began, FAST_MS);
	peer_drop(p);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

/* Before the handlers stand, the signal itself ends it; afterwards it leaves in order. */
START_TEST(h2_term_at_the_start_leaves_nobody_behind)
{
	for (int i = 0; i < 10; i++) {
		struct server *s = server_new(HELLO_SERVER);
		struct timespec a_little = { .tv_nsec = i * 1000000L };
		int status;

		server_run(s);
		(void)nanosleep(&a_little, NULL); /* the moment to be tried, not a wait */
		server_signal(s, SIGTERM);
		status = server_wait_exit(s);
		if (status != 0 && status != 128 + SIGTERM)
			ck_abort_msg("TERM after %d ms: status %d", i, status);
		server_end(s);
	}
}
END_TEST

/* The server closes first, so the connections of the first life are in TIME_WAIT on its port. */
START_TEST(h3_restart_binds_at_once)
{
	struct server *s = server_start(HELLO_SERVER), *next;

	for (int i = 0; i < CHATS; i++)
		scene_hello(scene_chat(s), "me::hi");
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	next = server_start(HELLO_SERVER);
	scene_hello(scene_chat(next), "me::hi");
	scene_end(next, NULL);
	server_end(s);
}
END_TEST

START_TEST(h4_second_server_at_the_same_port_fails_and_leaves_the_first_alone)
{
	struct server *first = server_start(HELLO_SERVER "pid_file = \"$DIR/pid\";\n"), *second;
	struct peer *p = scene_chat(first);

	second = server_new(HELLO_SERVER "pid_file = \"%s/pid\";\n", first->folder);
	server_run(second);
	ck_assert_int_eq(server_wait_exit(second), 1);
	ck_assert_int_ge(
	    server_count_log(second, "EADDRINUSE 9999") + server_count_log(second, "pid"), 1);
	server_end(second);
	scene_hello(p, "me::hi");
	scene_exits(first, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "reload"));
	(void)server_wait_log(first, "ev=reload result=ok");
	scene_end(first, NULL);
}
END_TEST

START_TEST(h4_busy_port_is_named_at_the_start)
{
	struct server *first = server_start(HELLO_SERVER), *second = server_new(HELLO_SERVER);

	server_run(second);
	ck_assert_int_eq(server_wait_exit(second), 1);
	ck_assert_int_ge(server_count_log(second, "EADDRINUSE 9999"), 1);
	server_end(second);
	scene_hello(scene_chat(first), "me::hi");
	scene_end(first, NULL);
}
END_TEST

Suite *
stop_suite(void)
{
	Suite *suite = suite_create("stop");
	TCase *tc = scene_case(suite, "term");

	tcase_add_test(tc, h1_term_finishes_the_answers_and_says_goodbye);
	tcase_add_loop_test(tc, leaving_signal_says_goodbye_and_exits_0, 0, 3);
	tcase_add_test(tc, drain_has_an_end);
	tcase_add_test(tc, h2_second_term_leaves_at_once);
	tcase_add_test(tc, h2_term_at_the_start_leaves_nobody_behind);
	tc = scene_case(suite, "start");
	tcase_add_test(tc, h3_restart_binds_at_once);
	tcase_add_test(tc, h4_second_server_at_the_same_port_fails_and_leaves_the_first_alone);
	tcase_add_test(tc, h4_busy_port_is_named_at_the_start);
	return suite;
}
