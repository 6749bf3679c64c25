/* test_token.c - doors with a token (row B2 for it: a first line that never ends). */
#include "e2e/moving.h"
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words, and what sha256sum says of them. */
#define SECRET       "open-sesame-0123456789abcdef"
#define SECRET_HEX   "78cdaa9297006388412b69aae5ee3a5a31907a66b5ff707ce04ea6df8da073c2"
#define SECOND       "second-secret-fedcba9876543210"
#define SECOND_HEX   "1f2d428a8ac2416b35e2d552c5fccbeda17764541960c5a36c77f5b3b6f54a99"
#define TOKENS(list) "{ address = \"$ADDR\"; port = 9998; token = " list "; }"
#define DOORS(list)  "listen = ( { address = \"$ADDR\"; port = 9999; }, " TOKENS(list) " );\n"
#define ONE_TOKEN    "\"sha256:" SECRET_HEX "\""
#define TWO          "(\"sha256:" SECOND_HEX "\", \"sha256:" SECRET_HEX "\")"
#define TALKATIVE    "log = { level = \"debug\"; messages = true; };\n"
#define LOCKED                                                                                     \
	PLAIN POOL(2) NO_RATE HELLO DOORS(ONE_TOKEN)                                               \
	TALKATIVE

enum { DOOR_PORT = 9998, LINE_BYTES = 512 };

static struct peer *
at_door(struct server *s)
{
	return peer_open(s->address, DOOR_PORT);
}

static struct peer *
let_in(struct server *s, const char *secret)
{
	struct peer *p = at_door(s);

	peer_sendf(p, "TOKEN %s\n", secret);
	peer_expect(p, GREETING);
	return p;
}

/* Nobody learns the secret from us, nor what it comes to. */
static void
end_without_secret(struct server *s)
{
	ck_assert_int_eq(server_count_log(s, "sesame"), 0);
	ck_assert_int_eq(server_count_log(s, SECRET_HEX), 0);
	ck_assert_int_eq(server_count_log(s, "second-secret"), 0);
	scene_end(s, NULL);
}

/* --- right and wrong ------------------------------------------------------------------------- */

