/* test_door.c - doors of every transport, goodbyes, limits, and what the log tells of chats. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "base/text.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(udp_answers_a_datagram_with_a_datagram)
{
	struct server *s = server_start(PLAIN POOL(2) HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n");
	struct peer *p = peer_open_udp(s->address, SERVER_PORT);
	char answer[2048], question[1500] = "me::";
	size_t n;

	peer_send(p, "me::hi");
	peer_datagram(p, answer, sizeof answer);
	ck_assert_str_eq(answer, "Hello, hi!");
	peer_send(p, "nobody");
	peer_datagram(p, answer, sizeof answer);
	ck_assert_int_eq(strncmp(answer, "ERR no-user ", 12), 0);
	for (int i = 0; i < 450; i++)
		strcat(question, "好");
	peer_send(p, question);
	n = peer_datagram(p, answer, sizeof answer);
	ck_assert_uint_le(n, 1200);
	ck_assert_uint_gt(n, 1190);
	ck_assert(text_is_utf8(answer, n));
	ck_assert_int_eq(strncmp(answer, "Hello, 好", 10), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(unix_socket_is_a_door_and_its_file_goes_with_the_server)
{
	struct server *s =
	    server_start(PLAIN POOL(2) HELLO "listen = ( { path = \"$DIR/chat\"; } );\n");
	struct peer *p;
	char path[80];

	snprintf(path, sizeof path, "%s/chat", s->folder);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* There is one ::1 only, hence a port that depends on the test's process. */
