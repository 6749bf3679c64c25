/* test_text.c - UTF-8, durations, quoting. */
#include "unit/base/suites.h"

#include "base/text.h"

#include <string.h>

START_TEST(utf8_is_rfc_3629)
{
	static const char *const good[] = { "", "a", "你好", "é", "😀", "\xF4\x8F\xBF\xBF" };
	static const char *const bad[] = { "\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80",
		"\xE4\xBD", "\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80" };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert(!text_is_utf8(bad[i], strlen(bad[i])));
}
END_TEST

START_TEST(cuts_are_between_characters)
{
	static const char text[] = "a你é😀";

	for (size_t limit = 0; limit <= sizeof text; limit++) {
		size_t n = text_cut_bytes(text, strlen(text), limit);

		ck_assert_uint_le(n, limit);
		ck_assert(text_is_utf8(text, n));
		ck_assert(n + 4 > limit || n == strlen(text));
	}
	ck_assert_uint_eq(text_cut_chars(text, strlen(text), 2), 4);
	ck_assert_uint_eq(text_cut_chars(text, strlen(text), 9), strlen(text));
}
END_TEST

#define BROKEN "\xEF\xBF\xBD"

/* Cleaned in two pieces at every cut: the same as whole. */
START_TEST(clean_text_does_not_depend_on_the_pieces)
{
	static const char text[] = "a\x1b[31m你\xC0\xAF\r\n\tb\x7f\xC2\x85"
				   "\xE2\x80\xAE"
				   "\xE2\x82\xF0\x9F\x98\xED\xA0 c\xE4\xBD";
	/* One U+FFFD for what could have become a character, as other programs have it. */
	static const char clean[] =
	    "a[31m你" BROKEN BROKEN "\n\tb" BROKEN BROKEN BROKEN BROKEN " c" BROKEN;

	for (size_t cut = 0; cut <= strlen(text); cut++) {
		struct text_clean c = { .n_part = 0 };
		struct buf out;

		buf_init(&out, 256);
		ck_assert_int_eq(text_clean(&c, text, cut, &out), 0);
		ck_assert_int_eq(text_clean(&c, text + cut, strlen(text) - cut, &out), 0);
		ck_assert_int_eq(text_clean_end(&c, &out), 0);
		ck_assert_msg(
		    out.len == strlen(clean) && memcmp(buf_head(&out), clean, out.len) == 0,
		    "cut %zu: %.*s", cut, (int)out.len, buf_head(&out));
		buf_release(&out);
	}
}
END_TEST

START_TEST(numbers_and_durations)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "90", 90000 }, { "500ms", 500 }, { "10m", 600000 }, { "2h", 7200000 },
		{ "1d", 86400000 }, { "1.5s", 1500 }, { "0", 0 } };
	static const char *const bad[] = { "", "s", "1x", "-1s", "1 0", "99999999999999999999d" };
	int64_t value;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char back[32];
		int64_t again;

		ck_assert_int_eq(text_to_ms(good[i].text, &value), 0);
		ck_assert_int_eq(value, good[i].ms);
		text_from_ms(value, back, sizeof back);
		ck_assert_int_eq(text_to_ms(back, &again), 0);
		ck_assert_int_eq(again, value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_int_eq(text_to_ms(bad[i], &value), -1);
	ck_assert_int_eq(text_to_int("-42", &value), 0);
	ck_assert_int_eq(value, -42);
	ck_assert_int_eq(text_to_int("42x", &value), -1);
	ck_assert_int_eq(text_to_int("\t42", &value), -1);
	ck_assert_int_eq(text_to_int("", &value), -1);
	ck_assert_int_eq(text_to_int("99999999999999999999", &value), -1);
}
END_TEST

START_TEST(quotes_leave_no_control_byte)
{
	struct buf out;

	buf_init(&out, 100);
	ck_assert_int_eq(text_quote("a\"\\\n\x1b\xFFé", 8, &out), 0);
	for (uint32_t i = 0; i < out.len; i++)
		ck_assert_int_ge((unsigned char)buf_head(&out)[i], 0x20);
	ck_assert(text_is_utf8(buf_head(&out), out.len));
	ck_assert_int_eq(buf_head(&out)[0], '"');
	ck_assert_int_eq(buf_head(&out)[out.len - 1], '"');
	buf_release(&out);
}
END_TEST

START_TEST(nearest_word_is_suggested)
{
	static const char *const words[] = { "port", "path", "address", NULL };

	ck_assert_int_eq(text_nearest("prot", words), 0);
	ck_assert_int_eq(text_nearest("adress", words), 2);
	ck_assert_int_eq(text_nearest("zzzzzz", words), -1);
}
END_TEST

Suite *
text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, utf8_is_rfc_3629);
	tcase_add_test(tc, cuts_are_between_characters);
	tcase_add_test(tc, clean_text_does_not_depend_on_the_pieces);
	tcase_add_test(tc, numbers_and_durations);
	tcase_add_test(tc, quotes_leave_no_control_byte);
	tcase_add_test(tc, nearest_word_is_suggested);
	suite_add_tcase(suite, tc);
	return suite;
}