START_TEST(right_token_opens_the_door)
{
	struct server *s = server_start(LOCKED);
	struct peer *p = at_door(s);

	scene_hello(scene_chat(s), "me::hi"); /* the other door asks for none */
	ck_assert_int_eq(peer_fill(p), PEER_NOTHING);
	peer_send(p, "TOKEN " SECRET "\n");
	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	scene_hello(p, "TOKEN " SECOND); /* just a text by now */
	scene_hello(let_in(s, SECRET "\r"), "me::hi");
	ck_assert_int_eq(server_count_log(s, "sesame"), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(wrong_token_is_denied_and_closed)
{
	static const char *const lines[] = { "TOKEN " SECOND "\n", "TOKEN " SECRET "x\n",
		"TOKEN " SECRET " \n", "TOKEN  " SECRET "\n", "token " SECRET "\n", SECRET "\n",
		"TOKEN\n", "TOKEN \n", "\n", "\r\n", "me::hi\n", "TOKEN sha256:" SECRET_HEX "\n",
		"TOKEN " SECRET_HEX "\n", "GET / HTTP/1.1\r\n\r\n", "{\"text\":\"hi\"}\n",
		"TOKEN open-sesame\nTOKEN " SECRET "\n", "TOKEN " SECRET "\r\r\n",
		"\x16\x03\x01\x02\n" };
	struct server *s = server_start(LOCKED);
	struct peer *canary = let_in(s, SECRET);

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct peer *p = at_door(s);

		peer_send(p, lines[i]);
		peer_expect_prefix(p, "ERR denied ");
		peer_eof(p);
		peer_close(p);
	}
	ck_assert_int_ge(server_count_log(s, "ev=chat_refused why=token"), 10);
	scene_hello(canary, "me::hi");
	end_without_secret(s);
}
END_TEST

START_TEST(first_line_without_end_is_denied)
{
	char line[LINE_BYTES + 1] = "TOKEN ";
	struct server *s = server_start(LOCKED);
	struct peer *p = at_door(s), *q = at_door(s), *r = at_door(s), *t = at_door(s);

	memset(line + 6, 'x', LINE_BYTES - 6);
	peer_send_bytes(p, line, LINE_BYTES - 1);
	peer_send_bytes(q, line, LINE_BYTES);
	peer_expect_prefix(q, "ERR denied ");
	peer_eof(q);
	ck_assert_int_eq(peer_fill(p), PEER_NOTHING);
	peer_send(p, "\n"); /* the last byte there is room for */
	peer_expect_prefix(p, "ERR denied ");
	peer_send(r, "TOKEN " SECRET);
	peer_half_close(r);
	peer_expect_prefix(r, "ERR denied ");
	peer_eof(r);
	peer_half_close(t);
	peer_drop(t);
	end_without_secret(s);
}
END_TEST

/* However many bytes come meanwhile, and whatever they are. */
START_TEST(b2_first_line_that_takes_too_long_is_let_go)
{
	struct server *s = server_start(LOCKED "timeouts = { message = \"300ms\"; };\n");
	struct peer *canary = let_in(s, SECRET), *silent = at_door(s), *slow = at_door(s);

	while (!slow->ended) {
		peer_wait_any(&slow, 1, 50);
		peer_push(slow, "x", 1);
		(void)peer_fill(slow);
	}
	peer_eof(silent);
	(void)server_wait_log(s, "ev=chat_refused why=timeout");
	scene_hello(canary, "me::hi");
	end_without_secret(s);
}
END_TEST

/* Such a door does not say what it waits for: the client does. */
START_TEST(client_without_the_token_is_told_what_may_be_wrong)
{
	struct server *s = server_start(LOCKED "timeouts = { message = \"1s\"; };\n");
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotu", "-m", "hi", "$ADDR:9998"));

	ck_assert_int_eq(d.status, 1);
	ck_assert_ptr_nonnull(strstr(d.err, "--token-file"));
	scene_free(&d);
	end_without_secret(s);
}
END_TEST

/* --- what comes behind it -------------------------------------------------------------------- */

START_TEST(token_and_chat_may_come_in_one_packet)
{
	struct server *s = server_start(LOCKED);
	struct peer *p = at_door(s), *q = at_door(s);

	peer_send(p, "TOKEN " SECRET "\nme::one\ntwo\n");
	peer_expect(p, GREETING "Hello, one!\nHello, two!\n");
	peer_send(q, "TOKEN " SECRET "\r\nme::one\ntwo");
	peer_half_close(q);
	peer_expect(q, GREETING "Hello, one!\nHello, two!\n");
	peer_eof(q);
	end_without_secret(s);
}
END_TEST

START_TEST(token_and_chat_may_come_byte_by_byte)
{
	static const char text[] = "TOKEN " SECRET "\r\nme::one\n";
	struct server *s = server_start(LOCKED);
	struct peer *p = at_door(s);

	for (const char *c = text; *c; c++)
		peer_send_bytes(p, c, 1);
	peer_expect(p, GREETING "Hello, one!\n");
	end_without_secret(s);
}
END_TEST

START_TEST(every_dialect_may_follow_a_token)
{
	struct server *s = server_start(LOCKED);
	struct peer *p = let_in(s, SECRET), *q = let_in(s, SECRET), *r = at_door(s);

	ck_assert_str_eq(scene_ask_json(p, "hi"), "Hello, hi!");
	peer_send(q, "me::hi"); /* raw */
	peer_expect(q, "Hello, hi!");
	peer_send(r, "TOKEN " SECRET "\nme::hi");
	peer_expect(r, GREETING "Hello, hi!");
	end_without_secret(s);
}
END_TEST

/* --- changing over --------------------------------------------------------------------------- */

START_TEST(two_tokens_open_the_same_door_and_a_reload_changes_them)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO DOORS(TWO) TALKATIVE);
	struct peer *a = let_in(s, SECRET), *b = let_in(s, SECOND), *waits = at_door(s), *p;

	scene_hello(a, "me::a");
	scene_hello(b, "me::b");
	server_config(s, PLAIN POOL(2) NO_RATE HELLO DOORS("\"sha256:" SECOND_HEX "\"") TALKATIVE);
	server_reload_ok(s);
	p = at_door(s);
	peer_send(p, "TOKEN " SECRET "\n");
	peer_expect_prefix(p, "ERR denied ");
	scene_hello(let_in(s, SECOND), "me::c");
	scene_hello(a, "still here");
	peer_close(waits);
	server_config(s, PLAIN POOL(2) NO_RATE HELLO DOORS("\"sha256:1234\"") TALKATIVE);
	server_reload_rejected(s, "token");
	scene_hello(let_in(s, SECOND), "me::d");
	end_without_secret(s);
}
END_TEST

