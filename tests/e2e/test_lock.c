/* test_lock.c - who may come in, from where, how many, and how fast (FAULTS, rows B6 and B8 over
 * all workers). */
#include "e2e/operator.h"
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/procfs.h"
#include "lib/promtext.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCKED(more) "listen = ( { address = \"$ADDR\"; port = 9999; " more " } );\n"
#define UDP(more)    LOCKED("transport = \"udp\"; " more)

enum { REFUSALS = 10, RUSH = 400, ROOM = 100 };

static struct peer *
from(struct server *s, const char *source)
{
	return peer_open_from(source, s->address, SERVER_PORT);
}

/* Who comes from there is let in, and answered. */
static struct peer *
admitted(struct server *s, const char *source)
{
	struct peer *p = from(s, source);

	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	return p;
}

/* Not a byte, not even a reset. */
static void
let_go(struct server *s, const char *source)
{
	struct peer *p = from(s, source);

	peer_eof(p);
	peer_close(p);
}

static long
metric(struct server *s, const char *name)
{
	char *text = operator_ask(s, "metrics");
	long n = (long)promtext_value(text, name);

	free(text);
	return n;
}

/* Scoreboards are written by others. */
static void
wait_metric(struct server *s, const char *name, long n)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;

	while (metric(s, name) != n && lapse_now_ms() < by_ms)
		procfs_tick();
	ck_assert_int_eq(metric(s, name), n);
}

/* --- networks -------------------------------------------------------------------------------- */

START_TEST(allow_admits_its_networks_and_nobody_else)
{
	struct server *s = server_start(
	    PLAIN POOL(2) NO_RATE HELLO LOCKED("allow = (\"127.0.0.2\", \"127.3.0.0/16\");"));

	(void)admitted(s, "127.0.0.2");
	(void)admitted(s, "127.3.255.1");
	let_go(s, "127.0.0.3");
	(void)server_wait_log(s, "ev=chat_refused peer=127.0.0.3: why=address");
	let_go(s, "127.4.0.1");
	(void)server_wait_log(s, "ev=chat_refused peer=127.4.0.1: why=address");
	(void)admitted(s, "127.0.0.2");
	wait_metric(s, "xiaotu_refused_total", 2);
	ck_assert_int_eq(metric(s, "xiaotu_accepted_total"), 3);
	scene_end(s, NULL);
}
END_TEST

START_TEST(deny_wins_over_allow)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO LOCKED(
	    "allow = \"127.3.0.0/16\"; deny = (\"127.3.9.0/24\", \"127.3.0.1\");"));

	(void)admitted(s, "127.3.8.255");
	let_go(s, "127.3.9.0");
	let_go(s, "127.3.0.1");
	let_go(s, "127.5.0.1");
	(void)admitted(s, "127.3.0.2");
	scene_end(s, NULL);
}
END_TEST

START_TEST(deny_alone_lets_all_others_in)
{
	struct server *s =
	    server_start(PLAIN POOL(2) NO_RATE HELLO LOCKED("deny = \"127.3.0.0/16\";"));

	let_go(s, "127.3.0.1");
	(void)admitted(s, "127.4.0.1");
	scene_end(s, NULL);
}
END_TEST

START_TEST(networks_of_ipv6_are_told_apart)
{
	static const struct {
		const char *keys;
		bool in;
	} doors[] = { { "allow = \"::1\";", true }, { "allow = \"::/64\";", true },
		{ "allow = \"0.0.0.0/0\";", false }, { "allow = \"2001:db8::/32\";", false },
		{ "deny = \"::/127\";", false }, { "deny = \"::2/127\";", true } };
	int port = 10000 + getpid() % 20000;
	struct server *s;
	struct peer *p;

	if (!scene_has_ipv6()) {
		puts("skipped: there is no ::1 here");
		return;
	}
	s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"::1\"; port = %d; %s } );\n",
	    port, doors[_i].keys);
	p = peer_open("::1", port);
	if (doors[_i].in) {
		peer_expect(p, GREETING);
		scene_hello(p, "me::hi");
	} else {
		peer_eof(p);
		(void)server_wait_log(s, "ev=chat_refused peer=[::1]: why=address");
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(each_door_has_its_own_networks)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; deny = \"127.0.0.2\"; },\n"
	    "{ address = \"$ADDR\"; port = 9998; allow = \"127.0.0.2\"; } );\n");
	struct peer *p = peer_open_from("127.0.0.2", s->address, 9998);

	peer_expect(p, GREETING);
	let_go(s, "127.0.0.2");
	peer_eof(peer_open_from("127.0.0.3", s->address, 9998));
	scene_end(s, NULL);
}
END_TEST

