/* test_chat.c - xiaotu on a terminal, as a person sees it. */
#include "e2e/scene.h"
#include "e2e/suites.h"
#include "e2e/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHO        "-u ann $ADDR:9999"
#define MODEL_CHAT ONE_WORKER MODEL("openai", "")
#define ROW40      "一二三四五六七八九十甲乙丙丁" /* fills the first row of 40 columns */

/* A stream of text in two pieces, the second held. */
#define STREAM(first, second)                                                                      \
	"data: {\"choices\":[{\"delta\":{\"content\":\"" first "\"}}]}\n\n\f"                      \
	"data: {\"choices\":[{\"delta\":{\"content\":\"" second "\"}}]}\n\ndata: [DONE]\n\n"

static struct server *server;
static struct terminal *terminal;
static struct fakebot *bot;

/* A server and a chat with it; false: there is no tmux. */
static bool
begin(const char *config, int columns, int rows, const char *env)
{
	server = server_start("%s", config);
	if (!terminal_is_there(server)) {
		scene_end(server, NULL);
		return false;
	}
	bot = scene_bot(server);
	terminal = terminal_open(server, columns, rows, env, WHO);
	terminal_expect(terminal, "请输入消息：");
	return true;
}

/* The person leaves; all is well. */
static void
end(void)
{
	terminal_key(terminal, "C-u");
	terminal_key(terminal, "C-d");
	terminal_expect(terminal, "聊天室已关闭");
	ck_assert_int_eq(terminal_wait_exit(terminal), 0);
	terminal_close(terminal);
	scene_end(server, bot);
}

static void
type(const char *text)
{
	terminal_type(terminal, text);
}

static void
press(const char *key, int times)
{
	for (int i = 0; i < times; i++)
		terminal_key(terminal, key);
}

/* The line being typed, below the greeting. */
static void
expect_line(const char *rows, int column, int row)
{
	char all[2048];

	snprintf(all, sizeof all, GREETING "%s\n", rows);
	terminal_expect_screen(terminal, all, column, row + 1);
}

static void
expect_screen(const char *rows, int column, int row)
{
	terminal_expect_screen(terminal, rows, column, row);
}

/* --- editing --------------------------------------------------------------------------------- */

START_TEST(chinese_is_typed_and_edited)
{
	if (!begin(HELLO_SERVER, 80, 24, ""))
		return;
	type("你好吗今天天气");
	expect_line("请输入消息：你好吗今天天气", 26, 0);
	press("Left", 2);
	press("BSpace", 1);
	expect_line("请输入消息：你好吗今天气", 20, 0);
	type("ab");
	expect_line("请输入消息：你好吗今ab天气", 22, 0);
	press("Home", 1);
	press("DC", 1);
	expect_line("请输入消息：好吗今ab天气", 12, 0);
	press("End", 1);
	press("C-w", 1);
	expect_line("请输入消息：好吗今ab", 20, 0);
	press("C-u", 1);
	expect_line("请输入消息：", 12, 0);
	end();
}
END_TEST

START_TEST(line_longer_than_the_window_wraps_and_unwraps)
{
	if (!begin(HELLO_SERVER, 40, 24, ""))
		return;
	type(ROW40);
	expect_line("请输入消息：" ROW40, 0, 1); /* full: the cursor waits in the next row */
	type("戊己");
	expect_line("请输入消息：" ROW40 "\n戊己", 4, 1);
	press("Home", 1);
	type("x"); /* now the last column stays empty: no wide one fits */
	expect_line("请输入消息：x一二三四五六七八九十甲乙丙\n丁戊己", 13, 0);
	press("Right", 13);
	expect_line("请输入消息：x一二三四五六七八九十甲乙丙\n丁戊己", 0, 1);
	press("BSpace", 1);
	expect_line("请输入消息：x一二三四五六七八九十甲乙丁\n戊己", 37, 0);
	press("End", 1);
	press("BSpace", 3);
	expect_line("请输入消息：x一二三四五六七八九十甲乙", 37, 0);
	end();
}
END_TEST

START_TEST(marks_and_emoji_go_as_one)
{
	if (!begin(HELLO_SERVER, 80, 24, ""))
		return;
	type("e\xCC\x81"
	     "b👨‍👩‍👧c🇨🇳");
	expect_line("请输入消息：e\xCC\x81"
		    "b👨‍👩‍👧c🇨🇳",
	    19, 0);
	press("Left", 3);
	expect_line("请输入消息：e\xCC\x81"
		    "b👨‍👩‍👧c🇨🇳",
	    14, 0);
	press("Left", 1);
	press("BSpace", 1);
	expect_line("请输入消息：b👨‍👩‍👧c🇨🇳", 12, 0);
	press("Right", 1);
	press("DC", 1);
	expect_line("请输入消息：bc🇨🇳", 13, 0);
	press("End", 1);
	press("BSpace", 1);
	expect_line("请输入消息：bc", 14, 0);
	end();
}
END_TEST

