/* test_upgrade.c - USR2: another program takes over, and nobody in a chat notices (FAULTS H6). */
#include "e2e/crowd.h"
#include "e2e/moving.h"
#include "e2e/operator.h"
#include "e2e/suites.h"

#include "base/json.h"
#include "base/lapse.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHATS = 200, UPGRADES = 5, SOAKED = 20 };

#define WITH_PID     "pid_file = \"$DIR/pid\";\n"
#define MODEL_SERVER PLAIN POOL(2) DOOR(9999) NO_RATE ECHOES WITH_PID

/* More of it in `make soak`. */
static int
times(void)
{
	return getenv("XIAOTU_SOAK") ? SOAKED : UPGRADES;
}

/* --- under load ------------------------------------------------------------------------------ */

static void
upgrade(struct crowd *c, struct server *s, int nth)
{
	char words[64];

	crowd_upgrade(c, nth);
	ck_assert_int_eq(moving_pid_file(s), s->pid);
	snprintf(words, sizeof words, "ev=ready pid=%d", (int)s->pid);
	ck_assert_int_eq(server_count_log(s, words), 1);
}

START_TEST(h6_upgrades_in_a_row_under_200_chats_lose_nothing_and_refuse_nobody)
{
	struct server *s = server_start(MODEL_SERVER QUIET);
	struct fakebot *b = scene_bot(s);
	struct peer *silent = scene_chat(s);
	struct crowd *c;
	int n;

	peer_send(silent, "me::my name is ann\n");
	peer_expect(silent, "echo:my name is ann\n");
	c = crowd_open(s, CHATS);
	for (int i = 1; i <= times(); i++)
		upgrade(c, s, i);
	n = crowd_finish(c);
	ck_assert_int_eq(fakebot_requests(b), n + 1);
	peer_send(silent, "who am I?\n");
	peer_expect(silent, "echo:who am I?\n");
	ck_assert_str_eq(
	    fakebot_record(b, n + 1).history, "user:my name is ann|assistant:echo:my name is ann");
	ck_assert_int_eq(server_count_log(s, "ev=chat_not_moved"), 0);
	crowd_close(c);
	peer_close_all();
	s->worker_slack = CHATS;
	moving_upgrade(s);
	server_baseline(s);
	scene_end(s, b);
}
END_TEST

START_TEST(h6_upgrades_leak_no_descriptor)
{
	struct server *s = server_start(HELLO_SERVER WITH_PID);

	moving_upgrade(s);
	server_baseline(s);
	for (int i = 0; i < 3; i++)
		moving_upgrade(s);
	s->worker_slack = 0;
	scene_end(s, NULL);
}
END_TEST

START_TEST(h6_message_under_way_is_finished_by_the_old_program)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q;
	pid_t old;

	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
	peer_send(p, "me::hold\nnext\n");
	fakebot_wait_requests(b, 1);
	old = moving_upgrade_begin(s);
	q = scene_chat(s);
	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	ck_assert(!procfs_wait_gone(old, 0));
	fakebot_echo(b);
	fakebot_release(b);
	peer_expect(p, "echo:hold\necho:next\n");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	peer_send(p, "after\n");
	peer_expect(p, "echo:after\n");
	ck_assert_int_eq(fakebot_requests(b), 4);
	server_baseline(s);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

/* --- kinds of servers ------------------------------------------------------------------------ */

START_TEST(h6_daemon_is_upgraded_and_its_pid_file_names_the_new_one)
{
	struct server *s = server_new(HELLO_SERVER WITH_PID "log = { target = \"$DIR/log\"; };\n");
	struct peer *p;
	pid_t old;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-d"));
	server_adopt(s, moving_pid_file(s));
	p = scene_chat(s);
	scene_hello(p, "me::hi");
	old = s->pid;
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "upgrade"));
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, 2, SERVER_MS);
	ck_assert_int_eq(moving_pid_file(s), s->pid);
	scene_hello(p, "still here");
	moving_upgrade(s);
	scene_hello(p, "and again");
	peer_close_all();
	server_baseline(s);
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	ck_assert_int_eq(server_wait_exit(s), 0);
	scene_exits(s, 7, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	server_end(s);
}
END_TEST

START_TEST(h6_unix_socket_stays_a_door)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { path = \"$DIR/door\"; mode = \"0600\"; } );\n");
	struct stat before, after;
	char path[96];
	struct peer *p;

	snprintf(path, sizeof path, "%s/door", s->folder);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	ck_assert_int_eq(stat(path, &before), 0);
	moving_upgrade(s);
	moving_upgrade(s);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(before.st_ino, after.st_ino);
	scene_hello(p, "still here");
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	scene_hello(p, "me::new");
	peer_close_all();
	server_baseline(s);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	server_end(s);
}
END_TEST

