/* test_dialect.c - the dialects of the chat door: line, json, raw. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

START_TEST(greeting_is_sent_as_configured)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO);
	struct peer *p = peer_open(s->address, SERVER_PORT);

	peer_expect(p, "Welcome\n");
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(greeting_is_chinese_by_default)
{
	struct server *s = server_start("control = \"$DIR/control.sock\";\n" DOOR(9999) HELLO);
	struct peer *p = peer_open(s->address, SERVER_PORT);

	peer_expect(p, "你好，欢迎来到机器人聊天器！\n");
	scene_hello(p, "小明::你好");
	scene_end(s, NULL);
}
END_TEST

START_TEST(line_remembers_its_user_and_splits_at_the_first_colons)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "ann::hi\n");
	peer_expect(p, "Hello, hi!\n");
	peer_send(p, "again\n");
	peer_expect(p, "Hello, again!\n");
	peer_send(p, "what is std::vector?\n");
	peer_expect(p, "Hello, what is std::vector?!\n");
	peer_send(p, "bob::x::y\n");
	peer_expect(p, "Hello, x::y!\n");
	scene_end(s, NULL);
}
END_TEST

START_TEST(line_without_a_user_is_refused_and_the_chat_goes_on)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "hello\n");
	peer_expect_prefix(p, "ERR no-user ");
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(line_exit_ends_the_chat_with_or_without_a_user)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	scene_hello(p, "me::hi");
	peer_send(p, "exit\n");
	peer_eof(p);
	peer_send(q, "me::exit\n");
	peer_eof(q);
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	scene_end(s, NULL);
}
END_TEST

START_TEST(line_knows_help_and_takes_other_slashes_as_text)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	peer_send(p, "/help\n/nothing\n");
	while (strstr(peer_line(p), "/forget") == NULL)
		continue;
	while (strcmp(peer_line(p), "Hello, /nothing!") != 0)
		continue;
	scene_end(s, NULL);
}
END_TEST

START_TEST(line_chooses_a_robot_by_name)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE
	    "robots = ( { name = \"hello\"; type = \"hello\"; },\n"
	    "  { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = \"" KEY
	    "\"; } );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	peer_send(p, "/robot turing\n");
	ck_assert_str_ne(peer_line(p), "");
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

START_TEST(telnet_negotiation_is_stripped)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "\xff\xfd\x03\xff\xfb\x18me::hi\r\n");
	peer_expect(p, "Hello, hi!\n");
	scene_end(s, NULL);
}
END_TEST

/* --- json ------------------------------------------------------------------------------------ */

START_TEST(json_answers_one_object_a_line_with_the_id)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "{\"user\":\"ann\",\"text\":\"hi\",\"id\":7}\n");
	peer_expect(p, "{\"id\":7,\"robot\":\"hello\",\"text\":\"Hello, hi!\"}\n");
	peer_send(p, "{\"text\":\"a\\nb\"}\n");
	peer_expect(p, "{\"robot\":\"hello\",\"text\":\"Hello, a\\nb!\"}\n");
	scene_end(s, NULL);
}
END_TEST

START_TEST(json_commands_are_for_who_asks_for_them)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "{\"user\":\"ann\",\"text\":\"/robot\",\"id\":7}\n");
	peer_expect(p, "{\"id\":7,\"robot\":\"hello\",\"text\":\"Hello, /robot!\"}\n");
	peer_send(p, "{\"text\":\"/robot hello\",\"id\":8,\"commands\":true}\n");
	peer_expect(p, "{\"id\":8,\"text\":\"");
	scene_end(s, NULL);
}
END_TEST

START_TEST(json_stream_gives_pieces_and_then_the_whole)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	char pieces[256] = "";

	peer_send(p, "{\"user\":\"ann\",\"text\":\"你好\",\"id\":\"x1\",\"stream\":true}\n");
	for (bool whole = false; !whole;) {
		const char *line = peer_line(p), *text;
		struct json_object *o = json_read(line, strlen(line));
		size_t n;

		ck_assert_ptr_nonnull(o);
		ck_assert_str_eq(json_text(o, "id", &n), "x1");
		if ((text = json_text(o, "piece", &n)) != NULL)
			strncat(pieces, text, sizeof pieces - strlen(pieces) - 1);
		text = json_text(o, "text", &n);
		if (text != NULL)
			ck_assert_str_eq(text, "Hello, 你好!");
		whole = text != NULL;
		json_drop(o);
	}
	ck_assert_str_eq(pieces, "Hello, 你好!");
	scene_end(s, NULL);
}
END_TEST

