/* test_tls.c - chats behind TLS. Rows of the matrix that are about TLS at a door:
 *   a16  cut off without a close_notify, which anybody on the way can do: half a message is no
 *        message, and no robot is asked
 *   b11  a handshake that is not gone on with, or a byte now and then; thousands of them: let go
 *        at timeouts.message, nobody else waits
 *   b12  renegotiation is refused; new keys are made, but not for one who does not read: no harm,
 *        no spinning */
#include "e2e/locked.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LOCKED_TURING PLAIN POOL(1) NO_RATE TURING LOCKED_DOORS("")
#define TIGHT         "timeouts = { message = \"300ms\"; };\n"

enum { HALF_OPEN = 2000, HELLO_BYTES = 2048, LINES = 400, ANSWER_BYTES = 200000, KEYS = 500000 };
enum { SPUN_MS = 2500 }; /* of 3000 and what it takes to get there */

/* --- versions -------------------------------------------------------------------------------- */

START_TEST(tls_of_a_good_version_talks)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	static const char *const names[] = { "tls=TLSv1.2", "tls=TLSv1.3" };
	struct server *s = locked_start(LOCKED_HELLO(2));
	const struct tlspeer t = {
		.ca = locked_path(s, "ca.pem"), .least = versions[_i], .most = versions[_i]
	};
	struct peer *p = locked_chat_with(s, &t);

	(void)server_wait_log(s, "ev=chat_open");
	ck_assert_int_eq(server_count_log(s, names[_i]), 1);
	scene_hello(p, "me::hi");
	scene_hello(p, "again");
	scene_hello(scene_chat(s), "me::plain");
	ck_assert_str_eq(scene_ask_json(locked_chat_with(s, &t), "hi"), "Hello, hi!");
	peer_send(p, "exit\n");
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(tls_of_an_old_version_is_refused)
{
	static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };
	struct server *s = locked_start(LOCKED_HELLO(2));
	struct peer *canary = locked_chat(s);
	struct peer *p =
	    locked_open(s, &(struct tlspeer){ .least = versions[_i], .most = versions[_i] });

	peer_expect(p, TLSPEER_REFUSED);
	(void)server_wait_log(s, "ev=chat_refused why=");
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(a4_what_is_no_tls_is_refused_and_reaches_no_robot)
{
	static const char *const texts[] = { "me::hi\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\x16\x03\x01\xff\xff\x01\xff\xff\xff",
		"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00" };
	struct server *s = locked_start(LOCKED_TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *canary = locked_chat(s);

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct peer *p = peer_open(s->address, LOCKED_PORT);

		peer_push(p, texts[i], strlen(texts[i]));
		(void)shutdown(p->fd, SHUT_WR); /* it may be gone by now */
		peer_drop(p);
		peer_close(p);
	}
	(void)server_wait_log(s, "ev=chat_refused why=");
	ck_assert_int_eq(fakebot_requests(b), 0);
	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(a3_tls_at_a_plain_door_is_refused)
{
	struct server *s = locked_start(LOCKED_HELLO(1));
	struct peer *p = tlspeer_open(s->address, SERVER_PORT, &(struct tlspeer){ .least = 0 });

	peer_expect(p, TLSPEER_REFUSED);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- b11: handshakes ------------------------------------------------------------------------- */

START_TEST(b11_handshake_that_takes_too_long_is_let_go)
{
	struct server *s = locked_start(LOCKED_HELLO(1) TIGHT);
	struct peer *canary = locked_chat(s), *silent = peer_open(s->address, LOCKED_PORT);
	struct peer *slow = peer_open(s->address, LOCKED_PORT);
	char hello[HELLO_BYTES];
	size_t n = tlspeer_hello(hello, sizeof hello);

	for (size_t i = 0; i + 1 < n && !slow->ended; i++) {
		peer_wait_any(&slow, 1, 20);
		peer_push(slow, hello + i, 1);
		(void)peer_fill(slow);
	}
	peer_drop(slow);
	peer_eof(silent);
	(void)server_wait_log(s, "ev=chat_refused why=timeout");
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b11_thousands_of_half_open_handshakes_stop_nobody)
{
	struct server *s = locked_start(LOCKED_HELLO(1) "timeouts = { message = \"20s\"; };\n");
	struct peer *canary = locked_chat(s), *late = NULL;
	int64_t best = INT64_MAX, began;
	char hello[HELLO_BYTES], source[16];
	size_t n = tlspeer_hello(hello, sizeof hello);

	for (int i = 0; i < HALF_OPEN; i++) {
		snprintf(source, sizeof source, "127.0.0.%d", 2 + i % 4);
		late = peer_open_from(source, s->address, LOCKED_PORT);
		peer_send_bytes(late, hello, i % 2 ? n / 2 : n);
	}
	for (int i = 0; i < 5; i++) {
		began = lapse_now_ms();
		scene_hello(canary, "me::hi");
		best = lapse_now_ms() - began < best ? lapse_now_ms() - began : best;
	}
	ck_assert_int_lt(best, 50);
	scene_hello(locked_chat(s), "me::new");
	scene_hello(scene_chat(s), "me::plain");
	ck_assert_int_eq(server_count_log(s, "ev=chat_refused"), 0);
	scene_end(s, NULL);
}
END_TEST

/* They are counted apart from the chats, by address. */
START_TEST(b11_half_open_handshakes_of_an_address_are_limited)
{
	struct server *s = locked_start(PLAIN POOL(1) HELLO LOCKED_DOORS(
	    "") "limits = { chats_per_address = 3; };\n timeouts = { message = \"20s\"; };\n");
	struct peer *chat = locked_chat(s), *last;

	for (int i = 0; i < 3; i++)
		(void)peer_open(s->address, LOCKED_PORT);
	last = peer_open(s->address, LOCKED_PORT);
	peer_drop(last);
	(void)server_wait_log(s, "ev=chat_refused why=entering");
	scene_hello(chat, "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- b12: renegotiation and new keys --------------------------------------------------------- */

START_TEST(b12_renegotiation_is_refused_and_does_no_harm)
{
	const struct tlspeer t = { .most = TLS1_2_VERSION, .anew = TLSPEER_RENEGOTIATE };
	struct server *s = locked_start(LOCKED_HELLO(1));
	struct peer *canary = locked_chat(s);

	for (int i = 0; i < 20; i++) {
		struct peer *p = locked_chat_with(s, &t);

		peer_send(p, "me::hi\n");
		peer_expect(p, TLSPEER_NOT_ANEW);
		peer_close(p);
		scene_hello(canary, "me::hi");
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(b12_new_keys_are_made_in_mid_chat)
{
	const struct tlspeer t = {
		.least = TLS1_3_VERSION, .anew = TLSPEER_NEW_KEYS, .anew_times = 5
	};
	struct server *s = locked_start(LOCKED_HELLO(1));
	struct peer *p = locked_chat_with(s, &t);

	for (int i = 0; i < 20; i++)
		scene_hello(p, "me::hi");
	peer_half_close(p);
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

/* Each is answered, until the socket is full of answers that nobody reads: then the worker waits,
 * and does not try again and again. */
START_TEST(b12_new_keys_for_one_who_does_not_read_are_not_made_in_vain)
{
	const struct tlspeer t = {
		.least = TLS1_3_VERSION, .anew = TLSPEER_NEW_KEYS, .anew_times = KEYS
	};
	struct server *s = locked_start(LOCKED_HELLO(1) "timeouts = { message = \"3s\"; };\n");
	struct peer *p = locked_chat_with(s, &t), *canary = scene_chat(s);
	int64_t used;
	pid_t worker;

	ck_assert_int_eq(server_pids(s, &worker), 1);
	used = procfs_cpu_ms(worker);
	peer_send(p, "me::hi\n");
	/* Megabytes fit between the two, a few bytes for each new key: whether they are filled is
	 * the kernel's affair. That nobody spins is looked at in the end, too. */
	for (int64_t by_ms = lapse_now_ms() + SERVER_MS; lapse_now_ms() < by_ms; procfs_tick())
		if (server_count_log(s, "ev=chat_close chat=1 reason=slow_reader") > 0)
			break;
	if (server_count_log(s, "ev=chat_close chat=1 reason=slow_reader") > 0)
		ck_assert_int_lt(procfs_cpu_ms(worker) - used, SPUN_MS);
	scene_hello(canary, "me::hi");
	peer_close(p);
	scene_end(s, NULL);
}
END_TEST

/* --- a16: the end of the stream -------------------------------------------------------------- */

START_TEST(a16_half_a_message_that_is_cut_off_asks_nobody)
{
	struct server *s = locked_start(LOCKED_TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .cut = _i == 0 });

	peer_send(p, "me::one\n");
	peer_expect(p, "echo:one\n");
	peer_send(p, "delete everything older than 1");
	peer_half_close(p);
	if (_i == 0) {
		peer_expect(p, TLSPEER_CUT);
		(void)server_wait_log(s, "ev=chat_close reason=reset");
		ck_assert_int_eq(fakebot_requests(b), 1);
	} else {
		peer_expect(p, "echo:delete everything older than 1\n");
		peer_eof(p);
		(void)server_wait_log(s, "ev=chat_close reason=eof");
		ck_assert_int_eq(fakebot_requests(b), 2);
	}
	scene_end(s, b);
}
END_TEST

/* As long as the silence that ends one has not come. */
START_TEST(a16_first_message_without_newline_that_is_cut_off_asks_nobody)
{
	struct server *s = locked_start(LOCKED_TURING "timeouts = { quiet = \"5s\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .cut = _i == 0 });

	peer_send(p, "me::one");
	peer_half_close(p);
	if (_i == 0)
		peer_expect(p, TLSPEER_CUT);
	else
		peer_expect(p, "echo:one");
	ck_assert_int_eq(fakebot_requests(b), _i);
	scene_end(s, b);
}
END_TEST

START_TEST(a12_half_close_gets_the_whole_answer)
{
	struct server *s = locked_start(LOCKED_TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = locked_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .delay_ms = 100 });
	peer_send(p, "me::one\ntwo\n");
	peer_half_close(p);
	peer_expect(p, "echo:one\necho:two\n");
	peer_eof(p);
	scene_end(s, b);
}
END_TEST

/* --- records --------------------------------------------------------------------------------- */

START_TEST(a7_records_of_one_byte_are_a_message)
{
	struct server *s = locked_start(LOCKED_HELLO(1));
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .record_bytes = 1 });

	scene_hello(p, "me::好好学习");
	scene_hello(p, "天天向上");
	scene_end(s, NULL);
}
END_TEST

/* A record has up to 16 KiB, of which the chat's buffer takes a part at a time: the rest is not in
 * the socket any more, so no event tells of it. */
START_TEST(record_with_many_messages_is_answered_to_the_end)
{
	struct server *s = locked_start(PLAIN POOL(1) HELLO LOCKED_DOORS(
	    "") "limits = { messages_per_minute = 0; message_bytes = 64; };\n");
	struct peer *p = locked_chat(s);
	char *text = mem_zalloc(LINES * 64);
	size_t n = 0;

	for (int i = 0; i < LINES; i++)
		n += (size_t)sprintf(text + n, "me::%030d\n", i);
	peer_send_bytes(p, text, n);
	for (int i = 0; i < LINES; i++) {
		const char *line = peer_line(p);

		if (strncmp(line, "Hello, 0", 8) != 0 && strncmp(line, "ERR busy ", 9) != 0)
			ck_abort_msg("outcome %d: \"%s\"", i, line);
	}
	free(text);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(a2_endless_record_without_newline_is_too_long)
{
	struct server *s = locked_start(LOCKED_HELLO(1));
	struct peer *canary = locked_chat(s), *p = locked_chat(s);
	char *text = mem_zalloc(100000);

	memset(text, 'x', 100000);
	peer_send_bytes(p, "me::", 4);
	peer_push(p, text, 100000);
	peer_expect_prefix(p, "ERR too-long ");
	peer_drop(p);
	free(text);
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* --- answers --------------------------------------------------------------------------------- */

static char *
long_answer(void)
{
	static const char head[] = "{\"code\":100000,\"text\":\"", tail[] = "\"}";
	char *body = mem_zalloc(sizeof head + ANSWER_BYTES + sizeof tail);

	memcpy(body, head, sizeof head - 1);
	memset(body + sizeof head - 1, 'x', ANSWER_BYTES);
	memcpy(body + sizeof head - 1 + ANSWER_BYTES, tail, sizeof tail);
	return body;
}

START_TEST(b4_chat_behind_tls_that_never_reads_is_closed)
{
	struct server *s = locked_start(LOCKED_TURING "timeouts = { message = \"500ms\"; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .narrow = true });
	struct peer *canary = locked_chat(s);
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	char *body = long_answer();

	fakebot_play(b, &(struct fakebot_script){ .only = "more", .body = body });
	for (int i = 1; server_count_log(s, "ev=chat_close") == 0 && lapse_now_ms() < by_ms; i++) {
		peer_push(p, "me::more\n", 9);
		while (fakebot_requests(b) < i && server_count_log(s, "ev=chat_close") == 0 &&
		       lapse_now_ms() < by_ms)
			procfs_tick();
	}
	(void)server_wait_log(s, "ev=chat_close reason=slow_reader");
	free(body);
	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(large_answers_come_whole_and_the_stream_ends_in_order)
{
	struct server *s = locked_start(LOCKED_TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = locked_chat_with(s, &(struct tlspeer){ .narrow = true });
	char *body = long_answer();

	fakebot_play(b, &(struct fakebot_script){ .only = "more", .body = body });
	peer_send(p, "me::more\nmore\nmore\nmore\n");
	peer_half_close(p);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(strlen(peer_line(p)), ANSWER_BYTES);
	peer_eof(p);
	free(body);
	scene_end(s, b);
}
END_TEST

START_TEST(b1_goodbye_behind_tls_ends_with_a_close_notify)
{
	struct server *s = locked_start(LOCKED_HELLO(1) "timeouts = { idle = \"300ms\"; };\n");
	struct peer *p = locked_chat(s);

	peer_expect_prefix(p, "BYE idle ");
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

static void
add_ends(TCase *tc)
{
	tcase_add_loop_test(tc, a16_half_a_message_that_is_cut_off_asks_nobody, 0, 2);
	tcase_add_loop_test(
	    tc, a16_first_message_without_newline_that_is_cut_off_asks_nobody, 0, 2);
	tcase_add_test(tc, a12_half_close_gets_the_whole_answer);
	tcase_add_test(tc, a7_records_of_one_byte_are_a_message);
	tcase_add_test(tc, record_with_many_messages_is_answered_to_the_end);
	tcase_add_test(tc, a2_endless_record_without_newline_is_too_long);
	tcase_add_test(tc, b4_chat_behind_tls_that_never_reads_is_closed);
	tcase_add_test(tc, large_answers_come_whole_and_the_stream_ends_in_order);
	tcase_add_test(tc, b1_goodbye_behind_tls_ends_with_a_close_notify);
}

Suite *
tls_suite(void)
{
	Suite *suite = suite_create("tls");
	TCase *tc = scene_case(suite, "handshake");

	tcase_add_loop_test(tc, tls_of_a_good_version_talks, 0, 2);
	tcase_add_loop_test(tc, tls_of_an_old_version_is_refused, 0, 2);
	tcase_add_test(tc, a4_what_is_no_tls_is_refused_and_reaches_no_robot);
	tcase_add_test(tc, a3_tls_at_a_plain_door_is_refused);
	tcase_add_test(tc, b11_handshake_that_takes_too_long_is_let_go);
	tcase_add_test(tc, b11_thousands_of_half_open_handshakes_stop_nobody);
	tcase_add_test(tc, b11_half_open_handshakes_of_an_address_are_limited);
	tcase_add_test(tc, b12_renegotiation_is_refused_and_does_no_harm);
	tcase_add_test(tc, b12_new_keys_are_made_in_mid_chat);
	tcase_add_test(tc, b12_new_keys_for_one_who_does_not_read_are_not_made_in_vain);
	add_ends(scene_case(suite, "stream"));
	return suite;
}