/* One datagram after the other, each is answered. */
START_TEST(h6_udp_is_answered_all_the_time)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n");
	struct peer *p = peer_open_udp(s->address, SERVER_PORT);
	char text[32], answer[64], heard[256];
	pid_t old = s->pid;
	int n_after = 0;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	for (int i = 0; n_after < 20; i++) {
		snprintf(text, sizeof text, "me::%d", i);
		snprintf(answer, sizeof answer, "Hello, %d!", i);
		peer_send(p, text);
		peer_datagram(p, heard, sizeof heard);
		ck_assert_str_eq(heard, answer);
		n_after += n_after > 0 || procfs_wait_gone(old, 0);
	}
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, 2, SERVER_MS);
	server_baseline(s);
	scene_end(s, NULL);
}
END_TEST

START_TEST(h6_upgrade_goes_by_the_file_as_it_is_now)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; },\n"
	    "  { address = \"$ADDR\"; port = 9998; }, { path = \"$DIR/old\"; } );\n");
	struct peer *kept = scene_chat(s), *dropped = scene_chat_at(s, 9998);
	char path[96];

	scene_hello(kept, "me::hi");
	scene_hello(dropped, "me::hi");
	server_config(s,
	    PLAIN POOL(3) NO_RATE HELLO "listen = ( { address = \"$ADDR\"; port = 9997; },\n"
					"  { address = \"$ADDR\"; port = 9999; } );\n");
	moving_upgrade(s);
	scene_hello(kept, "still here");
	scene_hello(dropped, "here, too");
	scene_hello(scene_chat_at(s, 9997), "me::new door");
	scene_hello(scene_chat_at(s, 9999), "me::old door");
	snprintf(path, sizeof path, "%s/old", s->folder);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_msg(peer_try(s->address, 9998) == NULL, "the dropped door is still open");
	peer_close_all();
	server_baseline(s);
	scene_end(s, NULL);
}
END_TEST

START_TEST(b6_h6_limit_of_an_address_counts_chats_that_came_along)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO
	    "limits = { chats_per_address = 2; messages_per_minute = 4; };\n");
	struct peer *a = scene_chat(s), *b = scene_chat(s), *c;

	scene_hello(a, "me::1");
	scene_hello(a, "2");
	scene_hello(b, "me::1");
	moving_upgrade(s);
	c = peer_open(s->address, SERVER_PORT);
	peer_expect_prefix(c, "ERR busy ");
	peer_eof(c);
	scene_hello(a, "3");
	scene_hello(a, "4");
	peer_send(a, "5\n");
	peer_expect_prefix(a, "ERR rate ");
	scene_hello(b, "2");
	peer_close_all();
	server_baseline(s);
	scene_end(s, NULL);
}
END_TEST

/* --- at the same time ------------------------------------------------------------------------ */

START_TEST(h6_usr2_twice_is_one_upgrade_or_two)
{
	struct server *s = server_start(HELLO_SERVER WITH_PID);
	struct peer *p = scene_chat(s);
	pid_t old = s->pid;

	scene_hello(p, "me::hi");
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	(void)server_wait_log(s, "ev=upgrade_begins");
	(void)kill(old, SIGUSR2);
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, 2, SERVER_MS);
	scene_hello(p, "still here");
	moving_upgrade(s);
	scene_hello(p, "and again");
	peer_close_all();
	server_baseline(s);
	scene_end(s, NULL);
}
END_TEST

/* Stop the new program between its start and its readiness, with its file read: then the HUP comes
 * to the old one, which may not keep it. Returns whether it was caught in time. */
static bool
hup_during_upgrade(struct server *s, int round)
{
	pid_t old = s->pid, fresh, pids[SERVER_WORKERS_MAX];
	int waiting = server_count_log(s, "ev=reload_waits");
	bool caught;

	server_signal(s, SIGUSR2);
	fresh = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade_begins"), "child");
	while (procfs_children(fresh, pids, SERVER_WORKERS_MAX, NULL) < 2 &&
	       server_count_log(s, "ev=upgrade result=ok") <= round)
		continue;
	ck_assert_int_eq(kill(fresh, SIGSTOP), 0);
	server_config(s,
	    POOL(12) DOOR(9999) NO_RATE HELLO
	    "language = \"en\"; greeting = \"Round %d\\n\"; control = \"$DIR/control.sock\";\n",
	    round);
	(void)kill(old, SIGHUP);
	while (server_count_log(s, "ev=reload_waits") == waiting &&
	       server_count_log(s, "ev=upgrade result=ok") <= round)
		procfs_tick();
	caught = server_count_log(s, "ev=reload_waits") > waiting;
	ck_assert_int_eq(kill(fresh, SIGCONT), 0);
	(void)server_wait_log(s, "ev=upgrade result=ok");
	s->pid = fresh;
	ck_assert_int_eq(moving_wait_exit(old), 0); /* then the new one is our child */
	if (caught)
		(void)server_wait_log(s, "ev=reload result=ok");
	server_wait_workers(s, 12, SERVER_MS);
	return caught;
}

