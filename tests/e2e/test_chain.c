/* test_chain.c - several robots: who is asked, who rests, who is tried again. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <stdio.h>
#include <string.h>

#define SECOND_KEY "fedcba9876543210fedcba9876543210"
/* A robot whose replies are no answers, and one that always answers. */
#define TURING_THEN_HELLO "robots = ( " TURING_ROBOT("") ", " HELLO_ROBOT " );\n"

static const struct fakebot_script broken = { .body = "<html>out of order</html>" };

/* Ask until the answer is this one: the pauses of a breaker end by the clock. */
static void
ask_until(struct peer *p, const char *text, const char *answer)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;

	do {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("never heard \"%s\"", answer);
		peer_wait_any(&p, 1, 20);
		peer_sendf(p, "%s\n", text);
	} while (strcmp(peer_line(p), answer) != 0);
}

/* Break the breaker of the first robot, with hello behind it. */
static void
trip(struct server *s, struct fakebot *b, struct peer *p)
{
	fakebot_play(b, &broken);
	for (int i = 0; i < 3; i++)
		scene_hello(p, "me::hi");
	(void)server_wait_log(s, "ev=robot_rests robot=turing why=bad-reply");
	ck_assert_int_eq(fakebot_requests(b), 3);
}

/* Ask until the robot that rests is tried again; it holds that question ("probe"). */
static void
probe(struct fakebot *b, struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	int before = fakebot_requests(b);

	while (fakebot_requests(b) == before) {
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		peer_send(p, "me::probe\n");
		peer_wait_any(&p, 1, 20);
		if (peer_fill(p) == PEER_BYTES)
			peer_expect(p, "Hello, probe!\n");
		peer_wait_any(&p, 1, 20);
	}
}

/* --- passed over ----------------------------------------------------------------------------- */

