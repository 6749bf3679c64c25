/* test_chat.c - xiaotu on a terminal: answers, the server's coming and going, manners. */
#include "e2e/person.h"
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MODEL_CHAT ONE_WORKER MODEL("openai", "")
#define ROW40      "一二三四五六七八九十甲乙丙丁" /* fills the first row of 40 columns */

/* A stream of text in two pieces, the second held. */
#define STREAM(first, second)                                                                      \
	"data: {\"choices\":[{\"delta\":{\"content\":\"" first "\"}}]}\n\n\f"                      \
	"data: {\"choices\":[{\"delta\":{\"content\":\"" second "\"}}]}\n\ndata: [DONE]\n\n"

/* --- answers --------------------------------------------------------------------------------- */

START_TEST(answer_is_below_its_heading_and_wraps)
{
	if (!person_begin(HELLO_SERVER, 40, NULL, NULL))
		return;
	person_types("一二三四五六七八九十甲乙丙丁戊己庚");
	person_presses("Enter", 1);
	person_sees_screen(GREETING "请输入消息：" ROW40 "\n戊己庚\n\n【机器人小图】 TIME\n"
				    "Hello, 一二三四五六七八九十甲乙丙丁戊己\n庚!\n\n我：\n",
	    4, 8);
	person_types("to be or not to be, that is the question");
	person_presses("Enter", 1);
	person_sees("Hello, to be or not to be, that is the\nquestion!\n\n我：");
	person_end();
}
END_TEST

START_TEST(answer_streams_and_the_mark_leaves_no_trace)
{
	if (!person_begin(MODEL_CHAT, 40, NULL, NULL))
		return;
	fakebot_play(person.bot, &(struct fakebot_script){ .hold = true,
				     .type = "text/event-stream",
				     .body = STREAM("第一部分，", "还有 the rest。"),
				     .piece_hold = true });
	person_types("问");
	person_presses("Enter", 1);
	person_sees_screen(GREETING "请输入消息：问\n\n小图正在想…\n", 11, 3);
	fakebot_play(person.bot, &(struct fakebot_script){ .type = "text/event-stream",
				     .body = STREAM("第一部分，", "还有 the rest。"),
				     .piece_hold = true });
	fakebot_release(person.bot);
	person_sees_screen(GREETING "请输入消息：问\n\n【机器人小图】 TIME\n第一部分，\n", 10, 4);
	fakebot_step(person.bot);
	person_sees_screen(GREETING
	    "请输入消息：问\n\n【机器人小图】 TIME\n第一部分，还有 the rest。\n\n我：\n",
	    4, 6);
	person_end();
}
END_TEST

START_TEST(cancelled_answer_is_not_taken_for_the_next)
{
	if (!person_begin(MODEL_CHAT, 60, NULL, NULL))
		return;
	fakebot_play(person.bot, &(struct fakebot_script){ .hold = true, .first_n = 1 });
	person_types("一");
	person_presses("Enter", 1);
	person_sees("小图正在想…");
	person_presses("C-c", 1);
	person_sees_screen(GREETING "请输入消息：一\n\n已取消\n\n我：\n", 4, 5);
	person_types("二");
	person_presses("Enter", 1);
	fakebot_wait_requests(person.bot, 1);
	fakebot_release(person.bot);
	person_sees("echo:二\n\n我：");
	ck_assert_ptr_null(strstr(terminal_look(person.terminal, false), "echo:一"));
	person_types("三");
	person_presses("C-c", 1);
	person_sees_no("三");
	person_presses("C-c", 1);
	person_sees("Ctrl-D");
	person_end();
}
END_TEST

START_TEST(failure_is_a_sentence_and_the_chat_goes_on)
{
	if (!person_begin(ONE_WORKER TURING, 60, NULL, NULL))
		return;
	fakebot_play(person.bot, &(struct fakebot_script){ .status = 400, .first_n = 1 });
	person_types("一");
	person_presses("Enter", 1);
	person_sees("(robot-");
	ck_assert_ptr_null(strstr(terminal_look(person.terminal, false), "ERR"));
	person_types("二");
	person_presses("Enter", 1);
	person_sees("echo:二\n\n我：");
	person_end();
}
END_TEST