START_TEST(datagrams_go_by_the_same_networks)
{
	struct server *s = server_start(
	    PLAIN POOL(2) HELLO UDP("allow = \"127.3.0.0/16\"; deny = \"127.3.0.9\";"));
	struct peer *good = peer_open_udp_from("127.3.0.1", s->address, SERVER_PORT);
	struct peer *bad = peer_open_udp_from("127.3.0.9", s->address, SERVER_PORT);
	struct peer *other = peer_open_udp_from("127.4.0.1", s->address, SERVER_PORT);
	char answer[2048];

	peer_send(bad, "me::hi");
	peer_send(other, "me::hi");
	wait_metric(s, "xiaotu_refused_total", 2);
	peer_send(good, "me::hi");
	peer_datagram(good, answer, sizeof answer);
	ck_assert_str_eq(answer, "Hello, hi!");
	ck_assert_int_eq(peer_fill(bad), PEER_NOTHING);
	ck_assert_int_eq(peer_fill(other), PEER_NOTHING);
	ck_assert_int_eq(server_count_log(s, "ev=chat_refused peer=127.3.0.9: why=address"), 1);
	scene_end(s, NULL);
}
END_TEST

START_TEST(reload_changes_who_may_come_and_leaves_chats_alone)
{
	struct server *s =
	    server_start(PLAIN POOL(2) NO_RATE HELLO LOCKED("allow = \"127.0.0.2\";"));
	struct peer *a = admitted(s, "127.0.0.2"), *b;

	let_go(s, "127.0.0.3");
	server_config(s, PLAIN POOL(2) NO_RATE HELLO LOCKED("allow = \"127.0.0.3\";"));
	server_reload_ok(s);
	b = admitted(s, "127.0.0.3");
	let_go(s, "127.0.0.2");
	scene_hello(a, "still here");
	server_config(
	    s, PLAIN POOL(2) NO_RATE HELLO LOCKED("allow = (\"127.0.0.2\", \"127.0.0.300\");"));
	server_reload_rejected(s, "allow");
	let_go(s, "127.0.0.2");
	server_config(s, PLAIN POOL(2) NO_RATE HELLO LOCKED(""));
	server_reload_ok(s);
	(void)admitted(s, "127.0.0.2");
	scene_hello(a, "still here");
	scene_hello(b, "here, too");
	scene_end(s, NULL);
}
END_TEST

/* --- the log --------------------------------------------------------------------------------- */

START_TEST(refusals_are_logged_ten_times_in_ten_seconds_and_the_rest_is_counted)
{
	struct server *s =
	    server_start(PLAIN POOL(1) NO_RATE HELLO LOCKED("deny = \"127.0.0.3\";"));
	struct peer *canary = admitted(s, "127.0.0.2");
	int64_t by_ms = lapse_now_ms() + 2 * SERVER_MS;
	int n = 5 * REFUSALS;

	for (int i = 0; i < n; i++)
		let_go(s, "127.0.0.3");
	ck_assert_int_eq(server_count_log(s, "ev=chat_refused"), REFUSALS);
	while (server_count_log(s, "ev=chats_refused") == 0 && lapse_now_ms() < by_ms) {
		peer_wait_any(&canary, 1, 200);
		let_go(s, "127.0.0.3");
		n++;
	}
	ck_assert_int_eq(
	    server_log_number(server_wait_log(s, "ev=chats_refused"), "more"), n - REFUSALS - 1);
	ck_assert_int_eq(server_count_log(s, "ev=chat_refused"), REFUSALS + 1);
	wait_metric(s, "xiaotu_refused_total", n);
	scene_hello(canary, "hi");
	scene_end(s, NULL);
}
END_TEST

/* --- how many -------------------------------------------------------------------------------- */

/* While the workers stand still all of them come; then all workers take them at once. */
static void
rush(struct server *s, struct peer **peers)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int n = server_pids(s, pids);

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(pids[i], SIGSTOP), 0);
	for (int i = 0; i < RUSH; i++)
		peers[i] = from(s, "127.0.0.2");
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(pids[i], SIGCONT), 0);
}

/* How many were greeted; all others were told and let go. */
static int
count_greeted(struct peer **peers)
{
	int n = 0;

	for (int i = 0; i < RUSH; i++) {
		if (strncmp(peer_line(peers[i]), "Welcome", 7) == 0) {
			peers[n++] = peers[i];
			continue;
		}
		peer_eof(peers[i]);
		peer_close(peers[i]);
	}
	return n;
}

START_TEST(b6_caps_are_never_passed_in_a_rush_to_four_workers)
{
	struct server *s = server_start(PLAIN POOL(4) DOOR(9999) HELLO
	    "log = { level = \"notice\"; };\nlimits = { %s = 100; };\n",
	    _i ? "chats_per_address" : "chats");
	struct peer *peers[RUSH], *p;
	int n;

	for (int round = 0; round < 5; round++) {
		rush(s, peers);
		n = count_greeted(peers);
		ck_assert_int_le(n, ROOM);
		ck_assert_int_ge(n, ROOM / 2);
		wait_metric(s, "xiaotu_chats", n);
		for (; n < ROOM; n++)
			peers[n] = admitted(s, "127.0.0.2");
		p = from(s, "127.0.0.2");
		peer_expect_prefix(p, "ERR busy ");
		peer_eof(p);
		if (_i)
			(void)admitted(s, "127.0.0.3");
		peer_close_all();
		wait_metric(s, "xiaotu_chats", 0);
	}
	scene_end(s, NULL);
}
END_TEST

