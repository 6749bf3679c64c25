/* test_screen.c - the line on the terminal: what is shown after any change is what would be shown
 * had it been typed just so, and nothing else is touched. */
#include "unit/client/suites.h"

#include "client/screen.h"
#include "lib/vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "我："

static struct edit edit;
static struct screen screen;
static struct buf out;
static struct vt *vt;

static void
begin(int columns, int rows)
{
	screen = (struct screen){ .columns = columns, .rows = rows };
	edit_init(&edit);
	buf_init(&out, 1 << 24);
	vt = vt_new(columns);
	(void)buf_adds(&out, "above\r\n");
	vt_feed(vt, &out);
}

static void
end(void)
{
	edit_release(&edit);
	buf_release(&out);
	vt_free(vt);
}

static void
paint(void)
{
	screen_paint(&screen, PROMPT, &edit, &out);
	vt_feed(vt, &out);
}

static void
type(const char *s)
{
	ck_assert_int_eq(edit_insert(&edit, s, strlen(s)), 0);
	paint();
}

static void
press(enum key key)
{
	(void)edit_key(&edit, key);
	paint();
}

static void
expect_row(int row, const char *wanted)
{
	ck_assert_str_eq(vt_row(vt, row), wanted);
}

static void
expect_cursor(int row, int column)
{
	ck_assert_int_eq(vt->row, row);
	ck_assert_int_eq(vt->column, column);
	ck_assert(!vt->full);
}

START_TEST(wide_characters_wrap_at_the_margin)
{
	begin(11, 24);
	type("一二三");
	expect_cursor(1, 10); /* one column is left: too narrow for the next */
	type("四");
	expect_row(1, "我：一二三");
	expect_row(2, "四");
	expect_cursor(2, 2);
	press(KEY_LEFT); /* on the one that did not fit */
	expect_cursor(2, 0);
	press(KEY_LEFT);
	expect_cursor(1, 8);
	press(KEY_BACKSPACE); /* the row below moves up */
	expect_row(1, "我：一三四");
	ck_assert_int_eq(vt_rows(vt), 2);
	end();
}
END_TEST

START_TEST(full_row_moves_the_cursor_below)
{
	begin(10, 24);
	type("一二三");
	expect_cursor(2, 0);
	type("a");
	expect_row(2, "a");
	expect_cursor(2, 1);
	press(KEY_BACKSPACE);
	expect_cursor(2, 0);
	press(KEY_BACKSPACE);
	expect_cursor(1, 8);
	expect_row(0, "above");
	end();
}
END_TEST

START_TEST(marks_and_emoji_take_what_they_take)
{
	begin(40, 24);
	type("e\xCC\x81|");
	expect_cursor(1, 6);
	type("👨‍👩‍👧|");
	expect_cursor(1, 9);
	type("❤️|🇨🇳|");
	expect_cursor(1, 15);
	press(KEY_LEFT);
	press(KEY_LEFT);
	expect_cursor(1, 12);
	expect_row(1, "我：e\xCC\x81|👨‍👩‍👧|❤️|🇨🇳|");
	end();
}
END_TEST

START_TEST(lines_and_tabs)
{
	begin(20, 24);
	type("a\n\tb\n");
	expect_row(1, "我：a");
	expect_row(2, "        b");
	expect_cursor(3, 0);
	press(KEY_LEFT);
	expect_cursor(2, 9);
	press(KEY_HOME);
	expect_cursor(2, 0);
	end();
}
END_TEST

START_TEST(erasing_leaves_nothing)
{
	begin(10, 24);
	type("一二三四五六七八九十");
	press(KEY_HOME);
	screen_erase(&screen, &out);
	(void)buf_adds(&out, "said\r\n");
	vt_feed(vt, &out);
	paint();
	expect_row(0, "above");
	expect_row(1, "said");
	expect_row(2, "我：一二三");
	expect_cursor(2, 4);
	end();
}
END_TEST

