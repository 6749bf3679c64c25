/* test_proxy.c - doors behind a proxy that tells who comes (PROXY protocol, versions 1 and 2). The
 * proxy is 127.0.0.2, everybody else comes by himself. */
#include "e2e/moving.h"
#include "e2e/operator.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROXY(more)                                                                                \
	"listen = ( { address = \"$ADDR\"; port = 9999; }, "                                       \
	"{ address = \"$ADDR\"; port = 9998; proxy_from = \"127.0.0.2\"; " more " } );\n"
#define BEHIND(more) PLAIN POOL(2) NO_RATE HELLO PROXY(more)
#define TOLD         "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"

/* Version 2: its mark and command; families; the addresses 192.0.2.7:4711 and 2001:db8::7:4711. */
#define MARK  "\r\n\r\n\0\r\nQUIT\n"
#define ADDR4 "\xC0\x00\x02\x07\xC6\x33\x64\x01\x12\x67\x00\x50"
#define ADDR6                                                                                      \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"                                               \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x00\x50"

enum { DOOR_PORT = 9998, MUCH = 12000 };

struct header {
	const char *bytes;
	size_t n;
	const char *from; /* whom the log names; NULL: it is refused */
};

#define H(text, from)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1, from                                                       \
	}

static struct peer *
by_proxy(struct server *s)
{
	return peer_open_from("127.0.0.2", s->address, DOOR_PORT);
}

static struct peer *
told(struct server *s, const char *address)
{
	struct peer *p = by_proxy(s);

	peer_sendf(p, "PROXY TCP4 %s 198.51.100.1 4711 80\r\n", address);
	return p;
}

static struct peer *
told_in(struct server *s, const char *address)
{
	struct peer *p = told(s, address);

	peer_expect(p, GREETING);
	return p;
}

/* --- headers --------------------------------------------------------------------------------- */