START_TEST(history_comes_back)
{
	if (!begin(HELLO_SERVER, 80, 24, ""))
		return;
	type("你好");
	press("Enter", 1);
	terminal_expect(terminal, "\n我：");
	type("写到一半");
	press("Up", 1);
	terminal_expect(terminal, "\n我：你好\n");
	press("Down", 1);
	terminal_expect(terminal, "\n我：写到一半\n");
	end();
}
END_TEST

START_TEST(history_outlives_the_client_in_a_private_file)
{
	struct stat st;
	char path[128];

	if (!begin(HELLO_SERVER, 80, 24, ""))
		return;
	type("第一句");
	press("Enter", 1);
	terminal_expect(terminal, "\n我：");
	snprintf(path, sizeof path, "%s/history", server->folder);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	press("C-d", 1);
	ck_assert_int_eq(terminal_wait_exit(terminal), 0);
	terminal_close(terminal);
	terminal = terminal_open(server, 80, 24, "", WHO);
	terminal_expect(terminal, "请输入消息：");
	press("Up", 1);
	expect_line("请输入消息：第一句", 18, 0);
	end();
}
END_TEST

START_TEST(paste_of_several_lines_is_one_message)
{
	if (!begin(HELLO_SERVER, 40, 24, ""))
		return;
	terminal_paste(terminal, "第一行\n第二行\n\n");
	expect_line("请输入消息：第一行\n第二行", 0, 3);
	press("Enter", 1);
	terminal_expect(terminal, "Hello, 第一行\n第二行!\n");
	(void)server_wait_log(server, "ev=message");
	ck_assert_int_eq(server_count_log(server, "ev=message"), 1);
	end();
}
END_TEST

/* --- answers --------------------------------------------------------------------------------- */

START_TEST(answer_is_below_its_heading_and_wraps)
{
	if (!begin(HELLO_SERVER, 40, 24, ""))
		return;
	type("一二三四五六七八九十甲乙丙丁戊己庚");
	press("Enter", 1);
	expect_screen(GREETING "请输入消息：" ROW40 "\n戊己庚\n\n【机器人小图】 TIME\n"
			       "Hello, 一二三四五六七八九十甲乙丙丁戊己\n庚!\n\n我：\n",
	    4, 8);
	type("to be or not to be, that is the question");
	press("Enter", 1);
	terminal_expect(terminal, "Hello, to be or not to be, that is the\nquestion!\n\n我：");
	end();
}
END_TEST

START_TEST(answer_streams_and_the_mark_leaves_no_trace)
{
	if (!begin(MODEL_CHAT, 40, 24, ""))
		return;
	fakebot_play(bot, &(struct fakebot_script){ .hold = true,
			      .type = "text/event-stream",
			      .body = STREAM("第一部分，", "还有 the rest。"),
			      .piece_hold = true });
	type("问");
	press("Enter", 1);
	expect_screen(GREETING "请输入消息：问\n\n小图正在想…\n", 11, 3);
	fakebot_play(bot, &(struct fakebot_script){ .type = "text/event-stream",
			      .body = STREAM("第一部分，", "还有 the rest。"),
			      .piece_hold = true });
	fakebot_release(bot);
	expect_screen(GREETING "请输入消息：问\n\n【机器人小图】 TIME\n第一部分，\n", 10, 4);
	fakebot_step(bot);
	expect_screen(GREETING
	    "请输入消息：问\n\n【机器人小图】 TIME\n第一部分，还有 the rest。\n\n我：\n",
	    4, 6);
	end();
}
END_TEST

START_TEST(cancelled_answer_is_not_taken_for_the_next)
{
	if (!begin(MODEL_CHAT, 60, 24, ""))
		return;
	fakebot_play(bot, &(struct fakebot_script){ .hold = true, .first_n = 1 });
	type("一");
	press("Enter", 1);
	terminal_expect(terminal, "小图正在想…");
	press("C-c", 1);
	expect_screen(GREETING "请输入消息：一\n\n已取消\n\n我：\n", 4, 5);
	type("二");
	press("Enter", 1);
	fakebot_wait_requests(bot, 1);
	fakebot_release(bot);
	terminal_expect(terminal, "echo:二\n\n我：");
	ck_assert_ptr_null(strstr(terminal_look(terminal, false), "echo:一"));
	type("三");
	press("C-c", 1);
	terminal_expect_no(terminal, "三");
	press("C-c", 1);
	terminal_expect(terminal, "Ctrl-D");
	end();
}
END_TEST

