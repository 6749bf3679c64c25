/* test_memory.c - what a model is told of the chat so far. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <stdio.h>
#include <string.h>

/* Say TEXT, hear its echo. */
static void
say(struct peer *p, const char *text)
{
	char answer[256];

	peer_sendf(p, "%s\n", text);
	if (strstr(text, "::") != NULL)
		text = strstr(text, "::") + 2;
	snprintf(answer, sizeof answer, "echo:%s\n", text);
	peer_expect(p, answer);
}

/* The i-th request told this of the chat. */
static void
expect_told(struct fakebot *b, int i, const char *history)
{
	struct fakebot_record r = fakebot_record(b, i);

	ck_assert_str_eq(r.history, history);
}

START_TEST(question_carries_the_turns_before_it)
{
	struct server *s =
	    server_start(ONE_WORKER MODEL("%s", "system = \"be brief\";"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	say(p, "me::one");
	say(p, "two");
	say(p, "three");
	expect_told(b, 0, "");
	expect_told(b, 1, "user:one|assistant:echo:one");
	expect_told(b, 2, "user:one|assistant:echo:one|user:two|assistant:echo:two");
	r = fakebot_record(b, 2);
	ck_assert_str_eq(r.info, "three");
	ck_assert_str_eq(r.system, "be brief");
	ck_assert_int_eq(r.n_messages, strcmp(scene_models[_i], "anthropic") == 0 ? 5 : 6);
	scene_end(s, b);
}
END_TEST

START_TEST(no_more_turns_than_memory_turns_are_told)
{
	struct server *s = server_start(ONE_WORKER "memory_turns = 2;\n" MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	say(p, "me::one");
	say(p, "two");
	say(p, "three");
	say(p, "four");
	expect_told(b, 2, "user:one|assistant:echo:one|user:two|assistant:echo:two");
	expect_told(b, 3, "user:two|assistant:echo:two|user:three|assistant:echo:three");
	scene_end(s, b);
}
END_TEST

START_TEST(memory_turns_of_none_is_no_memory)
{
	struct server *s = server_start(ONE_WORKER "memory_turns = 0;\n" MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	say(p, "me::one");
	say(p, "two");
	expect_told(b, 1, "");
	scene_end(s, b);
}
END_TEST

/* A turn of a character has seven with its echo, and eleven bytes: two fit into fifteen. */
START_TEST(no_more_characters_than_memory_chars_are_told)
{
	struct server *s = server_start(ONE_WORKER "memory_chars = 15;\n" MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	say(p, "me::甲");
	say(p, "乙");
	say(p, "丙");
	say(p, "丁");
	say(p, "too long to be told of");
	say(p, "戊");
	expect_told(b, 3, "user:乙|assistant:echo:乙|user:丙|assistant:echo:丙");
	expect_told(b, 5, "");
	scene_end(s, b);
}
END_TEST

START_TEST(forget_forgets)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	say(p, "me::one");
	say(q, "me::another");
	peer_send(p, "/forget\n");
	peer_expect(p, "Forgotten.\n");
	say(p, "two");
	say(p, "three");
	say(q, "yet another");
	expect_told(b, 2, "");
	expect_told(b, 3, "user:two|assistant:echo:two");
	expect_told(b, 4, "user:another|assistant:echo:another");
	scene_end(s, b);
}
END_TEST

/* Also of two who say they are the same. */
START_TEST(chats_do_not_share_their_memory)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	say(p, "ann::one");
	say(q, "ann::two");
	say(p, "three");
	say(q, "four");
	expect_told(b, 1, "");
	expect_told(b, 2, "user:one|assistant:echo:one");
	expect_told(b, 3, "user:two|assistant:echo:two");
	scene_end(s, b);
}
END_TEST

START_TEST(datagrams_have_no_memory)
{
	struct server *s = server_start(PLAIN POOL(1) MODEL("openai",
	    "") "listen = ( { address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = peer_open_udp(s->address, SERVER_PORT);
	char answer[2048];

	for (int i = 0; i < 2; i++) {
		peer_send(p, "me::hi");
		peer_datagram(p, answer, sizeof answer);
		ck_assert_str_eq(answer, "echo:hi");
		ck_assert_int_eq(fakebot_record(b, i).n_messages, 1);
	}
	scene_end(s, b);
}
END_TEST

/* Raw is cut on its way to the chat, not in the memory. */
START_TEST(raw_and_json_have_memory_too)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *raw = scene_chat(s), *json = scene_chat(s);

	peer_send(raw, "me::one");
	peer_expect(raw, "echo:one");
	peer_send(raw, "me::two");
	peer_expect(raw, "echo:two");
	expect_told(b, 1, "user:one|assistant:echo:one");
	ck_assert_str_eq(scene_ask_json(json, "three"), "echo:three");
	ck_assert_str_eq(scene_ask_json(json, "four"), "echo:four");
	expect_told(b, 3, "user:three|assistant:echo:three");
	scene_end(s, b);
}
END_TEST

/* Turing keeps conversations itself: it is told nothing, but what it said is told to a model. */
START_TEST(turing_is_told_nothing_and_remembered_for_models)
{
	struct server *s = server_start(ONE_WORKER
	    "robots = ( " TURING_ROBOT("") ", " MODEL_AT("model", "openai", "8001", "") " );\n");
	struct fakebot *b = scene_bot(s), *model = fakebot_start(s->address, 8001);
	struct peer *p = scene_chat(s);

	say(p, "me::one");
	say(p, "two");
	ck_assert_ptr_null(strstr(fakebot_record(b, 1).body, "one"));
	peer_send(p, "/robot model\n");
	peer_expect_prefix(p, "Now you talk to: model");
	say(p, "three");
	expect_told(model, 0, "user:one|assistant:echo:one|user:two|assistant:echo:two");
	fakebot_stop(model);
	s->worker_slack = 6; /* two robots, a descriptor of libcurl's more */
	scene_end(s, b);
}
END_TEST

/* --- what is not remembered ------------------------------------------------------------------ */

START_TEST(failed_turn_is_not_remembered)
{
	static const struct fakebot_script fails[] = {
		{ .only = "bad", .status = 400, .body = "{\"error\":{\"message\":\"no\"}}" },
		/* cut after a piece, which the chat hears */
		{ .only = "bad",
		    .type = "text/event-stream",
		    .chunked = true,
		    .promise = 1,
		    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n" },
	};
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &fails[_i]);
	say(p, "me::one");
	peer_send(p, "bad\n");
	if (_i == 1)
		peer_expect(p, "half\n");
	peer_expect_prefix(p, "ERR robot-");
	say(p, "two");
	expect_told(b, fakebot_requests(b) - 1, "user:one|assistant:echo:one");
	scene_end(s, b);
}
END_TEST

static const char overflow[] =
    "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size\","
    "\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":9000,\"n_ctx\":4096}}";

START_TEST(chat_too_long_for_the_robot_is_told_again_with_less)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	say(p, "me::one");
	say(p, "two");
	say(p, "three");
	say(p, "four");
	fakebot_play(b, &(struct fakebot_script){ .first_n = 2, .status = 400, .body = overflow });
	say(p, "big");
	ck_assert_int_eq(fakebot_requests(b), 7);
	ck_assert_int_eq(fakebot_record(b, 4).n_messages, 9);
	ck_assert_int_eq(fakebot_record(b, 5).n_messages, 5);
	ck_assert_int_eq(fakebot_record(b, 6).n_messages, 3);
	ck_assert_str_eq(fakebot_record(b, 6).info, "big");
	expect_told(b, 6, "user:four|assistant:echo:four");
	ck_assert_int_eq(server_count_log(s, "ev=robot_memory_cut robot=model"), 2);
	scene_end(s, b);
}
END_TEST

START_TEST(question_too_long_by_itself_is_refused_after_as_many_tries)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	for (int i = 1; i <= 4; i++)
		say(p, "me::more");
	fakebot_play(b, &(struct fakebot_script){ .status = 400, .body = overflow });
	peer_send(p, "big\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	ck_assert_int_eq(fakebot_requests(b), 8); /* with 4, 2, 1 and no turn */
	ck_assert_int_eq(fakebot_record(b, 7).n_messages, 1);
	fakebot_echo(b);
	say(p, "small");
	ck_assert_int_eq(fakebot_record(b, 8).n_messages, 9);
	scene_end(s, b);
}
END_TEST

Suite *
memory_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = scene_case(suite, "told");

	tcase_add_loop_test(tc, question_carries_the_turns_before_it, 0, SCENE_MODELS);
	tcase_add_test(tc, no_more_turns_than_memory_turns_are_told);
	tcase_add_test(tc, memory_turns_of_none_is_no_memory);
	tcase_add_test(tc, no_more_characters_than_memory_chars_are_told);
	tcase_add_test(tc, forget_forgets);
	tcase_add_test(tc, chats_do_not_share_their_memory);
	tcase_add_test(tc, datagrams_have_no_memory);
	tcase_add_test(tc, raw_and_json_have_memory_too);
	tcase_add_test(tc, turing_is_told_nothing_and_remembered_for_models);
	tc = scene_case(suite, "less");
	tcase_add_loop_test(tc, failed_turn_is_not_remembered, 0, 2);
	tcase_add_loop_test(
	    tc, chat_too_long_for_the_robot_is_told_again_with_less, 0, SCENE_MODELS);
	tcase_add_test(tc, question_too_long_by_itself_is_refused_after_as_many_tries);
	return suite;
}