START_TEST(h6_hup_during_an_upgrade_is_not_forgotten)
{
	struct server *s = server_start(PLAIN POOL(12) DOOR(9999) NO_RATE HELLO);
	struct peer *p = scene_chat(s), *q;
	char greeting[32];
	int round = 0;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	while (!hup_during_upgrade(s, round) && round < 9)
		round++;
	snprintf(greeting, sizeof greeting, "Round %d", round);
	scene_hello(p, "me::hi");
	q = peer_open(s->address, SERVER_PORT);
	if (round < 9)
		ck_assert_str_eq(peer_line(q), greeting);
	peer_close_all();
	server_baseline(s);
	scene_end(s, NULL);
}
END_TEST

/* The new program has so many chats of the old one. */
static void
wait_moved(struct server *s, int64_t n)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS, moved;

	for (;;) {
		struct json_object *o = operator_json(s, "status");

		moved = operator_number(o, "moved_in");
		json_drop(o);
		if (moved == n)
			return;
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		procfs_tick();
	}
}

START_TEST(h6_new_master_killed_while_old_answers_run_ends_in_order)
{
	struct server *s = server_start(MODEL_SERVER), *next;
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q;
	pid_t old, new;

	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
	peer_send(p, "me::hold\n");
	fakebot_wait_requests(b, 1);
	old = moving_upgrade_begin(s);
	new = s->pid;
	s->pid = old;
	for (int i = 0; i < 2; i++) /* until then they take chats */
		(void)server_wait_log(s, "ev=worker_moves");
	q = scene_chat(s);
	ck_assert_int_eq(kill(new, SIGKILL), 0);
	peer_drop(q);
	(void)server_wait_log(s, "ev=upgrade result=lost");
	(void)server_wait_log(s, "ev=worker_drains chats=1");
	fakebot_release(b);
	peer_expect(p, "echo:hold\n");
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
	ck_assert_int_eq(moving_wait_exit(old), 0);
	s->may_alert = true;
	peer_close_all();
	next = server_start(HELLO_SERVER);
	scene_hello(scene_chat(next), "me::hi");
	scene_end(next, NULL);
	fakebot_stop(b);
	server_end(s);
}
END_TEST

/* The old master is killed with the answers of its workers under way: they end, the new one and its
 * chats do not mind. */
START_TEST(h6_old_master_killed_after_it_handed_over_takes_only_its_own_along)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);
	pid_t old;

	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
	peer_send(p, "me::hold\n");
	fakebot_wait_requests(b, 2);
	old = moving_upgrade_begin(s);
	wait_moved(s, 1);
	peer_send(q, "moved?\n");
	peer_expect(q, "echo:moved?\n");
	ck_assert_int_eq(kill(old, SIGKILL), 0);
	ck_assert_int_eq(moving_wait_exit(old), 128 + SIGKILL);
	peer_drop(p);
	peer_send(q, "still here\n");
	peer_expect(q, "echo:still here\n");
	fakebot_release(b);
	server_wait_workers(s, 2, SERVER_MS);
	peer_close_all();
	moving_upgrade(s);
	server_baseline(s);
	scene_end(s, b);
}
END_TEST

/* It asked to be left alone for a minute, and an upgrade is no reason not to. */
START_TEST(h6_what_is_known_of_a_robot_outlives_the_program)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){
			    .status = 429, .body = "{}", .headers = "Retry-After: 60\r\n" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	moving_upgrade(s);
	peer_send(p, "hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	fakebot_echo(b);
	server_reload_ok(s); /* wakes it */
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	peer_close_all();
	server_baseline(s);
	scene_end(s, b);
}
END_TEST

static void
add_together(TCase *tc)
{
	tcase_add_test(tc, h6_usr2_twice_is_one_upgrade_or_two);
	tcase_add_test(tc, h6_hup_during_an_upgrade_is_not_forgotten);
	tcase_add_test(tc, h6_new_master_killed_while_old_answers_run_ends_in_order);
	tcase_add_test(tc, h6_old_master_killed_after_it_handed_over_takes_only_its_own_along);
}

Suite *
upgrade_suite(void)
{
	Suite *suite = suite_create("upgrade");
	TCase *tc = scene_case(suite, "load");

	tcase_set_timeout(tc, 4 * SCENE_TIMEOUT_S);
	tcase_add_test(tc, h6_upgrades_in_a_row_under_200_chats_lose_nothing_and_refuse_nobody);
	tcase_add_test(tc, h6_upgrades_leak_no_descriptor);
	tcase_add_test(tc, h6_message_under_way_is_finished_by_the_old_program);
	tc = scene_case(suite, "server");
	tcase_add_test(tc, h6_daemon_is_upgraded_and_its_pid_file_names_the_new_one);
	tcase_add_test(tc, h6_unix_socket_stays_a_door);
	tcase_add_test(tc, h6_udp_is_answered_all_the_time);
	tcase_add_test(tc, h6_upgrade_goes_by_the_file_as_it_is_now);
	tcase_add_test(tc, h6_what_is_known_of_a_robot_outlives_the_program);
	tcase_add_test(tc, b6_h6_limit_of_an_address_counts_chats_that_came_along);
	add_together(scene_case(suite, "together"));
	return suite;
}
