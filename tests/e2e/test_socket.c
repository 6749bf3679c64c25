/* test_socket.c - chats over a WebSocket: as any other chat, and strict about frames (FAULTS A8,
 * A9, A10, D14, H1, H6). */
#include "e2e/crowd.h"
#include "e2e/moving.h"
#include "e2e/suites.h"
#include "e2e/web.h"

#include "base/json.h"
#include "base/lapse.h"
#include "lib/procfs.h"
#include "lib/promtext.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAGMENTS = 100000, GROWTH_KIB = 256, LONG = 20000 };

#define MODEL_WEB     PLAIN POOL(2) WEB_DOORS NO_RATE ECHOES "pid_file = \"$DIR/pid\";\n"
#define HI            "{\"user\":\"ann\",\"text\":\"hi\"}"
#define HELLO_HI      "{\"robot\":\"hello\",\"text\":\"Hello, hi!\"}"
#define ECHO_OF(what) "{\"robot\":\"model\",\"text\":\"echo:" what "\"}"

static struct peer *
chat(struct server *s)
{
	return web_chat(s->address, WEB_PORT);
}

/* --- talking --------------------------------------------------------------------------------- */

START_TEST(messages_are_those_of_json)
{
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = chat(s), *monitor = peer_open(s->address, WEB_PORT);

	web_say(p, "{\"text\":\"who?\"}");
	web_expect_prefix(p, "{\"error\":{\"code\":\"no-user\",");
	web_say(p, "{\"user\":\"ann\",\"text\":\"hi\",\"id\":7}");
	web_expect(p, "{\"id\":7,\"robot\":\"hello\",\"text\":\"Hello, hi!\"}");
	web_say(p, "{\"text\":\"two\\nlines\",\"id\":\"b\"}\n");
	web_expect(p, "{\"id\":\"b\",\"robot\":\"hello\",\"text\":\"Hello, two\\nlines!\"}");
	web_say(p, "no object");
	web_expect_prefix(p, "{\"error\":{\"code\":\"bad-input\",");
	web_say(p, "");
	web_say(p, "{\"text\":\"GET / HTTP/1.1\"}");
	web_expect(p, "{\"robot\":\"hello\",\"text\":\"Hello, GET / HTTP/1.1!\"}");
	ck_assert_int_eq(web_get(monitor, "/metrics"), 200);
	promtext_has(web_body(), "xiaotu_chats 1");
	promtext_has(web_body(), "xiaotu_visitors 1");
	promtext_has(web_body(), "xiaotu_messages_total 3");
	web_frame(p, WEB_FIN | WEB_CLOSE, "\x03\xe8", 2);
	web_expect_close(p, 1000);
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	scene_end(s, NULL);
}
END_TEST

START_TEST(long_answer_streams_in_pieces)
{
	struct server *s = server_start(MODEL_WEB);
	struct fakebot *b = scene_bot(s);
	struct peer *p = chat(s);
	char all[512] = "", piece[64];
	const char *got;

	web_say(p, "{\"user\":\"ann\",\"text\":\"one two three\",\"id\":1,\"stream\":true}");
	while (sscanf(got = web_hear(p), "{\"id\":1,\"piece\":\"%63[^\"]\"}", piece) == 1)
		ck_assert_uint_lt(strlen(strcat(all, piece)), sizeof all - sizeof piece);
	ck_assert_str_eq(all, "echo:one two three");
	ck_assert_str_eq(got, "{\"id\":1,\"robot\":\"model\",\"text\":\"echo:one two three\"}");
	scene_end(s, b);
}
END_TEST

