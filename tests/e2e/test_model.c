/* test_model.c - model servers that stream: what they are asked, and when a chat hears what. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <stdio.h>
#include <string.h>

/* Pieces of the fake robot's echo before its first text ("ech", of "echo:hi"). */
static const int steps_to_text[SCENE_MODELS] = { 1, 0, 3 };

/* Its answers come piece by piece, at steps of the test. */
static void
hold_pieces(struct fakebot *b)
{
	fakebot_play(b, &(struct fakebot_script){ .piece_hold = true });
}

static void
steps(struct fakebot *b, int n)
{
	while (n-- > 0)
		fakebot_step(b);
}

/* More than any echo has. */
static void
step_to_the_end(struct fakebot *b)
{
	steps(b, 10);
}

/* --- what chats hear ------------------------------------------------------------------------- */

START_TEST(answer_of_a_model_reaches_every_dialect)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *line = scene_chat(s), *json = scene_chat(s), *raw = scene_chat(s);
	char pieces[1 << 16];

	peer_send(line, "me::你好\nagain\n");
	peer_expect(line, "echo:你好\necho:again\n");
	ck_assert_str_eq(scene_ask_json(json, "hi"), "echo:hi");
	ck_assert_int_ge(scene_ask_stream(json, "hi", pieces), 1);
	ck_assert_str_eq(pieces, "echo:hi");
	peer_send(raw, "me::hi");
	peer_expect(raw, "echo:hi");
	peer_send(raw, "me::ho");
	peer_expect(raw, "echo:ho");
	ck_assert(fakebot_record(b, 0).stream);
	scene_end(s, b);
}
END_TEST

START_TEST(piece_reaches_the_chat_before_the_robot_goes_on)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *line = scene_chat(s), *json = scene_chat(s);

	hold_pieces(b);
	peer_send(line, "me::hi\n");
	peer_send(json, "{\"user\":\"me\",\"text\":\"hi\",\"id\":7,\"stream\":true}\n");
	fakebot_wait_requests(b, 2);
	steps(b, steps_to_text[_i]);
	peer_expect(line, "ech");
	peer_expect(json, "{\"id\":7,\"piece\":\"ech\"}\n");
	steps(b, 1);
	peer_expect(line, "o:hi");
	peer_expect(json, "{\"id\":7,\"piece\":\"o:hi\"}\n");
	step_to_the_end(b);
	peer_expect(line, "\n");
	peer_expect(json, "{\"id\":7,\"robot\":\"model\",\"text\":\"echo:hi\"}\n");
	scene_end(s, b);
}
END_TEST

/* Their first pieces are there as soon as those of the other chat, which were heard. */
START_TEST(raw_and_json_without_stream_hear_nothing_before_the_end)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *raw = scene_chat(s), *json = scene_chat(s), *line = scene_chat(s);

	hold_pieces(b);
	peer_send(raw, "me::hi");
	peer_send(json, "{\"user\":\"me\",\"text\":\"hi\"}\n");
	fakebot_wait_requests(b, 2);
	peer_send(line, "me::hi\n");
	fakebot_wait_requests(b, 3);
	steps(b, steps_to_text[_i]);
	peer_expect(line, "ech");
	steps(b, 1);
	peer_expect(line, "o:hi");
	ck_assert_int_eq(peer_fill(raw), PEER_NOTHING);
	ck_assert_int_eq(peer_fill(json), PEER_NOTHING);
	step_to_the_end(b);
	peer_expect(raw, "echo:hi");
	peer_expect(json, "{\"robot\":\"model\",\"text\":\"echo:hi\"}\n");
	s->worker_slack = 8; /* three connections to the robot stay */
	scene_end(s, b);
}
END_TEST

START_TEST(half_close_during_a_stream_still_gets_the_whole)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *other = scene_chat(s);

	hold_pieces(b);
	peer_send(p, "me::hi\n");
	fakebot_wait_requests(b, 1);
	steps(b, steps_to_text[_i]);
	peer_expect(p, "ech");
	peer_half_close(p);
	peer_send(other, "me::exit\n"); /* the server had its chance to see the end */
	peer_eof(other);
	step_to_the_end(b);
	peer_expect(p, "o:hi\n");
	peer_eof(p);
	scene_end(s, b);
}
END_TEST

START_TEST(two_streams_at_once_do_not_mix)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	hold_pieces(b);
	peer_send(p, "ann::hi\n");
	fakebot_wait_requests(b, 1);
	steps(b, steps_to_text[_i]);
	peer_expect(p, "ech");
	peer_send(q, "bob::here\n");
	fakebot_wait_requests(b, 2);
	steps(b, steps_to_text[_i]);
	if (steps_to_text[_i] > 0)
		peer_expect(p, "o:hi");
	peer_expect(q, "echo");
	step_to_the_end(b);
	peer_expect(p, steps_to_text[_i] > 0 ? "\n" : "o:hi\n");
	peer_expect(q, ":here\n");
	scene_end(s, b);
}
END_TEST