/* --- how fast -------------------------------------------------------------------------------- */

#define THREE "limits = { messages_per_minute_per_address = 3; };\n"

START_TEST(b8_rate_of_an_address_is_that_of_all_its_chats_over_all_workers)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO THREE);
	struct peer *chats[2], *other;

	scene_chats_apart(s, chats);
	scene_hello(chats[0], "me::1");
	scene_hello(chats[1], "me::2");
	scene_hello(chats[0], "3");
	for (int i = 0; i < 2; i++) {
		peer_send(chats[i], "4\n");
		peer_expect_prefix(chats[i], "ERR rate ");
	}
	other = admitted(s, "127.0.0.2");
	scene_hello(other, "2");
	scene_hello(other, "3");
	peer_send(other, "4\n");
	peer_expect_prefix(other, "ERR rate ");
	scene_end(s, NULL);
}
END_TEST

/* Who comes back has not been forgotten. */
START_TEST(b8_rate_of_an_address_outlives_chats_and_reloads)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO THREE);

	for (int i = 0; i < 3; i++)
		peer_close(admitted(s, "127.0.0.2"));
	server_config(s, PLAIN POOL(2) DOOR(9999) HELLO THREE "greeting = \"\";\n");
	server_reload_rejected(s, "greeting");
	server_config(s, PLAIN POOL(3) DOOR(9999) HELLO THREE);
	server_reload_ok(s);
	server_wait_workers(s, 3, SERVER_MS);
	for (int i = 0; i < 6; i++) {
		struct peer *p = from(s, "127.0.0.2");

		peer_expect(p, GREETING);
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR rate ");
	}
	s->workers = 3;
	server_baseline(s);
	s->worker_slack = 8;
	scene_end(s, NULL);
}
END_TEST

START_TEST(b8_rate_of_an_address_holds_for_datagrams_and_chats_together)
{
	struct server *s = server_start(PLAIN POOL(2) HELLO THREE
	    "listen = ( { address = \"$ADDR\"; port = 9999; }, "
	    "{ address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n");
	struct peer *p = peer_open_udp_from("127.0.0.2", s->address, SERVER_PORT), *chat, *other;
	char answer[2048];

	for (int i = 0; i < 2; i++) {
		peer_send(p, "me::hi");
		peer_datagram(p, answer, sizeof answer);
		ck_assert_str_eq(answer, "Hello, hi!");
	}
	chat = admitted(s, "127.0.0.2");
	peer_send(chat, "4\n");
	peer_expect_prefix(chat, "ERR rate ");
	peer_send(p, "me::hi");
	peer_datagram(p, answer, sizeof answer);
	ck_assert_int_eq(strncmp(answer, "ERR rate ", 9), 0);
	ck_assert_ptr_nonnull(strstr(answer, " s)")); /* how long to wait */
	other = peer_open_udp_from("127.0.0.3", s->address, SERVER_PORT);
	peer_send(other, "me::hi");
	peer_datagram(other, answer, sizeof answer);
	ck_assert_str_eq(answer, "Hello, hi!");
	scene_end(s, NULL);
}
END_TEST

Suite *
lock_suite(void)
{
	Suite *suite = suite_create("lock");
	TCase *tc = scene_case(suite, "network");

	tcase_add_test(tc, allow_admits_its_networks_and_nobody_else);
	tcase_add_test(tc, deny_wins_over_allow);
	tcase_add_test(tc, deny_alone_lets_all_others_in);
	tcase_add_loop_test(tc, networks_of_ipv6_are_told_apart, 0, 6);
	tcase_add_test(tc, each_door_has_its_own_networks);
	tcase_add_test(tc, datagrams_go_by_the_same_networks);
	tcase_add_test(tc, reload_changes_who_may_come_and_leaves_chats_alone);
	tcase_add_test(tc, refusals_are_logged_ten_times_in_ten_seconds_and_the_rest_is_counted);
	tc = scene_case(suite, "limit");
	tcase_add_loop_test(tc, b6_caps_are_never_passed_in_a_rush_to_four_workers, 0, 2);
	tcase_add_test(tc, b8_rate_of_an_address_is_that_of_all_its_chats_over_all_workers);
	tcase_add_test(tc, b8_rate_of_an_address_outlives_chats_and_reloads);
	tcase_add_test(tc, b8_rate_of_an_address_holds_for_datagrams_and_chats_together);
	return suite;
}