START_TEST(leaving_shows_all_of_it)
{
	for (int columns = 4; columns <= 24; columns++) {
		begin(columns, 5);
		type("一二三四五六七八九十");
		press(KEY_HOME);
		screen_leave(&screen, PROMPT, &edit, &out);
		vt_feed(vt, &out);
		ck_assert_int_eq(vt->row, vt_rows(vt));
		ck_assert_int_eq(vt->column, 0);
		end();
	}
}
END_TEST

START_TEST(more_rows_than_the_window_show_those_of_the_cursor)
{
	begin(10, 4);
	for (int i = 0; i < 20; i++)
		type("一二三四五");
	ck_assert_int_lt(screen.row, 4);
	ck_assert_int_ge(screen.row, 0);
	ck_assert_str_eq(vt_row(vt, vt->row - 1), "四五一二三");
	press(KEY_HOME);
	ck_assert_int_eq(screen.row, 0);
	ck_assert_str_eq(vt_row(vt, vt->row), "我：一二三");
	end();
}
END_TEST

/* What is on the screen is what a fresh one shows for the same text. */
static void
compare(int columns)
{
	struct screen fresh_screen = { .columns = columns, .rows = 1000 };
	struct vt *fresh = vt_new(columns);
	char ours[2048];
	int rows;

	(void)buf_adds(&out, "above\r\n");
	screen_paint(&fresh_screen, PROMPT, &edit, &out);
	vt_feed(fresh, &out);
	rows = vt_rows(fresh);
	ck_assert_int_eq(vt_rows(vt), rows);
	for (int row = 0; row < rows; row++) {
		snprintf(ours, sizeof ours, "%s", vt_row(vt, row));
		ck_assert_str_eq(ours, vt_row(fresh, row));
	}
	ck_assert_int_eq(vt->row, fresh->row);
	ck_assert_int_eq(vt->column, fresh->column);
	vt_free(fresh);
}

START_TEST(any_editing_shows_what_was_meant)
{
	static const char *const texts[] = { "你", "好吗", "a", "word ", "e\xCC\x81",
		"👨‍👩‍👧", "🇨🇳", "❤️", "，", "\n", "\t" };

	srandom(2);
	for (int columns = 8; columns <= 40; columns += 3) {
		begin(columns, 1000);
		for (int i = 0; i < 120; i++) {
			if (random() % 2)
				type(texts[(size_t)random() % (sizeof texts / sizeof *texts)]);
			else
				press((enum key)(KEY_LEFT + random() % (KEY_CANCEL - KEY_LEFT)));
			compare(columns);
			if (edit.text.len > 200)
				edit_set(&edit, "", 0);
		}
		end();
	}
}
END_TEST

/* Our rows under another width are those a terminal makes that wraps anew. */
START_TEST(resize_finds_the_cursor_where_the_terminal_took_it)
{
	for (int columns = 6; columns <= 60; columns++) {
		begin(columns, 24);
		type("一二三四五六七八九十，all is well");
		for (int i = 0; i < 9; i++)
			press(KEY_LEFT);
		for (int other = 6; other <= 60; other += 3) {
			struct screen was = screen;
			struct screen wanted = { .columns = other, .rows = 24 };

			screen_paint(&wanted, PROMPT, &edit, &out);
			buf_cut(&out, 0);
			screen_resize(&screen, PROMPT, &edit, other, 24);
			ck_assert_int_eq(screen.row, wanted.row);
			screen = was;
		}
		end();
	}
}
END_TEST

Suite *
screen_suite(void)
{
	Suite *suite = suite_create("screen");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, wide_characters_wrap_at_the_margin);
	tcase_add_test(tc, full_row_moves_the_cursor_below);
	tcase_add_test(tc, marks_and_emoji_take_what_they_take);
	tcase_add_test(tc, lines_and_tabs);
	tcase_add_test(tc, erasing_leaves_nothing);
	tcase_add_test(tc, leaving_shows_all_of_it);
	tcase_add_test(tc, more_rows_than_the_window_show_those_of_the_cursor);
	tcase_add_test(tc, any_editing_shows_what_was_meant);
	tcase_add_test(tc, resize_finds_the_cursor_where_the_terminal_took_it);
	suite_add_tcase(suite, tc);
	return suite;
}
