/* test_retry.c - the same request once more: when, how often, and when not. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <stdio.h>
#include <string.h>

#define SECOND_KEY        "fedcba9876543210fedcba9876543210"
#define TURING_THEN_HELLO "robots = ( " TURING_ROBOT("") ", " HELLO_ROBOT " );\n"

static const int trouble[] = { 503, 429, 500 };

START_TEST(request_that_fails_once_is_made_again)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){ .first_n = 1, .status = trouble[_i], .body = "no" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests(b), 2);
	ck_assert_str_ne(fakebot_record(b, 0).id, fakebot_record(b, 1).id);
	(void)server_wait_log(s, "ev=robot_retry robot=turing");
	scene_end(s, b);
}
END_TEST

static const struct {
	const char *robots, *type, *body;
} excuses[] = {
	{ TURING, "application/json", "{\"code\":40006,\"text\":\"服务器升级中\"}" },
	{ TURING2, "application/json", "{\"intent\":{\"code\":8008}}" },
	{ TURING2, "application/json", "{\"intent\":{\"code\":7002}}" },
	{ MODEL("anthropic", ""), "text/event-stream",
	    "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n" },
};

/* Turing has no other way to say it, and a stream has begun when it is said. */
START_TEST(request_that_fails_under_status_200_is_made_again)
{
	struct server *s = server_start(ONE_WORKER "%s", excuses[_i].robots);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){
			    .first_n = 1, .type = excuses[_i].type, .body = excuses[_i].body });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests(b), 2);
	(void)server_wait_log(s, "ev=robot_retry why=unavailable status=200");
	scene_end(s, b);
}
END_TEST

/* The pauses between them are at least 375 and 750 ms, whatever the machine does. */
START_TEST(c6_retries_are_few_and_spread_when_there_is_no_other_robot)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *chats[10];
	int64_t began = lapse_now_ms();
	int n_ms = 0;
	char ms[10][16];

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .status = 503, .body = "no" });
	for (int i = 0; i < 10; i++) {
		chats[i] = scene_chat(s);
		peer_send(chats[i], "me::hi\n");
	}
	for (int i = 0; i < 10; i++)
		peer_expect_prefix(chats[i], "ERR robot-unavailable ");
	ck_assert_int_ge(lapse_now_ms() - began, 1125);
	ck_assert_int_eq(fakebot_requests(b), 30);
	/* By chance, so that ten chats do not come back as one. */
	for (int i = 0; i < 10; i++) {
		const char *line = server_wait_log(s, "ev=robot_retry");
		bool is_new = true;

		snprintf(ms[n_ms], sizeof ms[n_ms], "%ld", server_log_number(line, "ms"));
		for (int k = 0; k < n_ms; k++)
			is_new = is_new && strcmp(ms[k], ms[n_ms]) != 0;
		n_ms += is_new;
	}
	ck_assert_int_ge(n_ms, 3);
	s->worker_slack = 16;
	scene_end(s, b);
}
END_TEST

/* Else all workers of a pool, and all servers, would come back as one after an outage. */
START_TEST(c6_workers_retry_at_times_of_their_own)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *chats[2];
	long ms[2][2];
	int n[2] = { 0 };
	pid_t first;

	scene_canary(s);
	scene_chats_apart(s, chats);
	first = server_worker_of(s, peer_port(chats[0]));
	fakebot_play(b, &(struct fakebot_script){ .status = 503, .body = "no" });
	peer_send(chats[0], "me::hi\n");
	peer_send(chats[1], "me::hi\n");
	for (int i = 0; i < 4; i++) {
		const char *line = server_wait_log(s, "ev=robot_retry");
		bool second = server_log_number(line, "pid") != first;

		ck_assert_int_lt(n[second], 2);
		ms[second][n[second]++] = server_log_number(line, "ms");
	}
	peer_expect_prefix(chats[0], "ERR robot-unavailable ");
	peer_expect_prefix(chats[1], "ERR robot-unavailable ");
	ck_assert(ms[0][0] != ms[1][0] || ms[0][1] != ms[1][1]);
	scene_end(s, b);
}
END_TEST

START_TEST(c6_next_robot_answers_after_one_retry)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .status = 503, .body = "no" });
	scene_hello(p, "me::hi");
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

static const int refusals[] = { 400, 404, 413, 422 };

START_TEST(refusal_is_not_tried_again)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){
			    .status = refusals[_i], .body = "{\"error\":{\"message\":\"no\"}}" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	ck_assert_int_eq(fakebot_requests(b), 2);
	ck_assert_int_eq(server_count_log(s, "ev=robot_refused"), 1); /* once a minute */
	ck_assert_int_eq(server_count_log(s, "ev=robot_rests"), 0);
	scene_end(s, b);
}
END_TEST

/* --- Retry-After ----------------------------------------------------------------------------- */

/* A vendor's and a gateway's. */
static const char *const no_bodies[] = { "{\"error\":{\"message\":\"slower\"}}",
	"<html>503 Service Temporarily Unavailable</html>" };

