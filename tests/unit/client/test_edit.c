/* test_edit.c - the line being typed. The cursor is written as `|`. */
#include "unit/client/suites.h"

#include "base/width.h"
#include "client/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct edit edit;

static void
set_up(void)
{
	edit_init(&edit);
}

static void
tear_down(void)
{
	edit_release(&edit);
}

static void
put(const char *s)
{
	const char *bar = strchr(s, '|');

	edit_set(&edit, "", 0);
	ck_assert_int_eq(edit_insert(&edit, bar + 1, strlen(bar + 1)), 0);
	edit.cursor = 0;
	ck_assert_int_eq(edit_insert(&edit, s, (size_t)(bar - s)), 0);
}

static void
expect(const char *wanted)
{
	char got[512];
	size_t n;
	const char *s = edit_text(&edit, &n);

	snprintf(got, sizeof got, "%.*s|%.*s", (int)edit.cursor, s, (int)(n - edit.cursor),
	    s + edit.cursor);
	ck_assert_str_eq(got, wanted);
}

/* This line, this key, that line. */
static void
key(const char *before, enum key k, const char *after)
{
	put(before);
	(void)edit_key(&edit, k);
	expect(after);
}

START_TEST(cursor_goes_by_what_people_take_for_characters)
{
	key("你好|", KEY_LEFT, "你|好");
	key("你|好", KEY_LEFT, "|你好");
	key("|你好", KEY_LEFT, "|你好");
	key("|你好", KEY_RIGHT, "你|好");
	key("你好|", KEY_RIGHT, "你好|");
	key("ae\xCC\x81|b", KEY_LEFT,
	    "a|e\xCC\x81"
	    "b");
	key("👨‍👩‍👧|", KEY_LEFT, "|👨‍👩‍👧");
	key("|❤️x", KEY_RIGHT, "❤️|x");
	key("🇨🇳🇯🇵|", KEY_LEFT, "🇨🇳|🇯🇵");
}
END_TEST

START_TEST(deleting_takes_whole_characters)
{
	key("你好|", KEY_BACKSPACE, "你|");
	key("你|好", KEY_BACKSPACE, "|好");
	key("|好", KEY_BACKSPACE, "|好");
	key("|你好", KEY_DELETE, "|好");
	key("你好|", KEY_DELETE, "你好|");
	key("a👨‍👩‍👧|b", KEY_BACKSPACE, "a|b");
	key("e\xCC\x81|", KEY_BACKSPACE, "|");
	key("|🇨🇳🇯🇵", KEY_DELETE, "|🇯🇵");
}
END_TEST

START_TEST(words_of_both_languages)
{
	key("hello 世界，foo|", KEY_WORD_LEFT, "hello 世界，|foo");
	key("hello 世界，|foo", KEY_WORD_LEFT, "hello |世界，foo");
	key("hello |世界，foo", KEY_WORD_LEFT, "|hello 世界，foo");
	key("|hello 世界", KEY_WORD_RIGHT, "hello| 世界");
	key("hello| 世界", KEY_WORD_RIGHT, "hello 世界|");
	key("用C语言|", KEY_CUT_WORD, "用C|");
	key("用C|", KEY_CUT_WORD, "用|");
	key("a b  |", KEY_CUT_WORD, "a |");
	key("|foo.bar", KEY_CUT_WORD_RIGHT, "|.bar");
}
END_TEST

START_TEST(ends_are_those_of_the_line_with_the_cursor)
{
	key("一二|三", KEY_HOME, "|一二三");
	key("一|二三", KEY_END, "一二三|");
	key("一\n二|三\n四", KEY_HOME, "一\n|二三\n四");
	key("一\n二|三\n四", KEY_END, "一\n二三|\n四");
	key("一\n二|三\n四", KEY_CUT_START, "一\n|三\n四");
	key("一\n二|三\n四", KEY_CUT_END, "一\n二|\n四");
}
END_TEST

START_TEST(what_was_cut_comes_back)
{
	put("一二|三四");
	(void)edit_key(&edit, KEY_CUT_END);
	expect("一二|");
	(void)edit_key(&edit, KEY_HOME);
	(void)edit_key(&edit, KEY_YANK);
	expect("三四|一二");
	/* A single character that was deleted is not what was cut. */
	(void)edit_key(&edit, KEY_BACKSPACE);
	(void)edit_key(&edit, KEY_YANK);
	expect("三三四|一二");
}
END_TEST

START_TEST(neighbours_change_places)
{
	key("你|好", KEY_SWAP, "好你|");
	key("你好|", KEY_SWAP, "好你|");
	key("|你好", KEY_SWAP, "|你好");
	key("一你|👍🏽二", KEY_SWAP, "一👍🏽你|二");
}
END_TEST

START_TEST(newline_and_joining_text)
{
	key("一|二", KEY_NEWLINE, "一\n|二");
	/* What is put in grows together with what follows: the cursor is not within. */
	put("a|\xCC\x81z");
	expect("a\xCC\x81|z");
}
END_TEST

START_TEST(length_is_bounded)
{
	char *s = malloc(EDIT_BYTES);

	memset(s, 'x', EDIT_BYTES);
	ck_assert_int_eq(edit_insert(&edit, s, EDIT_BYTES), 0);
	ck_assert_int_eq(edit_insert(&edit, "y", 1), -1);
	ck_assert_uint_eq(edit.text.len, EDIT_BYTES);
	ck_assert(!edit_key(&edit, KEY_NEWLINE));
	free(s);
}
END_TEST

/* Whatever is pressed, the cursor stands between two clusters of clean text. */
START_TEST(any_keys_keep_the_cursor_between_characters)
{
	static const char *const texts[] = { "你", "a", " ", "\xCC\x81", "👨‍", "👩", "🇨",
		"❤️", "，", "\n" };

	srandom(1);
	for (int i = 0; i < 20000; i++) {
		size_t n, at = 0;
		const char *s;
		int columns;

		if (random() % 2) {
			s = texts[(size_t)random() % (sizeof texts / sizeof *texts)];
			(void)edit_insert(&edit, s, strlen(s));
		} else {
			(void)edit_key(&edit, (enum key)(random() % (KEY_SUSPEND + 1)));
		}
		s = edit_text(&edit, &n);
		ck_assert_uint_le(edit.cursor, n);
		while (at < edit.cursor)
			at += width_cluster(s + at, n - at, &columns);
		ck_assert_uint_eq(at, edit.cursor);
		if (n > 200)
			edit_set(&edit, "", 0);
	}
}
END_TEST

Suite *
edit_suite(void)
{
	Suite *suite = suite_create("edit");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, cursor_goes_by_what_people_take_for_characters);
	tcase_add_test(tc, deleting_takes_whole_characters);
	tcase_add_test(tc, words_of_both_languages);
	tcase_add_test(tc, ends_are_those_of_the_line_with_the_cursor);
	tcase_add_test(tc, what_was_cut_comes_back);
	tcase_add_test(tc, neighbours_change_places);
	tcase_add_test(tc, newline_and_joining_text);
	tcase_add_test(tc, length_is_bounded);
	tcase_add_test(tc, any_keys_keep_the_cursor_between_characters);
	suite_add_tcase(suite, tc);
	return suite;
}
