/* test_reload.c - HUP: what changes, what does not (FAULTS, rows D). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/sock.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_KEY "fedcba9876543210fedcba9876543210"

static int
number_of(const pid_t *a, int n, const pid_t *b, int m)
{
	int same = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < m; j++)
			same += a[i] == b[j];
	return same;
}

START_TEST(d1_reload_of_nothing_new_restarts_nobody)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	int n = server_pids(s, before);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	scene_hello(p, "me::before");
	server_reload_ok(s);
	scene_hello(p, "after");
	scene_hello(scene_chat(s), "me::new");
	ck_assert_int_eq(number_of(before, n, after, server_pids(s, after)), 2);
	scene_end(s, NULL);
}
END_TEST

START_TEST(valid_reload_gives_new_chats_the_new_greeting_and_keeps_the_old_ones)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s), *q;

	server_config(s, POOL(2) DOOR(9999) NO_RATE HELLO
	    "language = \"en\"; greeting = \"Changed\\n\"; control = \"$DIR/control.sock\";\n");
	server_reload_ok(s);
	q = peer_open(s->address, SERVER_PORT);
	peer_expect(q, "Changed\n");
	scene_hello(p, "me::old");
	scene_hello(q, "me::new");
	scene_end(s, NULL);
}
END_TEST

/* The pid file and the log must have survived the rejection too: -s finds the master by the one,
 * and tells of its work in the other. */
START_TEST(d2_syntax_error_changes_nothing_until_it_is_mended)
{
	struct server *s = server_start(HELLO_SERVER "pid_file = \"$DIR/pid\";\n");
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	int n = server_pids(s, before);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	server_config(s, HELLO_SERVER "pid_file = \"$DIR/pid\";\n"
				      "}} broken\n");
	server_reload_rejected(s, "xiaotud.conf:7");
	scene_hello(p, "me::old settings");
	scene_hello(scene_chat(s), "me::old settings for new chats");
	ck_assert_int_eq(number_of(before, n, after, server_pids(s, after)), 2);
	server_config(s, HELLO_SERVER "pid_file = \"$DIR/pid\";\n");
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "reload"));
	(void)server_wait_log(s, "ev=reload result=ok");
	scene_hello(p, "mended");
	scene_end(s, NULL);
}
END_TEST

static const struct {
	const char *config, *words;
} bad[] = {
	{ PLAIN POOL(2) TURING DOOR(0), "port" },
	{ PLAIN POOL(2) TURING DOOR(65536), "port" },
	{ PLAIN POOL(2) TURING DOOR(-1), "port" },
	{ PLAIN POOL(2) TURING DOOR("8080"), "port" },
	{ PLAIN POOL(2) TURING DOOR(8080.5), "port" },
	{ PLAIN POOL(2) TURING DOOR(4294967376), "port" },
	{ PLAIN POOL(2) TURING DOOR(999999999999999999999999999999), "port" },
	{ PLAIN POOL(-1) TURING DOOR(9999), "workers" },
	{ PLAIN POOL(100000) TURING DOOR(9999), "workers" },
	{ PLAIN POOL(2) TURING_WITH("", "") DOOR(9999), "api_key" },
	{ PLAIN POOL(2) TURING_WITH("first-half\\r\\nX-Evil: second-half", "") DOOR(9999),
	    "api_key" },
	{ PLAIN POOL(2) TURING DOOR(9999) "wrokers = 3;\n", "wrokers workers" },
	{ POOL(2) TURING DOOR(9999) "language = \"xx\";\n", "language" },
	{ PLAIN POOL(2)
		DOOR(9999) "robots = ( { name = \"a\"; type = \"hello\"; }, { name = \"a\"; "
			   "type = \"hello\"; } );\n",
	    "a" },
};

START_TEST(d3_value_out_of_range_is_rejected_by_name)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	server_config(s, "%s", bad[_i].config);
	server_reload_rejected(s, bad[_i].words);
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(d5_file_that_is_gone_is_rejected)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	ck_assert_int_eq(unlink(s->config), 0);
	server_reload_rejected(s, "xiaotud.conf");
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(i5_file_with_a_key_that_others_can_read_is_rejected)
{
	struct server *s = server_start(TURING_SERVER);

	scene_canary(s);
	ck_assert_int_eq(chmod(s->config, 0644), 0);
	server_reload_rejected(s, "0644");
	scene_end(s, NULL);
}
END_TEST

/* Whoever owns it could have changed it. */
START_TEST(i5_file_with_a_key_of_another_owner_is_rejected)
{
	struct server *s = server_start(TURING_SERVER);

	if (chown(s->config, 65534, (gid_t)-1) == 0)
		server_reload_rejected(s, "xiaotud.conf");
	else
		puts("skipped: only root gives files away");
	s->workers = 2;
	scene_end(s, NULL);
}
END_TEST