START_TEST(datagram_gets_the_whole_answer_of_a_model)
{
	struct server *s = server_start(
	    PLAIN POOL(1) MODEL("%s",
		"") "listen = ( { address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n",
	    scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = peer_open_udp(s->address, SERVER_PORT);
	char answer[2048];

	peer_send(p, "me::hi");
	peer_datagram(p, answer, sizeof answer);
	ck_assert_str_eq(answer, "echo:hi");
	scene_end(s, b);
}
END_TEST

START_TEST(reasoning_never_reaches_a_chat)
{
	static const struct {
		const char *type, *body;
	} thinks[SCENE_MODELS] = {
		{ "text/event-stream",
		    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"secretly\"}}]}\n\n"
		    "data: {\"choices\":[{\"delta\":{\"reasoning\":\"secretly\"}}]}\n\n"
		    "data: {\"choices\":[{\"delta\":{\"content\":\"said\"}}]}\n\n"
		    "data: [DONE]\n\n" },
		{ "application/x-ndjson",
		    "{\"message\":{\"content\":\"\",\"thinking\":\"secretly\"},\"done\":false}\n"
		    "{\"message\":{\"content\":\"said\"},\"done\":false}\n"
		    "{\"message\":{\"content\":\"\"},\"done\":true}\n" },
		{ "text/event-stream",
		    "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
		    "{\"type\":\"thinking\",\"thinking\":\"secretly\"}}\n\n"
		    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
		    "{\"type\":\"thinking_delta\",\"thinking\":\"secretly\"}}\n\n"
		    "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
		    "{\"type\":\"text_delta\",\"text\":\"said\"}}\n\n"
		    "data: {\"type\":\"message_stop\"}\n\n" },
	};
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){ .type = thinks[_i].type, .body = thinks[_i].body });
	peer_send(p, "me::hi\n");
	peer_expect(p, "said\n");
	scene_end(s, b);
}
END_TEST

/* --- what robots are asked ------------------------------------------------------------------- */

#define FULL "system = \"be brief\"; max_tokens = 77; extra = \"{\\\"temperature\\\": 0.5}\";"

static void
expect_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		ck_abort_msg("\"%s\" is missing in: %s", part, text);
}

