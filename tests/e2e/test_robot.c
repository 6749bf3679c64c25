/* test_robot.c - robots that fail (FAULTS, rows C). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The bound is on the best of a few: the machine may be busy, the server must not be slow. */
START_TEST(c1_closed_port_is_unavailable_at_once)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct peer *p = scene_chat(s);
	int64_t best = INT64_MAX;

	scene_canary(s);
	for (int i = 0; i < 5; i++) {
		int64_t began = lapse_now_ms();

		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-unavailable ");
		if (lapse_now_ms() - began < best)
			best = lapse_now_ms() - began;
	}
	ck_assert_int_lt(best, 100);
	scene_end(s, NULL);
}
END_TEST

START_TEST(c1_robot_that_comes_back_is_found_again)
{
	struct server *s = server_start(ONE_WORKER TURING);
	int64_t by_ms = lapse_now_ms() + SERVER_MS * 3;
	struct peer *p = scene_chat(s);
	struct fakebot *b;

	scene_canary(s);
	for (int i = 0; i < 10; i++) {
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-unavailable ");
	}
	b = scene_bot(s);
	do {
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		peer_wait_any(&p, 1, 100);
		peer_send(p, "me::hi\n");
	} while (strcmp(peer_line(p), "echo:hi") != 0);
	scene_end(s, b);
}
END_TEST

START_TEST(c3_robot_that_never_answers_times_out_and_delays_nobody_else)
{
	struct server *s =
	    server_start(ONE_WORKER TURING_WITH(KEY, "first_byte_timeout = \"700ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *stuck = scene_chat(s), *p = scene_chat(s);
	int64_t began, best = INT64_MAX;

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "stuck", .hold = true });
	peer_send(stuck, "me::stuck\n");
	fakebot_wait_requests(b, 1);
	for (int i = 0; i < 5; i++) {
		began = lapse_now_ms();
		peer_send(p, "me::hi\n");
		peer_expect(p, "echo:hi\n");
		if (lapse_now_ms() - began < best)
			best = lapse_now_ms() - began;
	}
	ck_assert_int_lt(best, 50);
	peer_expect_prefix(stuck, "ERR robot-timeout ");
	fakebot_wait_gone(b, 1);
	scene_end(s, b);
}
END_TEST

static const int refusals[] = { 400, 401, 403, 404 };

START_TEST(c5_status_that_refuses)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .status = refusals[_i], .body = "no" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	scene_end(s, b);
}
END_TEST

static const int overloads[] = { 429, 500, 503 };

START_TEST(c6_overload_is_retried_with_measure)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(
	    b, &(struct fakebot_script){
		   .status = overloads[_i], .body = "later", .headers = "Retry-After: 1\r\n" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-");
	ck_assert_int_ge(fakebot_requests(b), 1);
	ck_assert_int_le(fakebot_requests(b), 4);
	scene_end(s, b);
}
END_TEST

static const char *const no_answers[] = { "<html><body>hello</body></html>", "", "null", "[]",
	"{\"code\":100000}", "{\"text\":\"hi\"}", "{\"code\":100000,\"text\":42}",
	"{\"code\":100000,\"text\":\"a\"} x" };

START_TEST(c7_what_is_no_answer_is_a_bad_reply)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .body = no_answers[_i] });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-bad-reply ");
	fakebot_echo(b);
	scene_end(s, b);
}
END_TEST

/* C8: the length is right, the value in it is not whole; at every kind of place. */
static const char *const unfinished[] = {
	"{\"code\":100000,\"text\":\"partial\"",
	"{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"partial\"}}",
	"{\"message\":{\"role\":\"assistant\",\"content\":\"partial\"},\"done\":tr",
	"{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"par\\u00",
};

START_TEST(c8_json_cut_short_under_its_right_length_is_a_bad_reply)
{
	static const size_t cuts[] = { 1, 14, 24, SIZE_MAX };
	static const char *const robots[] = { TURING, MODEL("openai", ""), MODEL("ollama", ""),
		MODEL("anthropic", "") };
	struct server *s = server_start(ONE_WORKER "%s", robots[_i % 4]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char body[128];

	scene_canary(s);

	snprintf(body, sizeof body, "%.*s", (int)(cuts[_i / 4] < 128 ? cuts[_i / 4] : 127),
	    unfinished[_i % 4]);
	fakebot_play(b, &(struct fakebot_script){ .body = body });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-bad-reply ");
	ck_assert_int_eq(p->in.len, 0);
	scene_end(s, b);
}
END_TEST

START_TEST(c9_nesting_beyond_the_cap_is_a_bad_reply)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char body[100100] = "{\"code\":100000,\"text\":\"hi\",\"x\":";
	size_t n = strlen(body);

	scene_canary(s);
	memset(body + n, '[', 100000);
	fakebot_play(b, &(struct fakebot_script){ .body = body });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-bad-reply ");
	scene_end(s, b);
}
END_TEST

