/* test_text.c - hostile text on its way through the server: to chats, to the log, to operators and
 * through the configuration (FAULTS, rows I13 to I16). */
#include "e2e/operator.h"
#include "e2e/suites.h"

#include "lib/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clear the screen, write the clipboard, CSI as one character, turn the text around, ring, go back
 * to the begin of the line. */
#define ESCAPES                                                                                    \
	"a\x1b[2Jb\x1b]52;c;QUJD\x07c\xc2\x9b"                                                     \
	"2Jd\xe2\x80\xae"                                                                          \
	"e\x07"                                                                                    \
	"f\rg"
#define ESCAPES_JSON "a\\u001b[2Jb\\u001b]52;c;QUJD\\u0007c\\u009b2Jd\\u202ee\\u0007f\\rg"
#define FORMATS      "%s%n%p%x%5$s%99999999d"

/* No control character but the newline, and no override of direction. */
static void
expect_clean(const char *what, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f;
		bool turns =
		    at[0] == 0xe2 && ((at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
					 (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));

		if ((*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f || c1 || turns)
			ck_abort_msg("%s: byte %02x in \"%.100s\"", what, *at, text);
	}
}

/* --- I13 ------------------------------------------------------------------------------------- */

/* The hello robot says what it was told, the rule robot the name: what comes back is the user's. */
START_TEST(i13_control_characters_of_a_user_never_reach_a_chat)
{
	static const char *const says[] = { "me::" ESCAPES "\n", "m\x1b[2J\x07::hello\n",
		"{\"user\":\"ann\",\"text\":\"" ESCAPES_JSON "\"}\n",
		"{\"user\":\"a\\u001b[2Jn\\u202e\\u0007n\",\"text\":\"hello\"}\n",
		"{\"user\":\"ann\",\"text\":\"" ESCAPES_JSON "\",\"stream\":true}\n",
		"{\"user\":\"ann\",\"text\":\"x\",\"id\":\"" ESCAPES_JSON "\"}\n",
		"me::" ESCAPES /* raw */, "/robot \x1b[2J\n", "\x1b[2J\n" };
	struct server *s =
	    server_start(ONE_WORKER "robots = ( { name = \"%s\"; type = \"%s\"; } );\n",
		_i ? "xiaotu" : "hello", _i ? "rules" : "hello");

	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		struct peer *p = scene_chat(s);

		peer_send(p, says[i]);
		peer_half_close(p);
		expect_clean(says[i], peer_rest(p));
	}
	expect_clean("log", server_read_log(s));
	scene_end(s, NULL);
}
END_TEST

START_TEST(i13_datagram_has_no_control_characters)
{
	struct server *s = server_start(PLAIN POOL(2) HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; transport = \"udp\"; } );\n");
	struct peer *p = peer_open_udp(s->address, SERVER_PORT);
	char answer[2048];

	peer_send(p, "me::" ESCAPES);
	peer_datagram(p, answer, sizeof answer);
	expect_clean("datagram", answer);
	scene_end(s, NULL);
}
END_TEST

/* In every dialect, as one answer and as pieces. */
START_TEST(i13_control_characters_of_a_robot_never_reach_a_chat)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct fakebot_script streams = { .type = "text/event-stream",
		.piece_ms = 1,
		.body = "data: {\"choices\":[{\"delta\":{\"content\":\"" ESCAPES_JSON "\"}}]}\n\n\f"
			"data: {\"choices\":[{\"delta\":{\"content\":\"\\u001b\"}}]}\n\n\f"
			"data: {\"choices\":[{\"delta\":{\"content\":\"[2J\xc2\"}}]}\n\n\f"
			"data: {\"choices\":[{\"delta\":{\"content\":\"\x9b\"}}]}\n\n\f"
			"data: [DONE]\n\n" };
	static const char *const says[] = { "me::hi\n", "me::hi",
		"{\"user\":\"a\",\"text\":\"b\"}\n",
		"{\"user\":\"a\",\"text\":\"b\",\"stream\":true}\n" };

	scene_canary(s);
	fakebot_play(b, &streams);
	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		struct peer *p = scene_chat(s);
		const char *rest;

		peer_send(p, says[i]);
		if (strchr(says[i], '\n') != NULL)
			peer_half_close(p);
		else
			peer_wait_any(&p, 1, PEER_MS);
		(void)peer_fill(p);
		if (strchr(says[i], '\n') == NULL)
			peer_half_close(p);
		rest = peer_rest(p);
		expect_clean(says[i], rest);
		ck_assert_ptr_nonnull(strstr(rest, "]52;c;QUJD"));
	}
	scene_end(s, b);
}
END_TEST