START_TEST(commands_reach_the_server)
{
	if (!person_begin(HELLO_SERVER, 60, NULL, NULL))
		return;
	person_types("/robot");
	person_presses("Enter", 1);
	person_sees("TIME\nhello\n\n我：");
	person_types("/forget");
	person_presses("Enter", 1);
	person_sees("TIME\nForgotten.\n\n我：");
	person_end();
}
END_TEST

START_TEST(refused_message_comes_back_to_the_line)
{
	if (!person_begin(PLAIN POOL(1) DOOR(9999) HELLO
		"limits = { message_bytes = 64; messages_per_minute = 0; };\n",
		60, NULL, NULL))
		return;
	person_types("一二三四五六七八九十一二三四五六七八九十一二三");
	person_presses("Enter", 1);
	person_sees("(too-long)\n\n我：一二三四五六七八九十一二三四五六七八九十一二三\n");
	person_presses("BSpace", 2);
	person_presses("Enter", 1);
	person_sees("Hello, 一二三四五六七八九十一二三四五六七八九十一!\n\n我：");
	person_end();
}
END_TEST

START_TEST(late_answer_is_given_up)
{
	if (!person_begin(MODEL_CHAT, 60, NULL, "-t 1 -u ann $ADDR:9999"))
		return;
	fakebot_play(person.bot, &(struct fakebot_script){ .hold = true });
	person_types("一");
	person_presses("Enter", 1);
	person_sees_screen(GREETING "请输入消息：一\n\n等了太久，没有回答\n\n我：\n", 4, 5);
	fakebot_release(person.bot);
	person_end();
}
END_TEST

START_TEST(what_is_typed_ahead_waits_its_turn)
{
	if (!person_begin(MODEL_CHAT, 60, NULL, NULL))
		return;
	fakebot_play(person.bot, &(struct fakebot_script){ .hold = true });
	person_types("一");
	person_presses("Enter", 1);
	person_sees("小图正在想…");
	person_types("二");
	fakebot_play(person.bot, &(struct fakebot_script){ 0 });
	fakebot_release(person.bot);
	person_sees("echo:一\n\n我：二\n");
	person_end();
}
END_TEST

START_TEST(resize_while_an_answer_comes)
{
	if (!person_begin(MODEL_CHAT, 60, NULL, NULL))
		return;
	fakebot_play(person.bot,
	    &(struct fakebot_script){ .type = "text/event-stream",
		.body = STREAM("一二三四五六七八九十甲乙丙丁戊己庚辛壬癸", "子丑 wonderful words"),
		.piece_hold = true });
	person_types("问");
	person_presses("Enter", 1);
	person_sees("辛壬癸");
	terminal_resize(person.terminal, 30, 24);
	person_sees("一二三四五六七八九十甲乙丙丁戊\n己庚辛壬癸\n");
	fakebot_step(person.bot);
	person_sees("己庚辛壬癸子丑 wonderful words\n\n我：");
	person_end();
}
END_TEST

/* --- the server comes and goes --------------------------------------------------------------- */

START_TEST(line_outlives_the_server_and_is_sent_when_it_is_back)
{
	if (!person_begin(HELLO_SERVER, 60, NULL, NULL))
		return;
	person_types("正在打字");
	server_signal(person.server, SIGTERM);
	(void)server_wait_exit(person.server);
	person_sees("(shutdown)\n正在重新连接…\n请输入消息：正在打字\n");
	person_types("，还在");
	person_sees("请输入消息：正在打字，还在\n");
	server_run(person.server);
	server_wait_ready(person.server);
	person_sees("已重新连接\n请输入消息：正在打字，还在\n");
	person_presses("Enter", 1);
	person_sees("Hello, 正在打字，还在!\n\n我：");
	person_end();
}
END_TEST

START_TEST(enter_while_the_server_is_gone_sends_later)
{
	if (!person_begin(HELLO_SERVER, 60, NULL, NULL))
		return;
	server_signal(person.server, SIGTERM);
	(void)server_wait_exit(person.server);
	person_sees("正在重新连接…");
	person_types("等你");
	person_presses("Enter", 1);
	person_sees("连上就发出");
	server_run(person.server);
	server_wait_ready(person.server);
	person_sees("Hello, 等你!\n\n我：");
	person_end();
}
END_TEST