START_TEST(c11_redirect_is_not_followed)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s), *elsewhere = fakebot_start(s->address, 8001);
	struct peer *p = scene_chat(s);
	char header[96];

	scene_canary(s);
	snprintf(header, sizeof header, "Location: http://%s:8001/openapi/api\r\n", s->address);
	fakebot_play(b, &(struct fakebot_script){ .status = 302, .headers = header, .body = "" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-");
	ck_assert_int_eq(fakebot_requests(elsewhere), 0);
	fakebot_stop(elsewhere);
	scene_end(s, b);
}
END_TEST

START_TEST(c14_reply_cut_short_is_a_bad_reply_without_partial_text)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){
			    .body = "{\"code\":100000,\"text\":\"hi\"}", .promise = 100 });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-bad-reply ");
	scene_end(s, b);
}
END_TEST

START_TEST(c17_control_characters_of_a_robot_never_reach_a_chat)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){
			    .body = "{\"code\":100000,\"text\":\"a\\u001b[2J\\u0000b\\u009b\\u202e"
				    "c\\u0007\\r\xff\\u007f d\"}" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "a[2Jbc\xef\xbf\xbd d\n");
	scene_end(s, b);
}
END_TEST

START_TEST(c18_hostile_text_arrives_as_text_and_adds_nothing)
{
	static const char text[] = "a&key=1#x\r\nX-Evil:1\",\"z\":1";
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	scene_canary(s);
	(void)scene_ask_json(p, text);
	r = fakebot_record(b, 0);
	ck_assert_str_eq(r.info, text);
	ck_assert_str_eq(r.key, KEY);
	ck_assert_ptr_null(strstr(r.head, "\nX-Evil"));
	scene_end(s, b);
}
END_TEST

/* --- the chain ------------------------------------------------------------------------------- */

START_TEST(next_robot_answers_when_the_first_cannot)
{
	struct server *s = server_start(ONE_WORKER
	    "robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = \"" KEY
	    "\"; }, { name = \"hello\"; type = \"hello\"; } );\n");
	struct peer *p = scene_chat(s);
	struct fakebot *b;

	scene_hello(p, "me::nobody listens");
	b = scene_bot(s);
	fakebot_play(b, &(struct fakebot_script){ .status = 403, .body = "no" });
	scene_hello(scene_chat(s), "me::refused");
	scene_end(s, b);
}
END_TEST

START_TEST(next_key_is_taken_when_one_is_used_up)
{
	static const char second[] = "fedcba9876543210fedcba9876543210";
	struct server *s = server_start(ONE_WORKER
	    "robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = (\"" KEY
	    "\", \"fedcba9876543210fedcba9876543210\"); } );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .only = KEY,
			    .body = "{\"code\":40004,\"text\":\"亲爱的，当天请求次数已用完。\"}" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	peer_send(p, "me::again\n");
	peer_expect(p, "echo:again\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(fakebot_requests_with(b, second), 2);
	scene_end(s, b);
}
END_TEST

Suite *
robot_suite(void)
{
	Suite *suite = suite_create("robot");
	TCase *tc = scene_case(suite, "fault");

	tcase_add_test(tc, c1_closed_port_is_unavailable_at_once);
	tcase_add_test(tc, c1_robot_that_comes_back_is_found_again);
	tcase_add_test(tc, c3_robot_that_never_answers_times_out_and_delays_nobody_else);
	tcase_add_loop_test(tc, c5_status_that_refuses, 0, 4);
	tcase_add_loop_test(tc, c6_overload_is_retried_with_measure, 0, 3);
	tcase_add_loop_test(tc, c7_what_is_no_answer_is_a_bad_reply, 0,
	    (int)(sizeof no_answers / sizeof no_answers[0]));
	tcase_add_loop_test(tc, c8_json_cut_short_under_its_right_length_is_a_bad_reply, 0, 16);
	tcase_add_test(tc, c9_nesting_beyond_the_cap_is_a_bad_reply);
	tcase_add_test(tc, c11_redirect_is_not_followed);
	tcase_add_test(tc, c14_reply_cut_short_is_a_bad_reply_without_partial_text);
	tcase_add_test(tc, c17_control_characters_of_a_robot_never_reach_a_chat);
	tcase_add_test(tc, c18_hostile_text_arrives_as_text_and_adds_nothing);
	tc = scene_case(suite, "chain");
	tcase_add_test(tc, next_robot_answers_when_the_first_cannot);
	tcase_add_test(tc, next_key_is_taken_when_one_is_used_up);
	return suite;
}
