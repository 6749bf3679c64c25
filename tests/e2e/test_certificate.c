/* test_certificate.c - certificates of doors and of clients, what else a door behind TLS asks, and
 * how chats behind TLS end when their worker or program leaves. */
#include "e2e/locked.h"
#include "e2e/moving.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOLD         "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"
#define SECRET       "open-sesame-0123456789abcdef"
#define TOKEN        "token = \"sha256:78cdaa9297006388412b69aae5ee3a5a31907a66b5ff707ce04ea6df8da073c2\";"
#define ONE_DOOR(x)  "listen = ( { address = \"$ADDR\"; port = 9999; " x " } );\n"
#define MODEL_SERVER PLAIN POOL(2) NO_RATE TURING LOCKED_DOORS("")

/* --- what else is asked ---------------------------------------------------------------------- */

START_TEST(proxy_header_comes_before_tls)
{
	struct server *s =
	    locked_start(PLAIN POOL(2) NO_RATE HELLO LOCKED_DOORS("proxy_from = \"127.0.0.0/8\";"));
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .first = TOLD });

	(void)server_wait_log(s, "ev=chat_open peer=192.0.2.7:4711 tls=TLSv1.3");
	scene_hello(p, "me::hi");
	p = locked_open(s, &(struct tlspeer){ .first = NULL });
	peer_expect(p, TLSPEER_REFUSED);
	(void)server_wait_log(s, "ev=chat_refused why=proxy_header");
	scene_end(s, NULL);
}
END_TEST