/* A port of ours is taken by somebody else. */
static int
take_port(const struct server *s, int port)
{
	struct sock_addr a;
	struct err e;
	int fd;

	ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, s->address, port, &e), 0);
	fd = sock_listen(SOCK_TCP, &a, 0, &e);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(d7_busy_port_is_rejected_and_the_old_one_serves)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	int busy = take_port(s, 9998), before;

	scene_canary(s);
	scene_hello(p, "me::hi");
	before = procfs_descriptors(s->pid);
	server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
	for (int i = 0; i < 5; i++) {
		server_reload_rejected(s, "EADDRINUSE 9998");
		ck_assert_int_eq(procfs_descriptors(s->pid), before);
	}
	scene_hello(p, "me::hi");
	scene_hello(scene_chat_at(s, 9999), "me::old port");
	close(busy);
	s->workers = 2;
	scene_end(s, NULL);
}
END_TEST

START_TEST(d8_port_that_was_busy_is_taken_and_no_listener_leaks)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	int busy = take_port(s, 9998), before;

	scene_canary(s);
	scene_hello(p, "me::hi");
	before = procfs_descriptors(s->pid);
	server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
	server_reload_rejected(s, "EADDRINUSE 9998");
	close(busy);
	server_reload_ok(s);
	scene_hello(scene_chat_at(s, 9998), "me::new port");
	scene_hello(p, "old chat");
	ck_assert_ptr_null(peer_try(s->address, 9999));
	ck_assert_int_eq(procfs_descriptors(s->pid), before);
	close(take_port(s, 9999)); /* nobody has it any more */
	s->workers = 2;
	scene_end(s, NULL);
}
END_TEST

START_TEST(d9_key_changes_for_the_next_message_not_for_the_one_under_way)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "under way", .hold = true });
	peer_send(p, "me::under way\n");
	fakebot_wait_requests(b, 1);
	server_config(s, PLAIN POOL(2) DOOR(9999) NO_RATE TURING_WITH(NEW_KEY, ""));
	server_reload_ok(s);
	peer_send(q, "me::next\n");
	peer_expect(q, "echo:next\n");
	fakebot_release(b);
	peer_expect(p, "echo:under way\n");
	peer_send(p, "later\n");
	peer_expect(p, "echo:later\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(fakebot_requests_with(b, NEW_KEY), 2);
	scene_end(s, b);
}
END_TEST

/* Whenever the old door refuses, the new one must already be open: it was tried later. */
START_TEST(d10_new_port_opens_before_the_old_one_closes_and_chats_live_on)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s), *at_old, *at_new;

	scene_canary(s);
	scene_hello(p, "me::hi");
	server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
	server_hup(s);
	while ((at_old = peer_try(s->address, 9999)) != NULL) {
		peer_close(at_old);
		peer_wait_any(&p, 1, 1);
	}
	at_new = peer_try(s->address, 9998);
	ck_assert_ptr_nonnull(at_new);
	peer_expect(at_new, GREETING);
	scene_hello(at_new, "me::new");
	scene_hello(p, "old chat");
	(void)server_wait_log(s, "ev=reload result=ok");
	scene_end(s, NULL);
}
END_TEST

START_TEST(d11_port_to_and_fro_leaks_nothing)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	int n = server_pids(s, before);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	for (int i = 0; i < (getenv("XIAOTU_SOAK") ? 200 : 15); i++) {
		server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
		server_reload_ok(s);
		scene_hello(p, "me::away");
		server_config(s, HELLO_SERVER);
		server_reload_ok(s);
		scene_hello(p, "and back");
	}
	ck_assert_int_eq(number_of(before, n, after, server_pids(s, after)), 2);
	s->worker_slack = 1;
	scene_end(s, NULL);
}
END_TEST

START_TEST(d12_many_hups_at_once_end_with_the_last_file)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s), *q;

	scene_canary(s);
	for (int i = 0; i < 200; i++)
		server_hup(s);
	server_config(s, POOL(2) DOOR(9999) NO_RATE HELLO
	    "language = \"en\"; greeting = \"Last\\n\"; control = \"$DIR/control.sock\";\n");
	server_hup(s);
	scene_hello(p, "me::hi");
	for (;;) {
		(void)server_wait_log(s, "ev=reload result=ok");
		q = peer_open(s->address, SERVER_PORT);
		if (strcmp(peer_line(q), "Last") == 0)
			break;
		peer_close(q);
	}
	ck_assert_int_le(server_count_log(s, "ev=reload result="), 201);
	scene_end(s, NULL);
}
END_TEST