/* The names that users give themselves, at the operator's terminal. */
START_TEST(i13_control_characters_of_a_user_never_reach_an_operator)
{
	static const char *const commands[] = { "chats", "status", "workers", "robots" };
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	scene_canary(s);
	peer_send(p, "{\"user\":\"a\\u001b[2J\\u202e\\u0007n\\nx\",\"text\":\"hello\"}\n");
	(void)peer_line(p);
	peer_send(q, "b\x1b[2J::hello\n");
	(void)peer_line(q);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct scene_done d =
		    scene_run(s, NULL, ARGS("xiaotuctl", "-s", operator_socket(s), commands[i]));

		ck_assert_int_eq(d.status, 0);
		expect_clean(commands[i], d.out);
		scene_free(&d);
	}
	scene_end(s, NULL);
}
END_TEST

/* --- I14 ------------------------------------------------------------------------------------- */

/* Every line is one of ours: it begins with a time, and no byte of it is a control character. */
static void
expect_log_form(struct server *s)
{
	char *text = oracle_read_file(s->log), *rest = text, *line;

	expect_clean("log", text);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0' &&
		    (strncmp(line, "ts=20", 5) != 0 || strstr(line, " lvl=") == NULL))
			ck_abort_msg("no line of the log: %s", line);
	free(text);
}

#define FORGED "x\nts=2026-01-01T00:00:00.000Z lvl=info pid=1 role=worker ev=login\x1b[2J\"\\"
#define FORGED_JSON                                                                                \
	"x\\nts=2026-01-01T00:00:00.000Z lvl=info pid=1 role=worker ev=login\\u001b[2J\\\"\\\\"

/* A name has 64 bytes at most, an id fewer. */
#define FORGED_NAME "x\\nts=2026-01-01 lvl=info pid=1 ev=login\\u001b[2J"
#define FORGED_ID   "x\\nts=2026-01-01\\u001b[2J"

START_TEST(i14_text_of_a_user_is_one_line_of_the_log_and_escaped)
{
	struct server *s =
	    server_start(HELLO_SERVER "log = { level = \"debug\"; messages = true; };\n");
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	scene_canary(s);
	(void)scene_ask_json(p, FORGED);
	(void)server_wait_log(s, "ev=login");
	peer_send(q, "{\"user\":\"" FORGED_NAME "\",\"text\":\"hi\"}\n");
	(void)peer_line(q);
	peer_send(q, "{\"user\":\"bob\",\"text\":\"hi\",\"id\":\"" FORGED_ID "\"}\n");
	(void)peer_line(q);
	(void)server_wait_log(s, "ev=message user=\"bob\"");
	ck_assert_ptr_null(strstr(server_read_log(s), "\nts=2026-01-01"));
	expect_log_form(s);
	scene_end(s, NULL);
}
END_TEST

/* What a robot says of its error, too, and what is in a PROXY header or a request line. */
START_TEST(i14_text_of_a_robot_is_one_line_of_the_log_and_escaped)
{
	static const char *const bodies[] = { "{\"error\":{\"type\":\"" FORGED_JSON
					      "\",\"code\":\"" FORGED_JSON
					      "\",\"message\":\"" FORGED_JSON "\"}}",
		"{\"error\":\"" FORGED_JSON "\"}", FORGED };
	struct server *s = server_start(
	    ONE_WORKER MODEL("openai", "") "log = { level = \"debug\"; messages = true; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		fakebot_play(b, &(struct fakebot_script){ .status = 400, .body = bodies[i] });
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-");
	}
	ck_assert_ptr_null(strstr(server_read_log(s), "\nts=2026-01-01"));
	expect_log_form(s);
	scene_end(s, b);
}
END_TEST

/* --- I15 ------------------------------------------------------------------------------------- */