/* Longer than a frame with a short length, both ways; in fragments with pings between. */
START_TEST(long_messages_and_fragments_are_read)
{
	struct server *s = server_start(PLAIN POOL(1) WEB_DOORS HELLO
	    "limits = { messages_per_minute = 0; message_bytes = 100000; };\n");
	struct peer *p = chat(s);
	char *text = calloc(1, LONG + 1), *message = calloc(1, LONG + 64);
	const char *bytes;
	size_t n, n_message;

	memset(text, 'x', LONG);
	n_message = (size_t)sprintf(message, "{\"user\":\"ann\",\"text\":\"%s\"}", text);
	web_frame(p, WEB_FIN | WEB_TEXT, message, n_message);
	ck_assert_uint_gt(strlen(web_hear(p)), LONG);
	for (size_t at = 0; at < n_message; at += 999) {
		size_t k = n_message - at < 999 ? n_message - at : 999;

		web_frame(p, (at ? WEB_MORE : WEB_TEXT) | (at + k == n_message ? WEB_FIN : 0),
		    message + at, k);
		if (at % 2 == 0 && at + k < n_message)
			web_frame(p, WEB_FIN | WEB_PING, &at, 1);
	}
	for (size_t at = 0; at + 999 < n_message; at += 999)
		if (at % 2 == 0) {
			ck_assert_uint_eq(web_hear_frame(p, &bytes, &n), WEB_FIN | WEB_PONG);
			ck_assert_uint_eq(n, 1);
			ck_assert_int_eq(bytes[0], (char)at);
		}
	ck_assert_uint_gt(strlen(web_hear(p)), LONG);
	free(text);
	free(message);
	scene_end(s, NULL);
}
END_TEST