START_TEST(json_errors_are_objects_with_code_and_id)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	const char *line, *text;
	struct json_object *o;
	int64_t id;
	size_t n;

	peer_send(p, "{\"text\":\"hi\",\"id\":3}\n");
	line = peer_line(p);
	o = json_read(line, strlen(line));
	ck_assert(json_whole(o, "id", &id) && id == 3);
	text = json_text(json_object_member(o, "error"), "code", &n);
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, "no-user");
	ck_assert_ptr_nonnull(json_text(json_object_member(o, "error"), "message", &n));
	json_drop(o);
	peer_send(p, "{\"user\":\"ann\",\"text\":\n");
	ck_assert_ptr_nonnull(strstr(peer_line(p), "\"bad-input\""));
	ck_assert_str_eq(scene_ask_json(p, "ok"), "Hello, ok!");
	scene_end(s, NULL);
}
END_TEST

/* --- raw ------------------------------------------------------------------------------------- */

START_TEST(raw_answers_without_newline)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	peer_send(p, "小明::你好");
	peer_expect(p, "Hello, 你好!");
	peer_send(p, "小明::again::and");
	peer_expect(p, "Hello, again::and!");
	peer_send(p, "小明::exit");
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(raw_cuts_a_long_answer_to_one_receive_of_the_tutorial)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	char question[2048] = "me::", answer[1025];
	size_t n;

	for (int i = 0; i < 500; i++)
		strcat(question, "好");
	peer_send(p, question);
	/* "Hello, " and 338 characters are 1,021 bytes; the ellipsis takes three more. */
	n = strlen("Hello, ");
	memcpy(answer, "Hello, ", n);
	memcpy(answer + n, question + 4, 1014);
	memcpy(answer + n + 1014, "…", 4);
	ck_assert(text_is_utf8(answer, strlen(answer)));
	peer_expect(p, answer);
	peer_send(p, "me::next");
	peer_expect(p, "Hello, next!");
	scene_end(s, NULL);
}
END_TEST

START_TEST(raw_failures_have_no_newline)
{
	struct server *s =
	    server_start(PLAIN POOL(1) DOOR(9999) HELLO "limits = { messages_per_minute = 1; };\n");
	struct peer *p = scene_chat(s);

	peer_send(p, "me::hi");
	peer_expect(p, "Hello, hi!");
	peer_send(p, "me::hi");
	peer_expect(p, "ERR rate ");
	peer_half_close(p);
	ck_assert_ptr_null(strchr(peer_rest(p), '\n'));
	scene_end(s, NULL);
}
END_TEST

static void
add_line_tests(TCase *tc)
{
	tcase_add_test(tc, greeting_is_sent_as_configured);
	tcase_add_test(tc, greeting_is_chinese_by_default);
	tcase_add_test(tc, line_remembers_its_user_and_splits_at_the_first_colons);
	tcase_add_test(tc, line_without_a_user_is_refused_and_the_chat_goes_on);
	tcase_add_test(tc, line_exit_ends_the_chat_with_or_without_a_user);
	tcase_add_test(tc, line_knows_help_and_takes_other_slashes_as_text);
	tcase_add_test(tc, line_chooses_a_robot_by_name);
	tcase_add_test(tc, telnet_negotiation_is_stripped);
}

Suite *
dialect_suite(void)
{
	Suite *suite = suite_create("dialect");
	TCase *tc;

	add_line_tests(scene_case(suite, "line"));
	tc = scene_case(suite, "json");
	tcase_add_test(tc, json_answers_one_object_a_line_with_the_id);
	tcase_add_test(tc, json_commands_are_for_who_asks_for_them);
	tcase_add_test(tc, json_stream_gives_pieces_and_then_the_whole);
	tcase_add_test(tc, json_errors_are_objects_with_code_and_id);
	tc = scene_case(suite, "raw");
	tcase_add_test(tc, raw_answers_without_newline);
	tcase_add_test(tc, raw_cuts_a_long_answer_to_one_receive_of_the_tutorial);
	tcase_add_test(tc, raw_failures_have_no_newline);
	return suite;
}
