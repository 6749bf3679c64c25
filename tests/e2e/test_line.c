/* test_line.c - xiaotu on a terminal: the line being typed. */
#include "e2e/person.h"
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROW40 "一二三四五六七八九十甲乙丙丁" /* fills the first row of 40 columns */

/* --- editing --------------------------------------------------------------------------------- */

START_TEST(chinese_is_typed_and_edited)
{
	if (!person_begin(HELLO_SERVER, 80, NULL, NULL))
		return;
	person_types("你好吗今天天气");
	person_sees_line("请输入消息：你好吗今天天气", 26, 0);
	person_presses("Left", 2);
	person_presses("BSpace", 1);
	person_sees_line("请输入消息：你好吗今天气", 20, 0);
	person_types("ab");
	person_sees_line("请输入消息：你好吗今ab天气", 22, 0);
	person_presses("Home", 1);
	person_presses("DC", 1);
	person_sees_line("请输入消息：好吗今ab天气", 12, 0);
	person_presses("End", 1);
	person_presses("C-w", 1);
	person_sees_line("请输入消息：好吗今ab", 20, 0);
	person_presses("C-u", 1);
	person_sees_line("请输入消息：", 12, 0);
	person_end();
}
END_TEST

START_TEST(line_longer_than_the_window_wraps_and_unwraps)
{
	if (!person_begin(HELLO_SERVER, 40, NULL, NULL))
		return;
	person_types(ROW40);
	person_sees_line("请输入消息：" ROW40, 0, 1); /* full: the cursor waits in the next row */
	person_types("戊己");
	person_sees_line("请输入消息：" ROW40 "\n戊己", 4, 1);
	person_presses("Home", 1);
	person_types("x"); /* now the last column stays empty: no wide one fits */
	person_sees_line("请输入消息：x一二三四五六七八九十甲乙丙\n丁戊己", 13, 0);
	person_presses("Right", 13);
	person_sees_line("请输入消息：x一二三四五六七八九十甲乙丙\n丁戊己", 0, 1);
	person_presses("BSpace", 1);
	person_sees_line("请输入消息：x一二三四五六七八九十甲乙丁\n戊己", 37, 0);
	person_presses("End", 1);
	person_presses("BSpace", 3);
	person_sees_line("请输入消息：x一二三四五六七八九十甲乙", 37, 0);
	person_end();
}
END_TEST

START_TEST(marks_and_emoji_go_as_one)
{
	if (!person_begin(HELLO_SERVER, 80, NULL, NULL))
		return;
	person_types("e\xCC\x81"
		     "b👨‍👩‍👧c🇨🇳");
	person_sees_line("请输入消息：e\xCC\x81"
			 "b👨‍👩‍👧c🇨🇳",
	    19, 0);
	person_presses("Left", 3);
	person_sees_line("请输入消息：e\xCC\x81"
			 "b👨‍👩‍👧c🇨🇳",
	    14, 0);
	person_presses("Left", 1);
	person_presses("BSpace", 1);
	person_sees_line("请输入消息：b👨‍👩‍👧c🇨🇳", 12, 0);
	person_presses("Right", 1);
	person_presses("DC", 1);
	person_sees_line("请输入消息：bc🇨🇳", 13, 0);
	person_presses("End", 1);
	person_presses("BSpace", 1);
	person_sees_line("请输入消息：bc", 14, 0);
	person_end();
}
END_TEST

START_TEST(history_comes_back)
{
	if (!person_begin(HELLO_SERVER, 80, NULL, NULL))
		return;
	person_types("你好");
	person_presses("Enter", 1);
	person_sees("\n我：");
	person_types("写到一半");
	person_presses("Up", 1);
	person_sees("\n我：你好\n");
	person_presses("Down", 1);
	person_sees("\n我：写到一半\n");
	person_end();
}
END_TEST

START_TEST(history_outlives_the_client_in_a_private_file)
{
	struct stat st;
	char path[128];

	if (!person_begin(HELLO_SERVER, 80, NULL, NULL))
		return;
	person_types("第一句");
	person_presses("Enter", 1);
	person_sees("\n我：");
	snprintf(path, sizeof path, "%s/history", person.server->folder);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	person_presses("C-d", 1);
	ck_assert_int_eq(terminal_wait_exit(person.terminal), 0);
	terminal_close(person.terminal);
	person.terminal = terminal_open(person.server, 80, 24, "", "-u ann $ADDR:9999");
	person_sees("请输入消息：");
	person_presses("Up", 1);
	person_sees_line("请输入消息：第一句", 18, 0);
	person_end();
}
END_TEST

START_TEST(paste_of_several_lines_is_one_message)
{
	if (!person_begin(HELLO_SERVER, 40, NULL, NULL))
		return;
	terminal_paste(person.terminal, "第一行\n第二行\n\n");
	person_sees_line("请输入消息：第一行\n第二行", 0, 3);
	person_presses("Enter", 1);
	person_sees("Hello, 第一行\n第二行!\n");
	(void)server_wait_log(person.server, "ev=message");
	ck_assert_int_eq(server_count_log(person.server, "ev=message"), 1);
	person_end();
}
END_TEST

START_TEST(resize_keeps_the_line_whole)
{
	if (!person_begin(HELLO_SERVER, 80, NULL, NULL))
		return;
	person_types("一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥");
	person_presses("Left", 3);
	terminal_resize(person.terminal, 40, 24);
	person_sees("请输入消息：" ROW40 "\n戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥\n");
	person_presses("BSpace", 1);
	person_sees("请输入消息：" ROW40 "\n戊己庚辛壬癸子丑寅卯辰巳午未酉戌亥\n");
	terminal_resize(person.terminal, 100, 24);
	person_sees("请输入消息：" ROW40 "戊己庚辛壬癸子丑寅卯辰巳午未酉戌亥\n");
	person_types("中");
	person_sees("请输入消息：" ROW40 "戊己庚辛壬癸子丑寅卯辰巳午未中酉戌亥\n");
	/* Once, and nothing else. */
	ck_assert_ptr_null(
	    strstr(strstr(terminal_look(person.terminal, false), "请输入") + 1, "请输入"));
	person_end();
}
END_TEST

Suite *
line_suite(void)
{
	Suite *suite = suite_create("line");
	TCase *tc = scene_case(suite, "all");

	tcase_add_test(tc, chinese_is_typed_and_edited);
	tcase_add_test(tc, line_longer_than_the_window_wraps_and_unwraps);
	tcase_add_test(tc, marks_and_emoji_go_as_one);
	tcase_add_test(tc, history_comes_back);
	tcase_add_test(tc, history_outlives_the_client_in_a_private_file);
	tcase_add_test(tc, paste_of_several_lines_is_one_message);
	tcase_add_test(tc, resize_keeps_the_line_whole);
	return suite;
}