START_TEST(failure_is_a_sentence_and_the_chat_goes_on)
{
	if (!begin(ONE_WORKER TURING, 60, 24, ""))
		return;
	fakebot_play(bot, &(struct fakebot_script){ .status = 400, .first_n = 1 });
	type("一");
	press("Enter", 1);
	terminal_expect(terminal, "(robot-");
	ck_assert_ptr_null(strstr(terminal_look(terminal, false), "ERR"));
	type("二");
	press("Enter", 1);
	terminal_expect(terminal, "echo:二\n\n我：");
	end();
}
END_TEST

START_TEST(late_answer_is_given_up)
{
	server = server_start("%s", MODEL_CHAT);
	if (!terminal_is_there(server)) {
		scene_end(server, NULL);
		return;
	}
	bot = scene_bot(server);
	fakebot_play(bot, &(struct fakebot_script){ .hold = true });
	terminal = terminal_open(server, 60, 24, "", "-t 1 " WHO);
	terminal_expect(terminal, "请输入消息：");
	type("一");
	press("Enter", 1);
	expect_screen(GREETING "请输入消息：一\n\n等了太久，没有回答\n\n我：\n", 4, 5);
	fakebot_release(bot);
	end();
}
END_TEST

START_TEST(what_is_typed_ahead_waits_its_turn)
{
	if (!begin(MODEL_CHAT, 60, 24, ""))
		return;
	fakebot_play(bot, &(struct fakebot_script){ .hold = true });
	type("一");
	press("Enter", 1);
	terminal_expect(terminal, "小图正在想…");
	type("二");
	fakebot_play(bot, &(struct fakebot_script){ 0 });
	fakebot_release(bot);
	terminal_expect(terminal, "echo:一\n\n我：二\n");
	end();
}
END_TEST

/* --- window ---------------------------------------------------------------------------------- */

START_TEST(resize_keeps_the_line_whole)
{
	if (!begin(HELLO_SERVER, 80, 24, ""))
		return;
	type("一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥");
	press("Left", 3);
	terminal_resize(terminal, 40, 24);
	terminal_expect(terminal, "请输入消息：" ROW40 "\n戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥\n");
	press("BSpace", 1);
	terminal_expect(terminal, "请输入消息：" ROW40 "\n戊己庚辛壬癸子丑寅卯辰巳午未酉戌亥\n");
	terminal_resize(terminal, 100, 24);
	terminal_expect(terminal, "请输入消息：" ROW40 "戊己庚辛壬癸子丑寅卯辰巳午未酉戌亥\n");
	type("中");
	terminal_expect(terminal, "请输入消息：" ROW40 "戊己庚辛壬癸子丑寅卯辰巳午未中酉戌亥\n");
	/* Once, and nothing else. */
	ck_assert_ptr_null(strstr(strstr(terminal_look(terminal, false), "请输入") + 1, "请输入"));
	end();
}
END_TEST

START_TEST(resize_while_an_answer_comes)
{
	if (!begin(MODEL_CHAT, 60, 24, ""))
		return;
	fakebot_play(bot,
	    &(struct fakebot_script){ .type = "text/event-stream",
		.body = STREAM("一二三四五六七八九十甲乙丙丁戊己庚辛壬癸", "子丑 wonderful words"),
		.piece_hold = true });
	type("问");
	press("Enter", 1);
	terminal_expect(terminal, "辛壬癸");
	terminal_resize(terminal, 30, 24);
	terminal_expect(terminal, "一二三四五六七八九十甲乙丙丁戊\n己庚辛壬癸\n");
	fakebot_step(bot);
	terminal_expect(terminal, "己庚辛壬癸子丑 wonderful words\n\n我：");
	end();
}
END_TEST

/* --- the server comes and goes --------------------------------------------------------------- */

START_TEST(line_outlives_the_server_and_is_sent_when_it_is_back)
{
	if (!begin(HELLO_SERVER, 60, 24, ""))
		return;
	type("正在打字");
	server_signal(server, SIGTERM);
	(void)server_wait_exit(server);
	terminal_expect(terminal, "(shutdown)\n正在重新连接…\n请输入消息：正在打字\n");
	type("，还在");
	terminal_expect(terminal, "请输入消息：正在打字，还在\n");
	server_run(server);
	server_wait_ready(server);
	terminal_expect(terminal, "已重新连接\n请输入消息：正在打字，还在\n");
	press("Enter", 1);
	terminal_expect(terminal, "Hello, 正在打字，还在!\n\n我：");
	end();
}
END_TEST

START_TEST(enter_while_the_server_is_gone_sends_later)
{
	if (!begin(HELLO_SERVER, 60, 24, ""))
		return;
	server_signal(server, SIGTERM);
	(void)server_wait_exit(server);
	terminal_expect(terminal, "正在重新连接…");
	type("等你");
	press("Enter", 1);
	terminal_expect(terminal, "连上就发出");
	server_run(server);
	server_wait_ready(server);
	terminal_expect(terminal, "Hello, 等你!\n\n我：");
	end();
}
END_TEST