static const struct header good[] = {
	H(TOLD, "192.0.2.7:4711"),
	H("PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "[2001:db8::7]:4711"),
	H("PROXY UNKNOWN\r\n", "127.0.0.2:"),
	H("PROXY UNKNOWN ffff:f... whatever\r\n", "127.0.0.2:"),
	H(MARK "\x21\x11\x00\x0c" ADDR4, "192.0.2.7:4711"),
	H(MARK "\x21\x21\x00\x24" ADDR6, "[2001:db8::7]:4711"),
	H(MARK "\x21\x11\x00\x13" ADDR4 "\x04\x00\x04\0\0\0\0", "192.0.2.7:4711"), /* and a TLV */
	H(MARK "\x20\x00\x00\x00", "127.0.0.2:"),                                  /* LOCAL */
	H(MARK "\x20\x11\x00\x0c" ADDR4, "127.0.0.2:"),
	H(MARK "\x21\x00\x00\x03xyz", "127.0.0.2:"), /* UNSPEC */
};

enum { GOOD = sizeof good / sizeof *good };

static void
expect_peer(struct server *s, const char *from)
{
	char words[128];

	snprintf(words, sizeof words, "ev=chat_open peer=%s", from);
	(void)server_wait_log(s, words);
}

START_TEST(header_names_who_comes)
{
	struct server *s = server_start(BEHIND(""));
	struct peer *p = by_proxy(s);

	ck_assert_int_eq(peer_fill(p), PEER_NOTHING);
	peer_send_bytes(p, good[_i].bytes, good[_i].n);
	peer_expect(p, GREETING);
	expect_peer(s, good[_i].from);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(header_may_come_byte_by_byte)
{
	struct server *s = server_start(BEHIND(""));
	struct peer *p = by_proxy(s);

	for (size_t i = 0; i < good[_i].n; i++)
		peer_send_bytes(p, good[_i].bytes + i, 1);
	peer_send(p, "me::hi\n");
	peer_expect(p, GREETING "Hello, hi!\n");
	expect_peer(s, good[_i].from);
	scene_end(s, NULL);
}
END_TEST

/* More than a header can have, once at once and once behind the beginning of one. */
START_TEST(much_text_may_follow_in_the_same_packet)
{
	struct server *s = server_start(BEHIND("") "timeouts = { message = \"2s\"; };\n");
	char *text = mem_zalloc(MUCH);
	struct peer *p;
	size_t n = 0;

	for (size_t cut = 0; cut < sizeof TOLD; cut += 11) {
		p = by_proxy(s);
		peer_send_bytes(p, TOLD, cut);
		scene_hello(scene_chat(s), "me::hi");
		n = (size_t)snprintf(text, MUCH, "%sme::%0900d\n", &TOLD[cut], 0);
		for (int i = 0; i < 8; i++)
			n += (size_t)snprintf(text + n, MUCH - n, "%0900d\n", i);
		peer_send_bytes(p, text, n);
		peer_expect(p, GREETING);
		for (int i = 0; i < 9; i++)
			peer_expect_prefix(p, "Hello, 0000");
		peer_close(p);
	}
	free(text);
	scene_end(s, NULL);
}
END_TEST

static const struct header bad[] = {
	H("me::hi\n", NULL),
	H("GET / HTTP/1.1\r\n\r\n", NULL),
	H("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\n", NULL),
	H("PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n", NULL),
	H("PROXY TCP4 192.0.2.7 198.51.100.1 99999 80\r\n", NULL),
	H("PROXY TCP4 192.0.2.700 198.51.100.1 4711 80\r\n", NULL),
	H("PROXY TCP4 2001:db8::7 2001:db8::1 4711 80\r\n", NULL),
	H("PROXY TCP6 192.0.2.7 198.51.100.1 4711 80\r\n", NULL),
	H("PROXY TCP4 localhost 198.51.100.1 4711 80\r\n", NULL),
	H("PROXY SCTP 192.0.2.7 198.51.100.1 4711 80\r\n", NULL),
	H("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 "
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    NULL),
	H(MARK "\x31\x11\x00\x0c" ADDR4, NULL), /* version 3 */
	H(MARK "\x22\x11\x00\x0c" ADDR4, NULL), /* no such command */
	H(MARK "\x21\x11\x00\x04" ADDR4, NULL), /* too short for its addresses */
	H(MARK "\x21\x11\xff\xff" ADDR4, NULL), /* longer than allowed */
	H("\r\n\r\n\0\r\nQUIX\n", NULL),
};

enum { BAD = sizeof bad / sizeof *bad };

START_TEST(bad_header_is_let_go_without_a_word)
{
	struct server *s = server_start(BEHIND(""));
	struct peer *canary = told_in(s, "192.0.2.7"), *p;

	for (int i = 0; i < BAD; i++) {
		p = by_proxy(s);
		peer_send_bytes(p, bad[i].bytes, bad[i].n);
		peer_drop(p);
		ck_assert_uint_eq(p->in.len, 0);
		peer_close(p);
	}
	p = by_proxy(s);
	peer_send(p, "PROXY TCP4 192.0");
	peer_half_close(p);
	peer_drop(p);
	(void)server_wait_log(s, "ev=chat_refused peer=127.0.0.2: why=proxy_header");
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b2_header_that_takes_too_long_is_let_go)
{
	struct server *s = server_start(BEHIND("") "timeouts = { message = \"300ms\"; };\n");
	struct peer *canary = told_in(s, "192.0.2.7"), *silent = by_proxy(s), *slow = by_proxy(s);

	for (const char *c = TOLD; *c && !slow->ended; c++) {
		peer_wait_any(&slow, 1, 50);
		peer_push(slow, c, 1);
		(void)peer_fill(slow);
	}
	peer_drop(slow);
	peer_eof(silent);
	(void)server_wait_log(s, "ev=chat_refused why=timeout");
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(header_of_somebody_else_is_text)
{
	struct server *s = server_start(BEHIND(""));
	struct peer *p = peer_open_from("127.0.0.3", s->address, DOOR_PORT);

	peer_expect(p, GREETING);
	expect_peer(s, "127.0.0.3:");
	peer_send(p, TOLD);
	peer_expect_prefix(p, "ERR no-user ");
	scene_hello(p, "me::hi");
	ck_assert_int_eq(server_count_log(s, "192.0.2.7"), 0);
	scene_end(s, NULL);
}
END_TEST

/* --- what counts ----------------------------------------------------------------------------- */

START_TEST(networks_are_those_of_whom_the_proxy_names)
{
	struct server *s = server_start(
	    BEHIND("allow = (\"192.0.2.0/24\", \"127.0.0.4\"); deny = \"192.0.2.9\";"));
	struct peer *p;

	scene_hello(told_in(s, "192.0.2.7"), "me::hi");
	peer_eof(told(s, "192.0.2.9"));
	(void)server_wait_log(s, "ev=chat_refused peer=192.0.2.9:4711 why=address");
	peer_eof(told(s, "127.0.0.2"));
	p = by_proxy(s);
	peer_send(p, "PROXY UNKNOWN\r\n"); /* the proxy itself is in no such network */
	peer_eof(p);
	p = peer_open_from("127.0.0.4", s->address, DOOR_PORT);
	peer_expect(p, GREETING);
	p = peer_open_from("127.0.0.5", s->address, DOOR_PORT);
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(b6_chats_are_counted_for_whom_the_proxy_names)
{
	struct server *s =
	    server_start(PLAIN POOL(2) HELLO PROXY("") "limits = { chats_per_address = 1; };\n");
	struct peer *a = told_in(s, "192.0.2.7"), *b = told(s, "192.0.2.7");
	int64_t by_ms = lapse_now_ms() + 3 * SERVER_MS;
	int n;

	peer_expect_prefix(b, "ERR busy ");
	peer_eof(b);
	(void)server_wait_log(s, "ev=chat_refused peer=192.0.2.7:4711 limit=chats_per_address");
	(void)told_in(s, "192.0.2.8");
	(void)moving_chat(s, scene_chat(s));
	b = told(s, "192.0.2.7"); /* wherever a is now */
	peer_expect_prefix(b, "ERR busy ");
	peer_eof(b);
	n = server_count_log(s, "ev=chat_close reason=eof");
	peer_close(a);
	while (server_count_log(s, "ev=chat_close reason=eof") == n && lapse_now_ms() < by_ms)
		procfs_tick();
	scene_hello(told_in(s, "192.0.2.7"), "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b8_rates_are_those_of_whom_the_proxy_names)
{
	struct server *s = server_start(
	    PLAIN POOL(2) HELLO PROXY("") "limits = { messages_per_minute_per_address = 2; };\n");
	struct peer *a = told_in(s, "192.0.2.7"), *b = told_in(s, "192.0.2.7");

	scene_hello(a, "me::1");
	scene_hello(b, "me::2");
	peer_send(a, "3\n");
	peer_expect_prefix(a, "ERR rate ");
	scene_hello(told_in(s, "192.0.2.8"), "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- who it is, later ------------------------------------------------------------------------ */

/* Does the list of chats have one of this peer? */
static void
expect_listed(struct server *s, const char *from)
{
	char *text = operator_ask(s, "chats");

	ck_assert_msg(strstr(text, from) != NULL, "no %s in: %s", from, text);
	free(text);
}

START_TEST(d14_name_goes_along_when_the_chat_moves)
{
	struct server *s = server_start(BEHIND(""));
	struct peer *p = told_in(s, "192.0.2.7"), *q;

	scene_hello(p, "me::hi");
	expect_listed(s, "192.0.2.7:4711");
	(void)moving_done(s, server_worker_of(s, 4711));
	scene_hello(p, "hi");
	expect_listed(s, "192.0.2.7:4711");
	q = told_in(s, "192.0.2.8");
	expect_listed(s, "192.0.2.8:4711");
	scene_hello(q, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(h6_name_goes_along_in_an_upgrade)
{
	struct server *s = server_start(BEHIND("allow = \"192.0.2.0/24\";"));
	struct peer *p = told_in(s, "192.0.2.7"), *half = by_proxy(s);
	pid_t old;

	scene_hello(p, "me::hi");
	peer_send(half, "PROXY TCP4 192.0.2.8 ");
	(void)scene_chat(s);
	old = moving_upgrade_begin(s);
	peer_send(half, "198.51.100.1 4712 80\r\n");
	peer_expect(half, GREETING);
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, s->workers, SERVER_MS);
	scene_hello(p, "hi");
	scene_hello(half, "me::hi");
	expect_listed(s, "192.0.2.7:4711");
	expect_listed(s, "192.0.2.8:4712");
	peer_close_all();
	server_baseline(s);
	s->worker_slack = 8;
	scene_end(s, NULL);
}
END_TEST

Suite *
proxy_suite(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tc = scene_case(suite, "header");

	tcase_add_loop_test(tc, header_names_who_comes, 0, GOOD);
	tcase_add_loop_test(tc, header_may_come_byte_by_byte, 0, GOOD);
	tcase_add_test(tc, much_text_may_follow_in_the_same_packet);
	tcase_add_test(tc, bad_header_is_let_go_without_a_word);
	tcase_add_test(tc, b2_header_that_takes_too_long_is_let_go);
	tcase_add_test(tc, header_of_somebody_else_is_text);
	tc = scene_case(suite, "named");
	tcase_add_test(tc, networks_are_those_of_whom_the_proxy_names);
	tcase_add_test(tc, b6_chats_are_counted_for_whom_the_proxy_names);
	tcase_add_test(tc, b8_rates_are_those_of_whom_the_proxy_names);
	tcase_add_test(tc, d14_name_goes_along_when_the_chat_moves);
	tcase_add_test(tc, h6_name_goes_along_in_an_upgrade);
	return suite;
}