START_TEST(token_comes_inside_tls)
{
	struct server *s = locked_start(PLAIN POOL(2) NO_RATE HELLO LOCKED_DOORS(TOKEN));
	struct peer *p = locked_open(s, &(struct tlspeer){ .record_bytes = 0 }), *q;

	peer_send(p, "TOKEN " SECRET "\nme::hi\n");
	peer_expect(p, GREETING "Hello, hi!\n");
	q = locked_open(s, &(struct tlspeer){ .record_bytes = 1 });
	peer_send(q, "TOKEN " SECRET "\r\nme::hi\n");
	peer_expect(q, GREETING "Hello, hi!\n");
	q = locked_open(s, &(struct tlspeer){ .record_bytes = 0 });
	peer_send(q, "TOKEN nothing\n");
	peer_expect_prefix(q, "ERR denied ");
	peer_eof(q);
	scene_hello(p, "again");
	ck_assert_int_eq(server_count_log(s, "sesame"), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(networks_are_looked_at_before_tls)
{
	struct server *s =
	    locked_start(PLAIN POOL(2) NO_RATE HELLO LOCKED_DOORS("deny = \"127.0.0.0/8\";"));

	peer_expect(locked_open(s, &(struct tlspeer){ .first = NULL }), TLSPEER_REFUSED);
	(void)server_wait_log(s, "ev=chat_refused why=address");
	peer_eof(peer_open(s->address, LOCKED_PORT));
	scene_end(s, NULL);
}
END_TEST

START_TEST(b6_cap_is_told_inside_tls)
{
	struct server *s =
	    locked_start(PLAIN POOL(2) HELLO LOCKED_DOORS("") "limits = { chats = 1; };\n");
	struct peer *p = locked_chat(s), *q = locked_open(s, &(struct tlspeer){ .first = NULL });

	peer_expect_prefix(q, "ERR busy ");
	peer_eof(q);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- clients' certificates ------------------------------------------------------------------- */

#define CLIENT_DOOR                                                                                \
	"listen = ( { address = \"$ADDR\"; port = 9998; " LOCKED_TLS(                              \
	    "client_ca = \"$DIR/ca.pem\";") " } );\n"

static void
make_other(const struct server *s)
{
	ck_assert_int_eq(mkdir(locked_path(s, "other"), 0700), 0);
	certs_make(locked_path(s, "other"), "door", s->address, 1);
	certs_make_client(locked_path(s, "other"), "ann");
}

/* In TLS 1.3 the client is done before the server has looked at its certificate. */
static void
expect_refused(struct peer *p)
{
	const char *line = peer_line(p);

	if (strcmp(line, "[refused]") != 0 && strcmp(line, "[cut]") != 0)
		ck_abort_msg("expected a refusal, heard \"%s\"", line);
	peer_eof(p);
}

START_TEST(client_must_show_a_certificate_of_the_ca)
{
	struct server *s = locked_start(PLAIN POOL(2) NO_RATE HELLO CLIENT_DOOR);
	struct tlspeer t = { .most = _i };
	struct peer *p;

	make_other(s);
	certs_make_client(s->folder, "ann");
	t.cert = locked_path(s, "ann.pem");
	t.key = locked_path(s, "ann.key");
	p = locked_chat_with(s, &t);
	scene_hello(p, "me::hi");
	expect_refused(locked_open(s, &(struct tlspeer){ .most = _i }));
	(void)server_wait_log(s, "ev=chat_refused why=\"peer did not return a certificate\"");
	t.cert = locked_path(s, "other/ann.pem");
	t.key = locked_path(s, "other/ann.key");
	expect_refused(locked_open(s, &t));
	(void)server_wait_log(s, "ev=chat_refused why=\"certificate verify failed\"");
	t.cert = locked_path(s, "door.pem"); /* of our CA, but a server's */
	t.key = locked_path(s, "door.key");
	expect_refused(locked_open(s, &t));
	scene_hello(p, "again");
	scene_end(s, NULL);
}
END_TEST

/* --- reload ---------------------------------------------------------------------------------- */

static void
put_file(const struct server *s, const char *from, const char *to)
{
	ck_assert_int_eq(rename(locked_path(s, from), locked_path(s, to)), 0);
}

START_TEST(new_certificate_is_shown_after_a_reload)
{
	struct server *s = locked_start(LOCKED_HELLO(2));
	const struct tlspeer old_ca = { .ca = locked_path(s, "ca.pem") };
	const struct tlspeer new_ca = { .ca = locked_path(s, "other/ca.pem") };
	struct peer *p = locked_chat_with(s, &old_ca);

	scene_hello(p, "me::hi");
	make_other(s);
	put_file(s, "other/door.pem", "door.pem");
	put_file(s, "other/door.key", "door.key");
	scene_hello(locked_chat_with(s, &old_ca), "me::before");
	server_reload_ok(s);
	for (int i = 0; i < 6; i++) {
		scene_hello(locked_chat_with(s, &new_ca), "me::after");
		peer_expect(locked_open(s, &old_ca), TLSPEER_REFUSED);
	}
	scene_hello(p, "still here");
	scene_end(s, NULL);
}
END_TEST

/* Mend what the test spoilt; the certificate itself never changed. */
START_TEST(bad_certificate_at_a_reload_changes_nothing)
{
	static const char *const words[] = { "tls.cert", "tls.key", "tls", "tls.key", "client_ca" };
	struct server *s = locked_start(LOCKED_HELLO(2));
	struct peer *p = locked_chat(s);
	FILE *f;

	make_other(s);
	if (_i == 0) {
		put_file(s, "door.pem", "door.gone");
	} else if (_i == 1) {
		put_file(s, "door.key", "key.gone");
	} else if (_i == 2) {
		put_file(s, "other/door.key", "door.key");
	} else if (_i == 3) {
		ck_assert_int_eq(chmod(locked_path(s, "door.key"), 0644), 0);
	} else {
		f = fopen(locked_path(s, "empty"), "we");
		ck_assert_ptr_nonnull(f);
		fclose(f);
		server_config(s, PLAIN POOL(2) NO_RATE HELLO
		    "listen = ( { address = \"$ADDR\"; port = 9998; " LOCKED_TLS(
			"client_ca = \"$DIR/empty\";") " } );\n");
	}
	server_reload_rejected(s, words[_i]);
	scene_hello(locked_chat(s), "me::new");
	scene_hello(p, "me::old");
	scene_end(s, NULL);
}
END_TEST

START_TEST(door_changes_from_plain_to_tls_and_back)
{
	static const char plain[] = PLAIN POOL(2) NO_RATE HELLO ONE_DOOR("");
	static const char tls[] = PLAIN POOL(2) NO_RATE HELLO ONE_DOOR(LOCKED_TLS(""));
	struct server *s = locked_start(plain);
	const struct tlspeer t = { .ca = locked_path(s, "ca.pem") };
	struct peer *a = scene_chat(s), *b, *p;

	server_config(s, tls);
	server_reload_ok(s);
	b = tlspeer_open(s->address, SERVER_PORT, &t);
	peer_expect(b, GREETING);
	scene_hello(b, "me::b");
	p = peer_open(s->address, SERVER_PORT);
	peer_send(p, "me::hi\n");
	peer_drop(p);
	scene_hello(a, "me::a");
	server_config(s, plain);
	server_reload_ok(s);
	scene_hello(scene_chat(s), "me::c");
	scene_hello(a, "still here");
	scene_hello(b, "here, too");
	scene_end(s, NULL);
}
END_TEST

/* --- leaving --------------------------------------------------------------------------------- */

static void
hold(struct fakebot *b)
{
	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
}

static void
release(struct fakebot *b)
{
	fakebot_echo(b);
	fakebot_release(b);
}

/* After its answers a chat behind TLS ends, while those beside it move. */
START_TEST(d14_chat_behind_tls_is_told_goodbye_when_its_worker_leaves)
{
	struct server *s = locked_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *chats[2], *p;
	pid_t worker;

	p = locked_chat(s);
	worker = server_worker_of(s, tlspeer_port());
	scene_chats_apart(s, chats);
	hold(b);
	peer_send(p, "me::hold\nnext\n");
	fakebot_wait_requests(b, 1);
	moving_begin(s, worker);
	release(b);
	peer_expect(p, "echo:hold\necho:next\n");
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
	(void)moving_end(s, worker);
	for (int i = 0; i < 2; i++) {
		peer_send(chats[i], "me::hi\n");
		peer_expect(chats[i], "echo:hi\n");
	}
	(void)server_wait_log(s, "ev=chat_close reason=drain");
	s->worker_slack = 4;
	scene_end(s, b);
}
END_TEST

/* Its worker stands still while they come: they are in the socket when it hears that it leaves. */
START_TEST(d14_message_that_has_come_by_then_is_answered)
{
	struct server *s = locked_start(LOCKED_HELLO(2));
	struct peer *p = locked_chat(s);
	pid_t worker = server_worker_of(s, tlspeer_port());

	scene_hello(p, "me::one");
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	peer_send(p, "two\n");
	moving_begin(s, worker);
	peer_expect(p, "Hello, two!\n");
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
	(void)moving_end(s, worker);
	scene_end(s, NULL);
}
END_TEST

/* The old program may still take one; the next comes to the new one. */
static void
expect_newcomer(struct server *s)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	const char *line;

	do {
		struct peer *p = locked_chat(s);

		peer_push(p, "me::new\n", 8);
		line = peer_line(p);
		if (strcmp(line, "echo:new") == 0)
			return;
		ck_assert_int_eq(strncmp(line, "BYE shutdown ", 13), 0);
	} while (lapse_now_ms() < by_ms);
	ck_abort_msg("nobody new is let in");
}

START_TEST(h6_chat_behind_tls_is_told_goodbye_in_an_upgrade)
{
	struct server *s = locked_start(MODEL_SERVER "timeouts = { message = \"2s\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *busy = locked_chat(s), *idle = locked_chat(s), *plain = scene_chat(s);
	struct peer *half = peer_open(s->address, LOCKED_PORT);
	pid_t old;

	hold(b);
	peer_send(busy, "me::hold\n");
	fakebot_wait_requests(b, 1);
	peer_send(half, "\x16\x03\x01");
	old = moving_upgrade_begin(s);
	peer_expect_prefix(idle, "BYE shutdown ");
	peer_eof(idle);
	expect_newcomer(s);
	release(b);
	peer_expect(busy, "echo:hold\n");
	peer_expect_prefix(busy, "BYE shutdown ");
	peer_eof(busy);
	peer_drop(half);
	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, s->workers, SERVER_MS);
	peer_send(plain, "me::plain\n");
	peer_expect(plain, "echo:plain\n");
	peer_close_all();
	server_baseline(s);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(h1_chat_behind_tls_is_drained)
{
	struct server *s = locked_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *busy = locked_chat(s), *idle = locked_chat(s), *half;

	half = peer_open(s->address, LOCKED_PORT);
	hold(b);
	peer_send(busy, "me::hold\nnext\n");
	fakebot_wait_requests(b, 1);
	server_signal(s, SIGTERM);
	peer_expect_prefix(idle, "BYE shutdown ");
	peer_eof(idle);
	peer_drop(half);
	release(b);
	peer_expect(busy, "echo:hold\necho:next\n");
	peer_expect_prefix(busy, "BYE shutdown ");
	peer_eof(busy);
	peer_close_all();
	ck_assert_int_eq(server_wait_exit(s), 0);
	server_end(s);
	fakebot_stop(b);
}
END_TEST

Suite *
certificate_suite(void)
{
	Suite *suite = suite_create("certificate");
	TCase *tc = scene_case(suite, "door");

	tcase_add_test(tc, proxy_header_comes_before_tls);
	tcase_add_test(tc, token_comes_inside_tls);
	tcase_add_test(tc, networks_are_looked_at_before_tls);
	tcase_add_test(tc, b6_cap_is_told_inside_tls);
	tcase_add_loop_test(tc, client_must_show_a_certificate_of_the_ca, 0x0303, 0x0305);
	tc = scene_case(suite, "reload");
	tcase_add_test(tc, new_certificate_is_shown_after_a_reload);
	tcase_add_loop_test(tc, bad_certificate_at_a_reload_changes_nothing, 0, 5);
	tcase_add_test(tc, door_changes_from_plain_to_tls_and_back);
	tc = scene_case(suite, "leave");
	tcase_add_test(tc, d14_chat_behind_tls_is_told_goodbye_when_its_worker_leaves);
	tcase_add_test(tc, d14_message_that_has_come_by_then_is_answered);
	tcase_add_test(tc, h6_chat_behind_tls_is_told_goodbye_in_an_upgrade);
	tcase_add_test(tc, h1_chat_behind_tls_is_drained);
	return suite;
}
