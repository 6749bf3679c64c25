/* test_width.c - columns of a terminal. */
#include "unit/base/suites.h"

#include "base/width.h"

#include <string.h>

static int
width(const char *s)
{
	return width_text(s, strlen(s));
}

START_TEST(chinese_is_wide_and_marks_have_no_width)
{
	ck_assert_int_eq(width(""), 0);
	ck_assert_int_eq(width("abc"), 3);
	ck_assert_int_eq(width("小图"), 4);
	ck_assert_int_eq(width("ａ，。「」"), 10);
	ck_assert_int_eq(width("한국어"), 6);
	ck_assert_int_eq(width("ｱｲ"), 2); /* half-width */
	ck_assert_int_eq(width("e\xCC\x81"), 1);
	ck_assert_int_eq(width("a\xE2\x80\x8D"), 1);
	ck_assert_int_eq(width("😀"), 2);
	ck_assert_int_eq(width("é…·"), 3);
	ck_assert_int_eq(width("\xFF\xFE"), 2); /* no UTF-8 */
}
END_TEST

START_TEST(text_is_cut_between_characters)
{
	const char *s = "a小图b";

	ck_assert_int_eq(width_cut(s, strlen(s), 0), 0);
	ck_assert_int_eq(width_cut(s, strlen(s), 1), 1);
	ck_assert_int_eq(width_cut(s, strlen(s), 2), 1);
	ck_assert_int_eq(width_cut(s, strlen(s), 3), 4);
	ck_assert_int_eq(width_cut(s, strlen(s), 5), 7);
	ck_assert_int_eq(width_cut(s, strlen(s), 100), strlen(s));
}
END_TEST

Suite *
width_suite(void)
{
	Suite *suite = suite_create("width");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, chinese_is_wide_and_marks_have_no_width);
	tcase_add_test(tc, text_is_cut_between_characters);
	suite_add_tcase(suite, tc);
	return suite;
}