START_TEST(model_is_asked_as_configured)
{
	static const struct {
		const char *path, *max_tokens, *key, *more;
	} asks[SCENE_MODELS] = {
		{ "/chat/completions", "\"max_tokens\":77", "\r\nAuthorization: Bearer " KEY, "" },
		{ "/api/chat", "\"num_predict\":77", "\r\nAuthorization: Bearer " KEY, "" },
		{ "/v1/messages", "\"max_tokens\":77", "\r\nx-api-key: " KEY,
		    "\r\nanthropic-version: 2023-06-01\r\n" },
	};
	struct server *s = server_start(ONE_WORKER MODEL("%s", FULL), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	peer_send(p, "me::你好\n");
	peer_expect(p, "echo:你好\n");
	r = fakebot_record(b, 0);
	ck_assert_str_eq(r.path, asks[_i].path);
	ck_assert_str_eq(r.model, "m1");
	ck_assert_str_eq(r.system, "be brief");
	ck_assert_str_eq(r.info, "你好");
	ck_assert_str_eq(r.history, "");
	ck_assert_str_eq(r.key, KEY);
	ck_assert_ptr_null(strstr(r.body, KEY));
	expect_in(r.body, asks[_i].max_tokens);
	expect_in(r.body, "\"temperature\": 0.5");
	expect_in(r.body, "\"stream\":true");
	expect_in(r.head, asks[_i].key);
	expect_in(r.head, asks[_i].more);
	expect_in(r.head, "Content-Type: application/json");
	ck_assert(!!strstr(r.body, "\"include_usage\":true") ==
		  (strcmp(scene_models[_i], "openai") == 0));
	scene_end(s, b);
}
END_TEST

START_TEST(model_without_stream_is_asked_for_a_whole_answer)
{
	struct server *s =
	    server_start(ONE_WORKER MODEL("%s", "stream = false;"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	r = fakebot_record(b, 0);
	ck_assert(!r.stream);
	expect_in(r.body, "\"stream\":false");
	ck_assert_ptr_null(strstr(r.body, "stream_options"));
	scene_end(s, b);
}
END_TEST

static const struct {
	const char *says, *had, *has;
} refuses[] = {
	{ "{\"error\":{\"message\":\"Unknown parameter: 'stream_options'.\"}}",
	    "\"stream_options\"", "\"stream\":true" },
	{ "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens'. Use "
	  "'max_completion_tokens' instead.\"}}",
	    "\"max_tokens\"", "\"max_completion_tokens\":77" },
};

START_TEST(member_that_a_server_refuses_is_left_out_from_then_on)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", FULL));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(
	    b, &(struct fakebot_script){ .first_n = 1, .status = 400, .body = refuses[_i].says });
	peer_send(p, "me::hi\nagain\n");
	peer_expect(p, "echo:hi\necho:again\n");
	ck_assert_int_eq(fakebot_requests(b), 3);
	expect_in(fakebot_record(b, 0).body, refuses[_i].had);
	for (int i = 1; i < 3; i++) {
		ck_assert_ptr_null(strstr(fakebot_record(b, i).body, refuses[_i].had));
		expect_in(fakebot_record(b, i).body, refuses[_i].has);
	}
	scene_end(s, b);
}
END_TEST

/* Both are on their way before the server has refused one. */
START_TEST(member_that_a_server_refuses_twice_at_once_is_left_out_of_both)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", FULL));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){
			    .first_n = 2, .hold = true, .status = 400, .body = refuses[_i].says });
	peer_send(p, "me::one\n");
	peer_send(q, "me::two\n");
	fakebot_wait_requests(b, 2);
	fakebot_release(b);
	peer_expect(p, "echo:one\n");
	peer_expect(q, "echo:two\n");
	peer_send(p, "again\n");
	peer_expect(p, "echo:again\n");
	ck_assert_int_eq(fakebot_requests(b), 5);
	for (int i = 2; i < 5; i++) {
		ck_assert_ptr_null(strstr(fakebot_record(b, i).body, refuses[_i].had));
		expect_in(fakebot_record(b, i).body, refuses[_i].has);
	}
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(reply_is_read_for_what_it_is_not_for_what_was_asked)
{
	static const char whole[] = "{\"choices\":[{\"message\":{\"role\":\"assistant\","
				    "\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}",
			  stream[] = "data: {\"choices\":[{\"delta\":{\"content\":\"str\"}}]}\n\n"
				     "data: {\"choices\":[{\"delta\":{\"content\":\"eam\"},"
				     "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
	struct server *s =
	    server_start(ONE_WORKER MODEL("openai", "stream = %s;"), _i == 0 ? "true" : "false");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .body = whole });
	peer_send(p, "me::hi\n");
	peer_expect(p, "whole\n");
	fakebot_play(b, &(struct fakebot_script){ .type = "text/event-stream", .body = stream });
	peer_send(p, "me::hi\n");
	peer_expect(p, "stream\n");
	scene_end(s, b);
}
END_TEST

START_TEST(tokens_are_logged_as_the_model_tells)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	const char *line;

	peer_send(p, "me::one\ntwo\n");
	peer_expect(p, "echo:one\necho:two\n");
	(void)server_wait_log(s, "ev=message outcome=ok");
	line = server_wait_log(s, "ev=message outcome=ok");
	ck_assert_int_eq(server_log_number(line, "tokens_in"), 3); /* the messages it was sent */
	ck_assert_int_eq(server_log_number(line, "tokens_out"), 2);
	scene_end(s, b);
}
END_TEST

Suite *
model_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = scene_case(suite, "stream");

	tcase_add_loop_test(tc, answer_of_a_model_reaches_every_dialect, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, piece_reaches_the_chat_before_the_robot_goes_on, 0, SCENE_MODELS);
	tcase_add_loop_test(
	    tc, raw_and_json_without_stream_hear_nothing_before_the_end, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, half_close_during_a_stream_still_gets_the_whole, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, two_streams_at_once_do_not_mix, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, datagram_gets_the_whole_answer_of_a_model, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, reasoning_never_reaches_a_chat, 0, SCENE_MODELS);
	tc = scene_case(suite, "request");
	tcase_add_loop_test(tc, model_is_asked_as_configured, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, model_without_stream_is_asked_for_a_whole_answer, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, member_that_a_server_refuses_is_left_out_from_then_on, 0, 2);
	tcase_add_loop_test(
	    tc, member_that_a_server_refuses_twice_at_once_is_left_out_of_both, 0, 2);
	tcase_add_loop_test(tc, reply_is_read_for_what_it_is_not_for_what_was_asked, 0, 2);
	tcase_add_loop_test(tc, tokens_are_logged_as_the_model_tells, 0, SCENE_MODELS);
	return suite;
}