START_TEST(limits_are_those_of_every_chat)
{
	struct server *s = server_start(PLAIN POOL(2) WEB_DOORS ECHOES
	    "limits = { messages_per_minute = 10; message_bytes = 20; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = chat(s);

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	web_say(p, "{\"user\":\"ann\",\"text\":\"longer than twenty bytes\"}");
	web_expect_prefix(p, "{\"error\":{\"code\":\"too-long\",");
	for (int i = 0; i < 10; i++)
		web_say(p, HI);
	web_expect_prefix(p, "{\"error\":{\"code\":\"busy\",");
	web_say(p, HI);
	web_expect_prefix(p, "{\"error\":{\"code\":\"rate\",");
	fakebot_wait_requests(b, 1);
	fakebot_echo(b);
	fakebot_release(b);
	for (int i = 0; i < 9; i++)
		web_expect(p, ECHO_OF("hi"));
	scene_end(s, b);
}
END_TEST

START_TEST(goodbyes_are_an_object_and_then_a_close)
{
	struct server *s = server_start(WEB_SERVER "timeouts = { idle = \"500ms\"; };\n");
	struct peer *p = chat(s);

	web_expect_prefix(p, "{\"bye\":{\"reason\":\"idle\",\"message\":\"");
	web_expect_close(p, 1000);
	scene_end(s, NULL);
}
END_TEST

START_TEST(message_that_does_not_end_is_cut_off)
{
	struct server *s = server_start(WEB_SERVER "timeouts = { message = \"500ms\"; };\n");
	struct peer *p = chat(s);
	const char *bytes;
	size_t n;

	web_frame(p, WEB_TEXT, "{\"text\":", 8);
	web_frame(p, WEB_FIN | WEB_PING, "", 0);
	ck_assert_uint_eq(web_hear_frame(p, &bytes, &n), WEB_FIN | WEB_PONG);
	web_expect_prefix(p, "{\"bye\":{\"reason\":\"limit\",\"message\":\"");
	web_expect_close(p, 1008);
	scene_end(s, NULL);
}
END_TEST

/* --- frames ---------------------------------------------------------------------------------- */

/* One chat each; what the test says is answered by this close. */
static void
closes(struct server *s, int code, void (*say)(struct peer *p))
{
	struct peer *p = chat(s);

	web_say(p, HI);
	web_expect(p, HELLO_HI);
	say(p);
	web_expect_close(p, code);
	peer_close(p);
}

static void
say_unmasked(struct peer *p)
{
	web_begin(p, WEB_FIN | WEB_TEXT, 5, 0, 0);
	peer_push(p, "hello", 5);
}

static void
say_reserved(struct peer *p)
{
	web_frame(p, WEB_FIN | 0x40 | WEB_TEXT, HI, strlen(HI));
}

static void
say_bad_opcode(struct peer *p)
{
	web_frame(p, WEB_FIN | 3, HI, strlen(HI));
}

static void
say_2_63(struct peer *p)
{
	web_begin(p, WEB_FIN | WEB_TEXT, 0x80 | 127, 8, (uint64_t)1 << 63);
}

static void
say_2_64_less_1(struct peer *p)
{
	web_begin(p, WEB_FIN | WEB_TEXT, 0x80 | 127, 8, UINT64_MAX);
}

static void
say_2_63_less_1(struct peer *p)
{
	web_begin(p, WEB_FIN | WEB_TEXT, 0x80 | 127, 8, ((uint64_t)1 << 63) - 1);
	peer_push(p, "mask", 4);
}

static void
say_binary(struct peer *p)
{
	web_frame(p, WEB_FIN | WEB_BINARY, HI, strlen(HI));
}

START_TEST(a8_frames_against_the_protocol)
{
	struct server *s = server_start(WEB_SERVER);

	closes(s, 1002, say_unmasked);
	closes(s, 1002, say_reserved);
	closes(s, 1002, say_bad_opcode);
	closes(s, 1002, say_2_63);
	closes(s, 1002, say_2_64_less_1);
	closes(s, 1009, say_2_63_less_1);
	closes(s, 1003, say_binary);
	(void)server_wait_log(s, "ev=chat_close reason=error");
	scene_end(s, NULL);
}
END_TEST

static void
say_fragments(struct peer *p)
{
	static unsigned char bytes[7 * FRAGMENTS];

	for (int i = 0; i < FRAGMENTS; i++)
		memcpy(bytes + 7 * i, i ? "\x00\x81\0\0\0\0 " : "\x01\x81\0\0\0\0{", 7);
	peer_push(p, bytes, sizeof bytes);
}

START_TEST(a9_fragments_of_a_byte_stop_at_the_cap)
{
	struct server *s = server_start(PLAIN POOL(1) WEB_DOORS NO_RATE HELLO);
	pid_t worker;
	int64_t before;

	ck_assert_int_eq(server_pids(s, &worker), 1);
	closes(s, 1003, say_binary);
	before = procfs_memory_kib(worker, "VmHWM:");
	closes(s, 1009, say_fragments);
	ck_assert_int_lt(procfs_memory_kib(worker, "VmHWM:") - before, GROWTH_KIB);
	scene_end(s, NULL);
}
END_TEST

static void
say_bad_utf8(struct peer *p)
{
	web_frame(p, WEB_FIN | WEB_TEXT, "{\"text\":\"\xc0\xaf\"}", 13);
}

static void
say_long_ping(struct peer *p)
{
	char bytes[126] = "";

	web_frame(p, WEB_FIN | WEB_PING, bytes, sizeof bytes);
}

static void
say_half_ping(struct peer *p)
{
	web_frame(p, WEB_PING, "", 0);
}

static void
say_two_closes(struct peer *p)
{
	web_frame(p, WEB_FIN | WEB_CLOSE, "\x03\xe8", 2);
	web_frame(p, WEB_FIN | WEB_CLOSE, "\x03\xe9", 2);
}

START_TEST(a10_text_pings_and_closes)
{
	struct server *s = server_start(WEB_SERVER);

	closes(s, 1007, say_bad_utf8);
	closes(s, 1002, say_long_ping);
	closes(s, 1002, say_half_ping);
	closes(s, 1000, say_two_closes);
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	scene_end(s, NULL);
}
END_TEST

/* --- living on ------------------------------------------------------------------------------- */

START_TEST(d14_websocket_moves_in_the_middle_of_a_message_and_a_frame)
{
	struct server *s = server_start(MODEL_WEB);
	struct fakebot *b = scene_bot(s);
	struct peer *p = chat(s);

	web_say(p, "{\"user\":\"ann\",\"text\":\"my name is ann\"}");
	web_expect(p, ECHO_OF("my name is ann"));
	web_frame(p, WEB_TEXT, "{\"text\":\"who ", 13);
	web_begin(p, WEB_FIN | WEB_MORE, 0x80 | 6, 0, 0);
	peer_push(p, "\0\0\0\0am ", 7);
	(void)moving_chat(s, p);
	peer_push(p, "I\"}", 3);
	web_expect(p, ECHO_OF("who am I"));
	ck_assert_str_eq(
	    fakebot_record(b, 1).history, "user:my name is ann|assistant:echo:my name is ann");
	scene_end(s, b);
}
END_TEST

START_TEST(h6_upgrade_in_the_middle_of_an_answer_shows_nowhere)
{
	struct server *s = moving_server(MODEL_WEB);
	struct fakebot *b = scene_bot(s);
	struct peer *p = chat(s), *visitor = peer_open(s->address, WEB_PORT);
	pid_t old;

	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
	peer_send(visitor, "GET /healthz HTTP/1.1\r\nHo");
	web_say(p, "{\"user\":\"ann\",\"text\":\"hold\",\"id\":1}");
	web_say(p, "{\"text\":\"two\",\"id\":2}");
	fakebot_wait_requests(b, 1);
	old = moving_upgrade_begin(s);
	fakebot_echo(b);
	fakebot_release(b);
	web_expect(p, "{\"id\":1,\"robot\":\"model\",\"text\":\"echo:hold\"}");
	web_expect(p, "{\"id\":2,\"robot\":\"model\",\"text\":\"echo:two\"}");
	ck_assert_int_eq(moving_wait_exit(old), 0);
	web_say(p, "{\"text\":\"three\"}");
	web_expect(p, ECHO_OF("three"));
	peer_send(visitor, "st: x\r\n\r\n");
	ck_assert_int_eq(web_answer(visitor, true), 200);
	ck_assert_str_eq(web_body(), "ok\n");
	ck_assert_int_eq(web_get(visitor, "/metrics"), 200);
	promtext_has(web_body(), "xiaotu_chats 1");
	promtext_has(web_body(), "xiaotu_visitors 1");
	ck_assert_int_eq(server_count_log(s, "ev=chat_not_taken"), 0);
	peer_close_all();
	server_baseline(s);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(h1_term_finishes_the_answer_says_goodbye_and_closes)
{
	struct server *s = server_start(MODEL_WEB);
	struct fakebot *b = scene_bot(s);
	struct peer *p = chat(s), *idle = chat(s), *visitor = peer_open(s->address, WEB_PORT);

	ck_assert_int_eq(web_get(visitor, "/healthz"), 200);
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	web_say(p, HI);
	fakebot_wait_requests(b, 1);
	server_signal(s, SIGTERM);
	web_expect_prefix(idle, "{\"bye\":{\"reason\":\"shutdown\",\"message\":\"");
	web_expect_close(idle, 1001);
	peer_eof(visitor);
	fakebot_release(b);
	web_expect(p, ECHO_OF("hi"));
	web_expect_prefix(p, "{\"bye\":{\"reason\":\"shutdown\",\"message\":\"");
	web_expect_close(p, 1001);
	ck_assert_int_eq(server_wait_exit(s), 0);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

START_TEST(reload_is_not_noticed_but_its_settings_count)
{
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = chat(s);

	web_frame(p, WEB_TEXT, "{\"user\":\"ann\",\"te", 17);
	server_config(s, PLAIN POOL(2) WEB_DOORS HELLO
	    "limits = { messages_per_minute = 0; message_bytes = 10; };\n");
	server_reload_ok(s);
	web_frame(p, WEB_FIN | WEB_MORE, "xt\":\"hi\"}", 9);
	web_expect(p, HELLO_HI);
	web_say(p, "{\"text\":\"eleven char\"}");
	web_expect_prefix(p, "{\"error\":{\"code\":\"too-long\",");
	scene_end(s, NULL);
}
END_TEST

Suite *
socket_suite(void)
{
	Suite *suite = suite_create("socket");
	TCase *tc = scene_case(suite, "talking");

	tcase_add_test(tc, messages_are_those_of_json);
	tcase_add_test(tc, long_answer_streams_in_pieces);
	tcase_add_test(tc, long_messages_and_fragments_are_read);
	tcase_add_test(tc, limits_are_those_of_every_chat);
	tcase_add_test(tc, goodbyes_are_an_object_and_then_a_close);
	tcase_add_test(tc, message_that_does_not_end_is_cut_off);
	tc = scene_case(suite, "frames");
	tcase_add_test(tc, a8_frames_against_the_protocol);
	tcase_add_test(tc, a9_fragments_of_a_byte_stop_at_the_cap);
	tcase_add_test(tc, a10_text_pings_and_closes);
	tc = scene_case(suite, "living");
	tcase_add_test(tc, d14_websocket_moves_in_the_middle_of_a_message_and_a_frame);
	tcase_add_test(tc, h6_upgrade_in_the_middle_of_an_answer_shows_nowhere);
	tcase_add_test(tc, h1_term_finishes_the_answer_says_goodbye_and_closes);
	tcase_add_test(tc, reload_is_not_noticed_but_its_settings_count);
	return suite;
}