START_TEST(ipv6_is_a_door)
{
	int port = 10000 + getpid() % 20000;
	struct server *s;
	struct peer *p;

	if (!scene_has_ipv6()) {
		puts("skipped: there is no ::1 here");
		return;
	}
	s = server_start(
	    PLAIN POOL(2) HELLO "listen = ( { address = \"::1\"; port = %d; } );\n", port);
	p = peer_open("::1", port);
	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(several_doors_are_served_at_once)
{
	struct server *s =
	    server_start(PLAIN POOL(2) HELLO "listen = ( { address = \"$ADDR\"; port = 9999; }, { "
					     "address = \"$ADDR\"; port = 9998; },"
					     " { path = \"$DIR/chat\"; } );\n");
	char path[80];
	struct peer *p;

	scene_hello(scene_chat_at(s, 9999), "me::a");
	scene_hello(scene_chat_at(s, 9998), "me::b");
	snprintf(path, sizeof path, "%s/chat", s->folder);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	scene_hello(p, "me::c");
	scene_end(s, NULL);
}
END_TEST

/* --- goodbyes and limits --------------------------------------------------------------------- */

START_TEST(b1_silent_chat_is_told_goodbye)
{
	struct server *s = server_start(
	    PLAIN POOL(2) DOOR(9999) NO_RATE HELLO "timeouts = { idle = \"300ms\"; };\n");
	struct peer *p = scene_chat(s);

	peer_expect_prefix(p, "BYE idle ");
	peer_eof(p);
	(void)server_wait_log(s, "ev=chat_close reason=idle");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b2_message_that_never_ends_is_closed_although_bytes_come)
{
	struct server *s = server_start(
	    PLAIN POOL(2) DOOR(9999) NO_RATE HELLO "timeouts = { message = \"300ms\"; };\n");
	struct peer *p = scene_chat(s), *canary = scene_chat(s);
	int64_t began = lapse_now_ms();

	peer_send(p, "me");
	while (!p->ended) {
		peer_wait_any(&p, 1, 50);
		peer_push(p, "x", 1);
		(void)peer_fill(p);
	}
	ck_assert_int_ge(lapse_now_ms() - began, 290);
	ck_assert_int_le(lapse_now_ms() - began, 3000);
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b8_too_many_messages_a_minute_are_refused_for_that_chat_alone)
{
	struct server *s =
	    server_start(PLAIN POOL(1) DOOR(9999) HELLO "limits = { messages_per_minute = 3; };\n");
	struct peer *p = scene_chat(s), *other = scene_chat(s);
	const char *line;
	long wait_s;

	scene_hello(p, "me::1");
	scene_hello(p, "2");
	scene_hello(p, "3");
	peer_send(p, "4\n");
	line = peer_line(p);
	ck_assert_int_eq(strncmp(line, "ERR rate ", 9), 0);
	wait_s = strtol(line + strcspn(line, "0123456789"), NULL, 10);
	ck_assert_int_ge(wait_s, 1); /* three a minute: one is due after 20 s, rounded up */
	ck_assert_int_le(wait_s, 21);
	scene_hello(other, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(one_chat_more_than_allowed_is_busy_until_one_leaves)
{
	struct server *s =
	    server_start(PLAIN POOL(2) DOOR(9999) HELLO "limits = { chats = 2; };\n");
	struct peer *a = scene_chat(s), *b = scene_chat(s), *c;

	scene_hello(a, "me::a");
	scene_hello(b, "me::b");
	c = peer_open(s->address, SERVER_PORT);
	peer_expect_prefix(c, "ERR busy ");
	peer_eof(c);
	peer_close(a);
	(void)server_wait_log(s, "ev=chat_close reason=eof");
	scene_hello(scene_chat(s), "me::d");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b6_the_limit_of_an_address_is_its_own)
{
	struct server *s =
	    server_start(PLAIN POOL(2) DOOR(9999) HELLO "limits = { chats_per_address = 1; };\n");
	struct peer *a = peer_open_from("127.0.0.2", s->address, SERVER_PORT), *b, *c;

	peer_expect(a, GREETING);
	scene_hello(a, "me::a");
	b = peer_open_from("127.0.0.2", s->address, SERVER_PORT);
	peer_expect_prefix(b, "ERR busy ");
	peer_eof(b);
	c = peer_open_from("127.0.0.3", s->address, SERVER_PORT);
	peer_expect(c, GREETING);
	scene_hello(c, "me::c");
	scene_end(s, NULL);
}
END_TEST

/* A Turing answer whose text has n bytes. */
static char *
long_answer(size_t n)
{
	static const char head[] = "{\"code\":100000,\"text\":\"", tail[] = "\"}";
	char *body = mem_zalloc(sizeof head + n + sizeof tail);

	memcpy(body, head, sizeof head - 1);
	memset(body + sizeof head - 1, 'x', n);
	memcpy(body + sizeof head - 1 + n, tail, sizeof tail);
	return body;
}

/* The answers fill what the kernel and the server will hold for this chat; then it is closed. */
START_TEST(b4_chat_that_never_reads_is_closed)
{
	struct server *s = server_start(
	    PLAIN POOL(1) DOOR(9999) NO_RATE TURING "timeouts = { message = \"500ms\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *canary = scene_chat(s);
	char *body = long_answer(200000);
	int64_t by_ms = lapse_now_ms() + SERVER_MS;

	fakebot_play(b, &(struct fakebot_script){ .only = "more", .body = body });
	for (int i = 1; lapse_now_ms() < by_ms; i++) {
		peer_push(p, "me::more\n", 9);
		while (fakebot_requests(b) < i && server_count_log(s, "ev=chat_close") == 0)
			procfs_tick();
		if (server_count_log(s, "ev=chat_close") > 0)
			break;
	}
	(void)server_wait_log(s, "ev=chat_close reason=slow_reader");
	free(body);
	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

/* --- the log --------------------------------------------------------------------------------- */

START_TEST(what_is_said_is_not_logged_by_default)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_hello(p, "ann::private-words");
	(void)server_wait_log(s, "ev=message user=\"ann\" robot= outcome=ok");
	ck_assert_int_eq(server_count_log(s, "private-words"), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(what_is_said_is_logged_on_demand_and_escaped)
{
	struct server *s = server_start(HELLO_SERVER "log = { messages = true; };\n");
	struct peer *p = scene_chat(s);

	scene_hello(p, "ann::private-words");
	(void)server_wait_log(s, "private-words");
	(void)scene_ask_json(scene_chat(s), "a\nts=1 lvl=info ev=forged");
	(void)server_wait_log(s, "forged");
	ck_assert_ptr_null(strstr(server_read_log(s), "\nts=1 "));
	scene_end(s, NULL);
}
END_TEST

Suite *
door_suite(void)
{
	Suite *suite = suite_create("door");
	TCase *tc = scene_case(suite, "transport");

	tcase_add_test(tc, udp_answers_a_datagram_with_a_datagram);
	tcase_add_test(tc, unix_socket_is_a_door_and_its_file_goes_with_the_server);
	tcase_add_test(tc, ipv6_is_a_door);
	tcase_add_test(tc, several_doors_are_served_at_once);
	tc = scene_case(suite, "limit");
	tcase_add_test(tc, b1_silent_chat_is_told_goodbye);
	tcase_add_test(tc, b2_message_that_never_ends_is_closed_although_bytes_come);
	tcase_add_test(tc, b4_chat_that_never_reads_is_closed);
	tcase_add_test(tc, b8_too_many_messages_a_minute_are_refused_for_that_chat_alone);
	tcase_add_test(tc, one_chat_more_than_allowed_is_busy_until_one_leaves);
	tcase_add_test(tc, b6_the_limit_of_an_address_is_its_own);
	tc = scene_case(suite, "log");
	tcase_add_test(tc, what_is_said_is_not_logged_by_default);
	tcase_add_test(tc, what_is_said_is_logged_on_demand_and_escaped);
	return suite;
}