START_TEST(message_without_an_answer_comes_back_to_the_line)
{
	if (!person_begin(MODEL_CHAT, 60, NULL, NULL))
		return;
	person.server->may_crash = true;
	fakebot_play(person.bot, &(struct fakebot_script){ .hold = true, .first_n = 1 });
	person_types("问");
	person_presses("Enter", 1);
	fakebot_wait_requests(person.bot, 1);
	{
		pid_t pids[SERVER_WORKERS_MAX];

		ck_assert_int_eq(server_pids(person.server, pids), 1);
		kill(pids[0], SIGKILL);
	}
	person_sees("按回车再发一次\n");
	person_sees("已重新连接\n我：问\n");
	person_presses("Enter", 1);
	person_sees("echo:问\n\n我：");
	person_end();
}
END_TEST

/* --- manners --------------------------------------------------------------------------------- */

START_TEST(colours_only_where_they_are_wanted)
{
	if (!person_begin(HELLO_SERVER, 60, NULL, NULL))
		return;
	ck_assert_ptr_nonnull(strstr(terminal_look(person.terminal, true), "\x1b[1m"));
	person_end();
	if (!person_begin(HELLO_SERVER, 60, "NO_COLOR=1", NULL))
		return;
	person_types("hi");
	person_presses("Enter", 1);
	person_sees("Hello, hi!");
	ck_assert_ptr_null(strchr(terminal_look(person.terminal, true), '\x1b'));
	person_end();
}
END_TEST

START_TEST(dumb_terminal_gets_plain_lines)
{
	if (!person_begin(HELLO_SERVER, 60, "TERM=dumb", NULL))
		return;
	person_types("hi");
	person_presses("Enter", 1);
	person_sees_screen(
	    GREETING "请输入消息：hi\n\n【机器人小图】 TIME\nHello, hi!\n\n我：\n", 4, 6);
	person_end();
}
END_TEST

START_TEST(english_by_locale)
{
	if (!person_begin(HELLO_SERVER, 60, "LC_ALL=en_US.UTF-8", NULL))
		return;
	person_types("exit");
	person_presses("Enter", 1);
	person_sees("The chat is closed.");
	ck_assert_int_eq(terminal_wait_exit(person.terminal), 0);
	terminal_close(person.terminal);
	scene_end(person.server, person.bot);
}
END_TEST

/* The shell tells what mode it left the terminal in: one that takes lines and shows them. */
START_TEST(signal_leaves_the_terminal_as_it_was)
{
	if (!person_begin(HELLO_SERVER, 80, NULL, "-u ann $ADDR:9999; s=$?; stty -a; (exit $s)"))
		return;
	person_types("typing");
	person_sees("typing");
	ck_assert_int_eq(kill(terminal_pid(person.terminal), SIGTERM), 0);
	ck_assert_int_eq(terminal_wait_exit(person.terminal), 128 + SIGTERM);
	person_sees(" icanon");
	person_sees(" echo ");
	person_sees(" icrnl");
	terminal_close(person.terminal);
	scene_end(person.server, person.bot);
}
END_TEST

Suite *
chat_suite(void)
{
	Suite *suite = suite_create("chat");
	TCase *tc = scene_case(suite, "answers");

	tcase_add_test(tc, answer_is_below_its_heading_and_wraps);
	tcase_add_test(tc, answer_streams_and_the_mark_leaves_no_trace);
	tcase_add_test(tc, cancelled_answer_is_not_taken_for_the_next);
	tcase_add_test(tc, failure_is_a_sentence_and_the_chat_goes_on);
	tcase_add_test(tc, commands_reach_the_server);
	tcase_add_test(tc, refused_message_comes_back_to_the_line);
	tcase_add_test(tc, late_answer_is_given_up);
	tcase_add_test(tc, what_is_typed_ahead_waits_its_turn);
	tcase_add_test(tc, resize_while_an_answer_comes);
	tc = scene_case(suite, "server");
	tcase_add_test(tc, line_outlives_the_server_and_is_sent_when_it_is_back);
	tcase_add_test(tc, enter_while_the_server_is_gone_sends_later);
	tcase_add_test(tc, message_without_an_answer_comes_back_to_the_line);
	tc = scene_case(suite, "manners");
	tcase_add_test(tc, colours_only_where_they_are_wanted);
	tcase_add_test(tc, dumb_terminal_gets_plain_lines);
	tcase_add_test(tc, english_by_locale);
	tcase_add_test(tc, signal_leaves_the_terminal_as_it_was);
	return suite;
}