START_TEST(i15_format_directives_are_text_everywhere)
{
	static const char config[] = POOL(1) DOOR(9999) NO_RATE
	    "control = \"$DIR/control.sock\"; language = \"en\"; greeting = \"" FORMATS "\\n\";\n"
	    "log = { level = \"debug\"; messages = true; };\n"
	    "robots = ( { name = \"" FORMATS "\"; type = \"openai\"; url = "
	    "\"http://$ADDR:8000/" FORMATS "\"; model = \"" FORMATS "\"; system = \"" FORMATS
	    "\"; api_key = \"" KEY "\"; } );\n";
	struct server *s = server_start("%s", config);
	struct fakebot *b = scene_bot(s);
	struct peer *p = peer_open(s->address, SERVER_PORT);
	char *chats;

	peer_expect(p, FORMATS "\n");
	peer_send(p, FORMATS "::" FORMATS "\n");
	peer_expect(p, "echo:" FORMATS "\n");
	ck_assert_str_eq(fakebot_record(b, 0).info, FORMATS);
	ck_assert_str_eq(fakebot_record(b, 0).model, FORMATS);
	ck_assert_str_eq(fakebot_record(b, 0).system, FORMATS);
	peer_send(p, "/robot\n");
	for (int i = 0; i < 2; i++) /* those there are, and who answered last */
		ck_assert_ptr_nonnull(strstr(peer_line(p), FORMATS));
	peer_send(p, "/" FORMATS "\n");
	peer_expect(p, "echo:/" FORMATS "\n");
	fakebot_play(
	    b, &(struct fakebot_script){ .status = 400,
		   .body = "{\"error\":{\"type\":\"" FORMATS "\",\"message\":\"" FORMATS "\"}}" });
	peer_send(p, FORMATS "\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	(void)server_wait_log(s, "user=\"" FORMATS "\"");
	(void)server_wait_log(s, "ev=robot_refused says=\"" FORMATS);
	chats = operator_ask(s, "chats");
	ck_assert_ptr_nonnull(strstr(chats, FORMATS));
	free(chats);
	fakebot_echo(b);
	scene_end(s, b);
}
END_TEST

/* In what is wrong with a file, and in its name. */
START_TEST(i15_format_directives_in_a_broken_file_are_text)
{
	static const char *const files[] = { "\"%s%n%p\" = 1;\n", "greeting = %s%n;\n",
		"language = \"%s%n%p\";\n", "listen = ( { address = \"%s%n%p\"; } );\n",
		"@include \"%s%n%p\"\n", "robots = ( { type = \"%s%n%p\"; } );\n",
		"user = \"%s%n%p\"; control = \"/%s%n%p/c\"; bad = 1;\n" };
	struct server *s = server_start(HELLO_SERVER);

	scene_canary(s);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		server_config(s, "%s", files[i]);
		server_reload_rejected(s, "xiaotud.conf");
	}
	ck_assert_int_ge(server_count_log(s, "result=rejected %s%n%p"), 4);
	s->workers = 2;
	scene_end(s, NULL);
}
END_TEST

/* --- I16 ------------------------------------------------------------------------------------- */

static const char *const bad_keys[] = { "0123456789abcdef\\r\\nX-Evil: 1", "0123456789abcdef\\n",
	"0123456789abcdef\\r", "0123456789\\x00abcdef", "0123456789\\tabcdef",
	"0123456789\\x1babcdef", "0123456789\\x7f-abcdef" };

START_TEST(i16_key_with_line_ends_or_control_characters_is_rejected)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	struct scene_done d;

	scene_canary(s);
	server_config(s,
	    PLAIN POOL(2) DOOR(9999) NO_RATE
	    "robots = ( { name = \"r\"; type = \"%s\"; "
	    "model = \"m\"; url = \"http://$ADDR:8000\"; api_key = "
	    "(\"0123456789abcdef\", \"%s\"); } );\n",
	    _i % 2 ? "turing" : "openai", bad_keys[_i / 2]);
	d = scene_run(s, NULL, ARGS("xiaotud", "-t", "-c", "$CONF"));
	ck_assert_int_eq(d.status, 1);
	ck_assert_ptr_nonnull(strstr(d.err, "api_key"));
	ck_assert_ptr_null(strstr(d.err, "0123456789"));
	ck_assert_ptr_null(strstr(d.err, "X-Evil"));
	scene_free(&d);
	server_reload_rejected(s, "api_key");
	ck_assert_int_eq(server_count_log(s, "X-Evil"), 0);
	ck_assert_int_eq(server_count_log(s, "0123456789"), 0);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

Suite *
text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = scene_case(suite, "chat");

	tcase_add_loop_test(tc, i13_control_characters_of_a_user_never_reach_a_chat, 0, 2);
	tcase_add_test(tc, i13_datagram_has_no_control_characters);
	tcase_add_test(tc, i13_control_characters_of_a_robot_never_reach_a_chat);
	tcase_add_test(tc, i13_control_characters_of_a_user_never_reach_an_operator);
	tc = scene_case(suite, "log");
	tcase_add_test(tc, i14_text_of_a_user_is_one_line_of_the_log_and_escaped);
	tcase_add_test(tc, i14_text_of_a_robot_is_one_line_of_the_log_and_escaped);
	tcase_add_test(tc, i15_format_directives_are_text_everywhere);
	tc = scene_case(suite, "file");
	tcase_add_test(tc, i15_format_directives_in_a_broken_file_are_text);
	tcase_add_loop_test(tc, i16_key_with_line_ends_or_control_characters_is_rejected, 0,
	    2 * (int)(sizeof bad_keys / sizeof *bad_keys));
	return suite;
}