START_TEST(d17_one_bad_key_keeps_the_good_one_out)
{
	struct server *s = server_start(HELLO_SERVER);

	scene_canary(s);
	server_config(s, POOL(2) HELLO DOOR(70000) "language = \"en\"; greeting = \"Changed\\n\"; "
						   "control = \"$DIR/control.sock\";\n");
	server_reload_rejected(s, "port");
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(d18_term_during_a_reload_ends_in_order)
{
	struct server *s = server_start(HELLO_SERVER);

	server_config(s, PLAIN POOL(4) DOOR(9998) NO_RATE HELLO);
	server_hup(s);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	server_end(s);
}
END_TEST

START_TEST(key_that_needs_a_restart_refuses_the_whole_reload_by_name)
{
	struct server *s = server_start(HELLO_SERVER "pid_file = \"$DIR/pid\";\n");

	server_config(s, POOL(2) DOOR(9999) HELLO
	    "pid_file = \"$DIR/other\";\n"
	    "language = \"en\"; greeting = \"Changed\\n\"; control = \"$DIR/control.sock\";\n");
	server_reload_rejected(s, "pid_file");
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- the log --------------------------------------------------------------------------------- */

/* After the signal the moved file must not grow any more, and every new line be in the new one. */
static void
reopen_log(int number)
{
	struct server *s = server_start(HELLO_SERVER "log = { target = \"$DIR/log\"; };\n");
	struct peer *p = scene_chat(s);
	char moved[96];

	scene_hello(p, "first::hi");
	(void)server_wait_log(s, "ev=message user=\"first\"");
	snprintf(moved, sizeof moved, "%s/log.1", s->folder);
	ck_assert_int_eq(rename(s->log, moved), 0);
	server_signal(s, number);
	while (access(s->log, F_OK) != 0)
		peer_wait_any(&p, 1, 5);
	if (number == SIGHUP)
		(void)server_wait_log(s, "ev=reload result=ok");
	for (int i = 0; i < 20 && server_count_log(s, "user=\"second\"") == 0; i++) {
		scene_hello(p, "second::hi");
		scene_hello(scene_chat(s), "second::hi");
	}
	(void)server_wait_log(s, "user=\"second\"");
	ck_assert_int_eq(server_count_log(s, "user=\"first\""), 0);
	scene_end(s, NULL);
}

START_TEST(log_is_reopened_on_usr1)
{
	reopen_log(SIGUSR1);
}
END_TEST

START_TEST(log_is_reopened_on_hup)
{
	reopen_log(SIGHUP);
}
END_TEST

static void
add_rejections(TCase *tc)
{
	tcase_add_test(tc, d2_syntax_error_changes_nothing_until_it_is_mended);
	tcase_add_loop_test(
	    tc, d3_value_out_of_range_is_rejected_by_name, 0, (int)(sizeof bad / sizeof bad[0]));
	tcase_add_test(tc, d5_file_that_is_gone_is_rejected);
	tcase_add_test(tc, i5_file_with_a_key_that_others_can_read_is_rejected);
	tcase_add_test(tc, i5_file_with_a_key_of_another_owner_is_rejected);
	tcase_add_test(tc, d7_busy_port_is_rejected_and_the_old_one_serves);
	tcase_add_test(tc, d8_port_that_was_busy_is_taken_and_no_listener_leaks);
	tcase_add_test(tc, d17_one_bad_key_keeps_the_good_one_out);
	tcase_add_test(tc, key_that_needs_a_restart_refuses_the_whole_reload_by_name);
}

Suite *
reload_suite(void)
{
	Suite *suite = suite_create("reload");
	TCase *tc = scene_case(suite, "accepted");

	tcase_add_test(tc, d1_reload_of_nothing_new_restarts_nobody);
	tcase_add_test(tc, valid_reload_gives_new_chats_the_new_greeting_and_keeps_the_old_ones);
	tcase_add_test(tc, d9_key_changes_for_the_next_message_not_for_the_one_under_way);
	tcase_add_test(tc, d10_new_port_opens_before_the_old_one_closes_and_chats_live_on);
	tcase_add_test(tc, d11_port_to_and_fro_leaks_nothing);
	tcase_add_test(tc, d12_many_hups_at_once_end_with_the_last_file);
	tcase_add_test(tc, d18_term_during_a_reload_ends_in_order);
	tcase_add_test(tc, log_is_reopened_on_usr1);
	tcase_add_test(tc, log_is_reopened_on_hup);
	add_rejections(scene_case(suite, "rejected"));
	return suite;
}
