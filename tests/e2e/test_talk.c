/* test_talk.c - hostile and odd input at a chat door (FAULTS, rows A). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/mem.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_SERVER                                                                               \
	PLAIN POOL(2) DOOR(9999) HELLO                                                             \
	    "limits = { messages_per_minute = 0; message_bytes = 64; };\n"

static void
fill(char *to, size_t n)
{
	memset(to, 'x', n);
	to[n] = '\0';
}

START_TEST(a1_message_of_the_limit_is_answered_one_byte_more_is_refused)
{
	struct server *s = server_start(SMALL_SERVER);
	struct peer *p = scene_chat(s);
	char text[66];

	scene_canary(s);
	fill(text, 64);
	peer_sendf(p, "me::%s\n", text);
	peer_expect(p, "Hello, ");
	peer_expect(p, text);
	peer_expect(p, "!\n");
	fill(text, 65);
	peer_sendf(p, "me::%s\n", text);
	peer_expect_prefix(p, "ERR too-long ");
	scene_hello(p, "still here");
	scene_end(s, NULL);
}
END_TEST

/* A door that spins would burn a whole core while the other chat waits for its idle goodbye. */
START_TEST(a2_endless_line_is_refused_and_closed_without_spinning)
{
	struct server *s =
	    server_start(PLAIN POOL(2) DOOR(9999) NO_RATE HELLO "timeouts = { idle = \"1s\"; };\n");
	struct peer *idler = scene_chat(s), *p = scene_chat(s);
	pid_t pids[SERVER_WORKERS_MAX];
	char *flood = mem_zalloc(100001);
	int64_t used = 0;
	int n;

	fill(flood, 100000);
	peer_push(p, flood, 100000);
	free(flood);
	peer_expect_prefix(p, "ERR too-long ");
	peer_eof(p);
	n = server_pids(s, pids);
	for (int i = 0; i < n; i++)
		used -= procfs_cpu_ms(pids[i]);
	peer_expect_prefix(idler, "BYE idle ");
	for (int i = 0; i < n; i++)
		used += procfs_cpu_ms(pids[i]);
	ck_assert_int_lt(used, 300);
	scene_end(s, NULL);
}
END_TEST

START_TEST(a3_tls_hello_is_refused_and_closed)
{
	static const char hello[] = "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03"
				    "0123456789abcdef0123456789abcdef\x00\x00\x02\x13\x01\x01\x00";
	struct server *s = server_start(HELLO_SERVER);
	struct peer *canary = scene_chat(s), *p = scene_chat(s);

	peer_push(p, hello, sizeof hello - 1);
	peer_expect_prefix(p, "ERR bad-input ");
	peer_eof(p);
	scene_hello(canary, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(a4_http_request_is_refused_and_reaches_no_robot)
{
	static const char *const requests[] = { "GET / HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nme::hi\n",
		"OPTIONS /a::b HTTP/1.1\r\nHost: x\r\n\r\n" };
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);

	scene_canary(s);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		struct peer *p = scene_chat(s);

		peer_push(p, requests[i], strlen(requests[i]));
		peer_expect_prefix(p, "ERR bad-input ");
		peer_eof(p);
	}
	ck_assert_int_eq(fakebot_requests(b), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(a5_nul_inside_a_line_is_refused_and_reaches_no_robot)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	peer_send_bytes(p, "me::a\0b\n", 8);
	peer_expect_prefix(p, "ERR bad-input ");
	ck_assert_int_eq(fakebot_requests(b), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(a6_what_is_not_utf8_is_refused_and_reaches_no_robot)
{
	static const char *const bad[] = { "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80",
		"\xf5\x80\x80\x80", "\xe4\xbd" };
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);

	scene_canary(s);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct peer *p = scene_chat(s);

		peer_sendf(p, "me::%s\n", bad[i]);
		peer_expect_prefix(p, "ERR bad-utf8 ");
	}
	ck_assert_int_eq(fakebot_requests(b), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(a7_line_that_drips_is_one_message)
{
	static const char line[] = "me::你好吗\n";
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	for (size_t i = 0; i < sizeof line - 1; i++)
		peer_send_bytes(p, line + i, 1);
	peer_expect(p, "echo:你好吗\n");
	ck_assert_int_eq(fakebot_requests(b), 1);
	ck_assert_str_eq(fakebot_record(b, 0).info, "你好吗");
	scene_end(s, b);
}
END_TEST

START_TEST(a11_empty_lines_are_ignored_and_one_cr_is_stripped)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	peer_send(p, "\n\r\nme::one\r\n");
	peer_expect(p, "echo:one\n");
	peer_send(p, "\n\r\n\n\r\ntwo\r\n");
	peer_expect(p, "echo:two\n");
	peer_send(p, "three  \n");
	peer_expect_prefix(p, "echo:three");
	ck_assert_int_eq(fakebot_requests(b), 3);
	ck_assert_str_eq(fakebot_record(b, 0).info, "one");
	ck_assert_str_eq(fakebot_record(b, 1).info, "two");
	scene_end(s, b);
}
END_TEST

/* The robot answers only after the server had every chance to see the end of the stream: a second
 * chat was served in between. */
START_TEST(a12_half_close_still_gets_the_whole_answer_and_the_end)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *other = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "hi", .hold = true });
	peer_send(p, "me::hi\n");
	peer_half_close(p);
	fakebot_wait_requests(b, 1);
	peer_send(other, "me::ho\n");
	peer_expect(other, "echo:ho\n");
	fakebot_release(b);
	peer_expect(p, "echo:hi\n");
	peer_eof(p);
	scene_end(s, b);
}
END_TEST