START_TEST(message_without_an_answer_comes_back_to_the_line)
{
	if (!begin(MODEL_CHAT, 60, 24, ""))
		return;
	server->may_crash = true;
	fakebot_play(bot, &(struct fakebot_script){ .hold = true, .first_n = 1 });
	type("问");
	press("Enter", 1);
	fakebot_wait_requests(bot, 1);
	{
		pid_t pids[SERVER_WORKERS_MAX];

		ck_assert_int_eq(server_pids(server, pids), 1);
		kill(pids[0], SIGKILL);
	}
	terminal_expect(terminal, "按回车再发一次\n");
	terminal_expect(terminal, "已重新连接\n我：问\n");
	press("Enter", 1);
	terminal_expect(terminal, "echo:问\n\n我：");
	end();
}
END_TEST

/* --- manners --------------------------------------------------------------------------------- */

START_TEST(colours_only_where_they_are_wanted)
{
	if (!begin(HELLO_SERVER, 60, 24, ""))
		return;
	ck_assert_ptr_nonnull(strstr(terminal_look(terminal, true), "\x1b[1m"));
	end();
	if (!begin(HELLO_SERVER, 60, 24, "NO_COLOR=1"))
		return;
	type("hi");
	press("Enter", 1);
	terminal_expect(terminal, "Hello, hi!");
	ck_assert_ptr_null(strchr(terminal_look(terminal, true), '\x1b'));
	end();
}
END_TEST

START_TEST(dumb_terminal_gets_plain_lines)
{
	if (!begin(HELLO_SERVER, 60, 24, "TERM=dumb"))
		return;
	type("hi");
	press("Enter", 1);
	expect_screen(GREETING "请输入消息：hi\n\n【机器人小图】 TIME\nHello, hi!\n\n我：\n", 4, 6);
	end();
}
END_TEST

START_TEST(english_by_locale)
{
	server = server_start(HELLO_SERVER);
	if (!terminal_is_there(server)) {
		scene_end(server, NULL);
		return;
	}
	bot = NULL;
	terminal = terminal_open(server, 60, 24, "LC_ALL=en_US.UTF-8", WHO);
	terminal_expect(terminal, "Your message:");
	type("exit");
	press("Enter", 1);
	terminal_expect(terminal, "The chat is closed.");
	ck_assert_int_eq(terminal_wait_exit(terminal), 0);
	terminal_close(terminal);
	scene_end(server, NULL);
}
END_TEST

static pid_t
child_of(pid_t parent)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

/* A shell around it tells what mode it left the terminal in: one that takes lines and shows them. */
START_TEST(signal_leaves_the_terminal_as_it_was)
{
	if (!begin(HELLO_SERVER, 80, 24, "sh -c '\"$0\" \"$@\"; echo $?; stty -a'"))
		return;
	type("typing");
	terminal_expect(terminal, "typing");
	ck_assert_int_eq(kill(child_of(terminal_pid(terminal)), SIGTERM), 0);
	ck_assert_int_eq(terminal_wait_exit(terminal), 0);
	terminal_expect(terminal, "\n143\n");
	terminal_expect(terminal, " icanon");
	terminal_expect(terminal, " echo ");
	terminal_expect(terminal, " icrnl");
	terminal_close(terminal);
	scene_end(server, bot);
}
END_TEST

Suite *
chat_suite(void)
{
	Suite *suite = suite_create("chat");
	TCase *tc = scene_case(suite, "editing");

	tcase_add_test(tc, chinese_is_typed_and_edited);
	tcase_add_test(tc, line_longer_than_the_window_wraps_and_unwraps);
	tcase_add_test(tc, marks_and_emoji_go_as_one);
	tcase_add_test(tc, history_comes_back);
	tcase_add_test(tc, history_outlives_the_client_in_a_private_file);
	tcase_add_test(tc, paste_of_several_lines_is_one_message);
	tc = scene_case(suite, "answers");
	tcase_add_test(tc, answer_is_below_its_heading_and_wraps);
	tcase_add_test(tc, answer_streams_and_the_mark_leaves_no_trace);
	tcase_add_test(tc, cancelled_answer_is_not_taken_for_the_next);
	tcase_add_test(tc, failure_is_a_sentence_and_the_chat_goes_on);
	tcase_add_test(tc, late_answer_is_given_up);
	tcase_add_test(tc, what_is_typed_ahead_waits_its_turn);
	tc = scene_case(suite, "window");
	tcase_add_test(tc, resize_keeps_the_line_whole);
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