START_TEST(every_message_is_answered_by_the_one_that_can)
{
	struct server *s =
	    server_start(ONE_WORKER "robots = ( " TURING_AT("dead", "8009", KEY, "") ", " TURING_AT(
		"poor", "8000", SECOND_KEY, "") ", " MODEL_AT("slow", "openai", "8001",
		"first_byte_timeout = \"150ms\";") ", "
						   "{ name = \"xiaotu\"; type = \"hello\"; } );\n");
	struct fakebot *b = scene_bot(s), *slow = fakebot_start(s->address, 8001);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){ .body = "{\"code\":40004,\"text\":\"used up\"}" });
	fakebot_play(slow, &(struct fakebot_script){ .hold = true });
	scene_hello(p, "me::one");
	peer_send(p, "/robot\n");
	peer_expect(p, "dead\n");
	peer_expect_prefix(p, "poor (rests, ");
	peer_expect(p, "slow\nxiaotu\n");
	peer_expect(p, "Last answer by: xiaotu (dead: unavailable, poor: quota, slow: timeout)\n");
	for (int i = 0; i < 5; i++)
		scene_hello(p, "again");
	peer_send(p, "/robot\n");
	peer_expect_prefix(p, "dead (rests, ");
	peer_expect_prefix(p, "poor (rests, ");
	peer_expect_prefix(p, "slow (rests, ");
	peer_expect(p, "xiaotu\n");
	peer_expect(p, "Last answer by: xiaotu (dead: rests, poor: rests, slow: rests)\n");
	ck_assert_int_eq(fakebot_requests(b), 1);
	ck_assert_int_eq(fakebot_requests(slow), 2);
	(void)server_wait_log(s, "ev=message robot=xiaotu passed=dead:unavailable");
	ck_assert_int_eq(server_count_log(s, "ev=robot_unreachable robot=dead"), 1);
	fakebot_stop(slow);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(robot_that_was_chosen_is_asked_first_and_others_when_it_fails)
{
	struct server *s =
	    server_start(ONE_WORKER "robots = ( " HELLO_ROBOT ", " TURING_ROBOT("") " );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *other = scene_chat(s);

	scene_hello(p, "me::hi");
	peer_send(p, "/robot turing\n");
	peer_expect(p, "Now you talk to: turing\n");
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	scene_hello(other, "me::not me");
	fakebot_play(b, &broken);
	scene_hello(p, "hi");
	peer_send(p, "/robot\n");
	peer_expect(p, "hello\n* turing\nLast answer by: hello (turing: bad-reply)\n");
	peer_send(p, "/robot nobody\n");
	peer_expect_prefix(p, "There is no robot of that name");
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

/* An answer that breaks off is not begun anew, by nobody. */
START_TEST(nothing_is_asked_again_once_text_went_out)
{
	static const struct fakebot_script cut[SCENE_MODELS] = {
		{ .type = "text/event-stream",
		    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n" },
		{ .type = "application/x-ndjson",
		    .body = "{\"message\":{\"content\":\"half\"},\"done\":false}\n" },
		{ .type = "text/event-stream",
		    .body = "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
			    "{\"type\":\"text_delta\",\"text\":\"half\"}}\n\n" },
	};
	struct server *s = server_start(ONE_WORKER
	    "robots = ( " MODEL_AT("model", "%s", "8000", "") ", " HELLO_ROBOT " );\n",
	    scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *line = scene_chat(s), *json = scene_chat(s), *raw = scene_chat(s);
	struct fakebot_script how = cut[_i];

	how.chunked = true;
	how.promise = 1; /* no last chunk */
	fakebot_play(b, &how);
	peer_send(line, "me::hi\n");
	peer_expect(line, "half\n");
	peer_expect_prefix(line, "ERR robot-bad-reply ");
	ck_assert_int_eq(fakebot_requests(b), 1);
	peer_send(json, "{\"user\":\"me\",\"text\":\"hi\",\"id\":7,\"stream\":true}\n");
	peer_expect(json, "{\"id\":7,\"piece\":\"half\"}\n");
	peer_expect_prefix(json, "{\"id\":7,\"error\":{\"code\":\"robot-bad-reply\"");
	peer_send(raw, "me::hi");
	peer_expect(raw, "ERR robot-bad-reply ");
	ck_assert_int_eq(fakebot_requests(b), 3);
	scene_end(s, b);
}
END_TEST

/* As above, when the error comes as an event, under status 200: also one that would else be a
 * reason to ask again, with the same key or the next. */
START_TEST(error_in_mid_stream_ends_the_answer)
{
	static const struct {
		const char *event, *heard;
	} errors[] = {
		{ "data: {\"error\":{\"code\":503,\"message\":\"gone\"}}\n\n",
		    "ERR robot-unavailable " },
		{ "data: {\"error\":{\"type\":\"rate_limit_exceeded\"}}\n\n",
		    "ERR robot-unavailable " },
		{ "data: {\"error\":{\"type\":\"insufficient_quota\"}}\n\n", "ERR robot-refused " },
		{ "data: {\"error\":{\"type\":\"exceed_context_size_error\"}}\n\n",
		    "ERR robot-refused " },
	};
	struct server *s = server_start(ONE_WORKER
	    "robots = ( { name = \"model\"; type = \"openai\"; url = \"http://$ADDR:8000\"; "
	    "api_key = ( \"" KEY "\", \"" SECOND_KEY "\" ); }, " HELLO_ROBOT " );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char body[512];

	peer_send(p, "me::first\n");
	peer_expect(p, "echo:first\n");
	snprintf(body, sizeof body,
	    "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n%s", errors[_i].event);
	fakebot_play(b, &(struct fakebot_script){
			    .type = "text/event-stream", .body = body, .no_length = true });
	peer_send(p, "hi\n");
	peer_expect(p, "half\n");
	peer_expect_prefix(p, errors[_i].heard);
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

START_TEST(error_before_any_text_passes_the_message_on)
{
	struct server *s =
	    server_start(ONE_WORKER "robots = ( " MODEL_ROBOT("") ", " HELLO_ROBOT " );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .type = "text/event-stream",
			    .body = "data: {\"error\":{\"message\":\"gone\"}}\n\n" });
	scene_hello(p, "me::hi");
	scene_end(s, b);
}
END_TEST

/* Half a character is no text yet: who breaks off there has said nothing, and it is no beginning of
 * what comes next. */
START_TEST(half_a_character_before_an_error_is_no_text)
{
	static const struct {
		const char *more, *event, *heard;
		int n; /* so often; 0: always */
	} cases[] = {
		{ ", " HELLO_ROBOT, "{\"error\":{\"message\":\"gone\"}}", "Hello, hi!\n", 0 },
		{ "", "{\"error\":{\"type\":\"rate_limit_exceeded\"}}", "echo:hi\n", 1 },
	};
	struct server *s =
	    server_start(ONE_WORKER "robots = ( " MODEL_ROBOT("") "%s );\n", cases[_i].more);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char body[256];

	snprintf(body, sizeof body,
	    "data: {\"choices\":[{\"delta\":{\"content\":\"\xE4\xBD\"}}]}\n\ndata: %s\n\n",
	    cases[_i].event);
	fakebot_play(b, &(struct fakebot_script){
			    .first_n = cases[_i].n, .type = "text/event-stream", .body = body });
	peer_send(p, "me::hi\n");
	peer_expect(p, cases[_i].heard);
	scene_end(s, b);
}
END_TEST

/* --- the breaker ----------------------------------------------------------------------------- */

/* The pause is a second: what is said of it is said in the first half. */
START_TEST(robot_that_fails_thrice_is_left_alone_and_found_again_by_one_message)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);
	int64_t by_ms;

	trip(s, b, p);
	by_ms = lapse_now_ms() + 500;
	for (int i = 0; i < 20 && lapse_now_ms() < by_ms; i++)
		scene_hello(i % 2 ? p : q, "me::rests");
	ck_assert_int_eq(fakebot_requests(b), 3);
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	probe(b, p);
	for (int i = 0; i < 10; i++)
		scene_hello(q, "me::meanwhile");
	ck_assert_int_eq(fakebot_requests(b), 4);
	ck_assert_int_eq(server_count_log(s, "ev=robot_recovered"), 0);
	fakebot_release(b);
	peer_expect(p, "echo:probe\n");
	(void)server_wait_log(s, "ev=robot_recovered robot=turing");
	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(probe_that_fails_doubles_the_pause)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	int64_t by_ms = lapse_now_ms() + SERVER_MS;

	trip(s, b, p);
	while (fakebot_requests(b) == 3) {
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		peer_wait_any(&p, 1, 20);
		scene_hello(p, "probe");
	}
	ck_assert_int_eq(
	    server_log_number(server_wait_log(s, "ev=robot_rests robot=turing"), "ms"), 2000);
	for (int i = 0; i < 10; i++)
		scene_hello(p, "rests");
	ck_assert_int_eq(fakebot_requests(b), 4);
	scene_end(s, b);
}
END_TEST

/* The chat whose message probes leaves: another one probes at once. */
START_TEST(probe_whose_chat_leaves_is_taken_over)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	trip(s, b, q);
	fakebot_play(b, &(struct fakebot_script){ .only = "probe", .hold = true });
	probe(b, p);
	peer_reset(p);
	fakebot_wait_gone(b, 1);
	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(what_one_worker_found_out_the_other_knows)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *chats[2];

	scene_chats_apart(s, chats);
	trip(s, b, chats[0]);
	for (int i = 0; i < 5; i++)
		scene_hello(chats[1], "me::rests here too");
	ck_assert_int_eq(fakebot_requests(b), 3);
	fakebot_echo(b);
	ask_until(chats[0], "hi", "echo:hi");
	peer_send(chats[1], "hi\n");
	peer_expect(chats[1], "echo:hi\n");
	ck_assert_int_eq(server_count_log(s, "ev=robot_recovered"), 1);
	scene_end(s, b);
}
END_TEST

START_TEST(reload_wakes_who_rests)
{
	struct server *s = server_start(ONE_WORKER TURING_THEN_HELLO);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	trip(s, b, p);
	fakebot_echo(b);
	server_reload_ok(s);
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests(b), 4);
	scene_end(s, b);
}
END_TEST

/* When nobody else can answer it is asked all the same. */
START_TEST(robot_that_rests_is_asked_when_there_is_no_other)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &broken);
	for (int i = 1; i <= 5; i++) {
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-bad-reply ");
		ck_assert_int_eq(fakebot_requests(b), i);
	}
	fakebot_echo(b);
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	(void)server_wait_log(s, "ev=robot_recovered robot=turing");
	scene_end(s, b);
}
END_TEST

Suite *
chain_suite(void)
{
	Suite *suite = suite_create("chain");
	TCase *tc = scene_case(suite, "order");

	tcase_add_test(tc, every_message_is_answered_by_the_one_that_can);
	tcase_add_test(tc, robot_that_was_chosen_is_asked_first_and_others_when_it_fails);
	tcase_add_loop_test(tc, nothing_is_asked_again_once_text_went_out, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, error_in_mid_stream_ends_the_answer, 0, 4);
	tcase_add_test(tc, error_before_any_text_passes_the_message_on);
	tcase_add_loop_test(tc, half_a_character_before_an_error_is_no_text, 0, 2);
	tc = scene_case(suite, "breaker");
	tcase_add_test(tc, robot_that_fails_thrice_is_left_alone_and_found_again_by_one_message);
	tcase_add_test(tc, probe_that_fails_doubles_the_pause);
	tcase_add_test(tc, probe_whose_chat_leaves_is_taken_over);
	tcase_add_test(tc, what_one_worker_found_out_the_other_knows);
	tcase_add_test(tc, reload_wakes_who_rests);
	tcase_add_test(tc, robot_that_rests_is_asked_when_there_is_no_other);
	return suite;
}