START_TEST(a12_half_close_without_newline_is_answered_too)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	peer_send(p, "me::hi");
	peer_half_close(p);
	ck_assert_int_eq(strncmp(peer_rest(p), "Hello, hi!", 10), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(a13_reset_cancels_the_question_and_is_no_error)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *canary = scene_chat(s), *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .only = "stuck", .hold = true });
	peer_send(p, "me::stuck\n");
	fakebot_wait_requests(b, 1);
	peer_reset(p);
	fakebot_wait_gone(b, 1);
	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	ck_assert_int_eq(server_count_log(s, "lvl=error"), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(b7_answer_for_a_chat_that_is_gone_harms_nobody)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *canary = scene_chat(s), *p = scene_chat(s);
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];

	ck_assert_int_eq(server_pids(s, before), 1);
	fakebot_play(b, &(struct fakebot_script){ .only = "gone", .hold = true });
	peer_send(p, "me::gone\nme::gone too\n");
	fakebot_wait_requests(b, 1);
	peer_close(p);
	fakebot_release(b);
	(void)server_wait_log(s, "ev=chat_close");
	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	ck_assert_int_eq(server_pids(s, after), 1);
	ck_assert_int_eq(before[0], after[0]);
	scene_end(s, b);
}
END_TEST

START_TEST(a14_nine_of_a_thousand_lines_are_answered_in_order_the_rest_is_busy)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char lines[16384] = "me::m0\n", answer[32];
	size_t n = strlen(lines);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	for (int i = 1; i < 1000; i++)
		n += (size_t)snprintf(lines + n, sizeof lines - n, "m%d\n", i);
	peer_send_bytes(p, lines, n);
	for (int i = 9; i < 1000; i++)
		peer_expect_prefix(p, "ERR busy ");
	fakebot_release(b);
	for (int i = 0; i < 9; i++) {
		snprintf(answer, sizeof answer, "echo:m%d\n", i);
		peer_expect(p, answer);
	}
	ck_assert_int_eq(fakebot_requests(b), 9);
	peer_send(p, "last\n");
	peer_expect(p, "echo:last\n");
	scene_end(s, b);
}
END_TEST

Suite *
talk_suite(void)
{
	Suite *suite = suite_create("talk");
	TCase *tc = scene_case(suite, "input");

	tcase_add_test(tc, a1_message_of_the_limit_is_answered_one_byte_more_is_refused);
	tcase_add_test(tc, a2_endless_line_is_refused_and_closed_without_spinning);
	tcase_add_test(tc, a3_tls_hello_is_refused_and_closed);
	tcase_add_test(tc, a4_http_request_is_refused_and_reaches_no_robot);
	tcase_add_test(tc, a5_nul_inside_a_line_is_refused_and_reaches_no_robot);
	tcase_add_test(tc, a6_what_is_not_utf8_is_refused_and_reaches_no_robot);
	tcase_add_test(tc, a7_line_that_drips_is_one_message);
	tcase_add_test(tc, a11_empty_lines_are_ignored_and_one_cr_is_stripped);
	tcase_add_test(tc, a12_half_close_still_gets_the_whole_answer_and_the_end);
	tcase_add_test(tc, a12_half_close_without_newline_is_answered_too);
	tcase_add_test(tc, a13_reset_cancels_the_question_and_is_no_error);
	tcase_add_test(tc, b7_answer_for_a_chat_that_is_gone_harms_nobody);
	tcase_add_test(tc, a14_nine_of_a_thousand_lines_are_answered_in_order_the_rest_is_busy);
	return suite;
}