/* When the robot's n-th request came, as a chat sees it: asking without pause. */
static int64_t
ask_until_request(struct fakebot *b, struct peer *p, int n)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS, before;

	do {
		before = lapse_now_ms();
		ck_assert_int_lt(before, by_ms);
		peer_wait_any(&p, 1, 20);
		peer_send(p, "me::hi\n");
		peer_expect(p, "Hello, hi!\n");
	} while (fakebot_requests(b) < n);
	return lapse_now_ms();
}

START_TEST(robot_that_asks_for_a_pause_gets_it_while_others_answer)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	int64_t first_ms, second_ms;

	fakebot_play(
	    b, &(struct fakebot_script){
		   .status = 429, .headers = "retry-after-ms: 1300\r\n", .body = no_bodies[_i] });
	first_ms = lapse_now_ms();
	scene_hello(p, "me::hi");
	ck_assert_int_eq(fakebot_requests(b), 1);
	ck_assert_int_eq(
	    server_log_number(server_wait_log(s, "ev=robot_rests robot=turing why=rate"), "ms"),
	    1300);
	second_ms = ask_until_request(b, p, 2);
	ck_assert_int_ge(second_ms - first_ms, 1300);
	scene_end(s, b);
}
END_TEST

START_TEST(retry_comes_when_the_pause_asked_for_is_over)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	int64_t began = lapse_now_ms();

	fakebot_play(b, &(struct fakebot_script){ .first_n = 1,
			    .status = 429,
			    .headers = "retry-after-ms: 700\r\n",
			    .body = no_bodies[_i] });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_int_ge(lapse_now_ms() - began, 700);
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

/* A pause that is too long to wait for is kept by the messages after it, too. */
START_TEST(robot_that_asks_for_a_long_pause_is_left_alone_although_there_is_no_other)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){
		   .status = 429, .headers = "Retry-After: 60\r\n", .body = no_bodies[_i] });
	for (int i = 0; i < 5; i++) {
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-unavailable ");
	}
	ck_assert_int_eq(fakebot_requests(b), 1);
	fakebot_echo(b);
	server_reload_ok(s);
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(server_s_word_on_whether_to_retry_counts)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){
		   .status = 500, .headers = "x-should-retry: false\r\n", .body = no_bodies[_i] });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	scene_end(s, b);
}
END_TEST

/* The whole answer, with its retries, has its time. */
START_TEST(retry_beyond_the_total_time_is_not_begun)
{
	struct server *s = server_start(
	    ONE_WORKER TURING_WITH(KEY, "total_timeout = \"300ms\"; connect_timeout = \"100ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .status = 500, .body = "no" });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	scene_end(s, b);
}
END_TEST

/* What was heard by then is a reason to ask with the next key, but the time is up. */
START_TEST(nothing_is_asked_otherwise_when_the_total_time_is_up)
{
	struct server *s = server_start(
	    ONE_WORKER "robots = ( { name = \"model\"; type = \"openai\"; url = "
		       "\"http://$ADDR:8000\"; api_key = ( \"" KEY "\", \"" SECOND_KEY "\" ); "
		       "total_timeout = \"400ms\"; }, " HELLO_ROBOT " );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){
		   .only = KEY, .status = 401, .body = "", .promise = 9, .stay_open = true });
	fakebot_also(b, &(struct fakebot_script){ .type = "text/event-stream",
			    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"}}]}\n\n",
			    .piece_ms = 50,
			    .repeat = 1000 });
	scene_hello(p, "me::hi");
	ck_assert_int_eq(fakebot_requests(b), 1);
	scene_end(s, b);
}
END_TEST

Suite *
retry_suite(void)
{
	Suite *suite = suite_create("retry");
	TCase *tc = scene_case(suite, "retry");

	tcase_add_loop_test(tc, request_that_fails_once_is_made_again, 0, 3);
	tcase_add_loop_test(tc, request_that_fails_under_status_200_is_made_again, 0,
	    (int)(sizeof excuses / sizeof *excuses));
	tcase_add_test(tc, c6_retries_are_few_and_spread_when_there_is_no_other_robot);
	tcase_add_test(tc, c6_workers_retry_at_times_of_their_own);
	tcase_add_test(tc, c6_next_robot_answers_after_one_retry);
	tcase_add_loop_test(tc, refusal_is_not_tried_again, 0, 4);
	tcase_add_test(tc, retry_beyond_the_total_time_is_not_begun);
	tcase_add_test(tc, nothing_is_asked_otherwise_when_the_total_time_is_up);
	tc = scene_case(suite, "pause");
	tcase_add_loop_test(tc, robot_that_asks_for_a_pause_gets_it_while_others_answer, 0, 2);
	tcase_add_loop_test(tc, retry_comes_when_the_pause_asked_for_is_over, 0, 2);
	tcase_add_loop_test(
	    tc, robot_that_asks_for_a_long_pause_is_left_alone_although_there_is_no_other, 0, 2);
	tcase_add_loop_test(tc, server_s_word_on_whether_to_retry_counts, 0, 2);
	return suite;
}
