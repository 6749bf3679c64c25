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

/* The clusters of s are these texts. */
static void
expect_clusters(const char *s, const char *const parts[])
{
	size_t n = strlen(s), i = 0;
	int columns;

	for (; *parts; parts++) {
		size_t len = width_cluster(s + i, n - i, &columns);

		ck_assert_uint_eq(len, strlen(*parts));
		ck_assert_int_eq(memcmp(s + i, *parts, len), 0);
		i += len;
		ck_assert_uint_eq(width_last_cluster(s, i), len);
	}
	ck_assert_uint_eq(i, n);
}

#define PARTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(what_people_take_for_one_character_stays_together)
{
	expect_clusters("a图e\xCC\x81\xCC\x82z", PARTS("a", "图", "e\xCC\x81\xCC\x82", "z"));
	expect_clusters(
	    "👨‍👩‍👧👍🏽x", PARTS("👨‍👩‍👧", "👍🏽", "x"));
	expect_clusters("❤️1️⃣", PARTS("❤️", "1️⃣"));
	expect_clusters("🇨🇳🇯🇵🇺", PARTS("🇨🇳", "🇯🇵", "🇺"));
	expect_clusters("नमस्ते", PARTS("न", "म", "स्", "ते"));
	expect_clusters("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB",
	    PARTS("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB")); /* letter by letter */
	expect_clusters("\n\xCC\x81", PARTS("\n", "\xCC\x81"));
	expect_clusters("\xFF\xCC", PARTS("\xFF", "\xCC"));
	ck_assert_int_eq(width("👨‍👩‍👧"), 2);
	ck_assert_int_eq(width("❤"), 1);
	ck_assert_int_eq(width("❤️"), 2);
	ck_assert_int_eq(width("👍🏽"), 2);
	ck_assert_int_eq(width("🇨🇳"), 2);
	ck_assert_int_eq(width("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"), 2);
	ck_assert_int_eq(width("ไทย"), 3);
	ck_assert_int_eq(width("กี่"), 1);
}
END_TEST

Suite *
width_suite(void)
{
	Suite *suite = suite_create("width");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, chinese_is_wide_and_marks_have_no_width);
	tcase_add_test(tc, text_is_cut_between_characters);
	tcase_add_test(tc, what_people_take_for_one_character_stays_together);
	suite_add_tcase(suite, tc);
	return suite;
}