START_TEST(dump_and_control_socket_mask_the_token)
{
	struct server *s = server_start(LOCKED);
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotud", "-T", "-c", "$CONF"));
	struct scene_done c =
	    scene_run(s, NULL, ARGS("xiaotuctl", "-s", "$DIR/control.sock", "config"));

	ck_assert_int_eq(d.status, 0);
	ck_assert_int_eq(c.status, 0);
	ck_assert_ptr_nonnull(strstr(d.out, "token"));
	ck_assert_ptr_nonnull(strstr(c.out, "token"));
	ck_assert_ptr_null(strstr(d.out, SECRET_HEX));
	ck_assert_ptr_null(strstr(c.out, SECRET_HEX));
	scene_free(&d);
	scene_free(&c);
	end_without_secret(s);
}
END_TEST

/* --- moving ---------------------------------------------------------------------------------- */

START_TEST(d14_chat_behind_a_token_moves)
{
	struct server *s = server_start(LOCKED);
	struct peer *p = let_in(s, SECRET);

	scene_hello(p, "me::one");
	(void)moving_chat(s, p);
	scene_hello(p, "two");
	scene_hello(let_in(s, SECRET), "me::three");
	end_without_secret(s);
}
END_TEST

/* Who stands at the door when the program is replaced comes in all the same. */
START_TEST(h6_token_may_be_said_during_an_upgrade)
{
	struct server *s = server_start(LOCKED);
	struct peer *in = let_in(s, SECRET), *p = at_door(s), *half = at_door(s), *bad = at_door(s);
	pid_t old;

	scene_hello(in, "me::one");
	peer_send(half, "TOKEN open-");
	(void)scene_chat(s); /* whoever came before was taken */
	(void)scene_chat(s);
	old = moving_upgrade_begin(s);
	peer_send(half, "sesame-0123456789abcdef\nme::two\n");
	peer_expect(half, GREETING "Hello, two!\n");
	peer_send(bad, "TOKEN " SECOND "\n");
	peer_expect_prefix(bad, "ERR denied ");
	peer_eof(bad);
	peer_close(bad);
	peer_send(p, "TOKEN " SECRET "\n");
	peer_expect(p, GREETING);
	scene_hello(p, "me::three");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, s->workers, SERVER_MS);
	scene_hello(half, "four");
	scene_hello(p, "five");
	scene_hello(in, "six");
	peer_close_all();
	server_baseline(s);
	s->worker_slack = 8;
	end_without_secret(s);
}
END_TEST

Suite *
token_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tc = scene_case(suite, "token");

	tcase_add_test(tc, right_token_opens_the_door);
	tcase_add_test(tc, wrong_token_is_denied_and_closed);
	tcase_add_test(tc, first_line_without_end_is_denied);
	tcase_add_test(tc, b2_first_line_that_takes_too_long_is_let_go);
	tcase_add_test(tc, client_without_the_token_is_told_what_may_be_wrong);
	tcase_add_test(tc, token_and_chat_may_come_in_one_packet);
	tcase_add_test(tc, token_and_chat_may_come_byte_by_byte);
	tcase_add_test(tc, every_dialect_may_follow_a_token);
	tcase_add_test(tc, two_tokens_open_the_same_door_and_a_reload_changes_them);
	tcase_add_test(tc, dump_and_control_socket_mask_the_token);
	tcase_add_test(tc, d14_chat_behind_a_token_moves);
	tcase_add_test(tc, h6_token_may_be_said_during_an_upgrade);
	return suite;
}
