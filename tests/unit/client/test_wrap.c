/* test_wrap.c - answers in the width of a window. */
#include "unit/client/suites.h"

#include "base/width.h"
#include "client/wrap.h"
#include "lib/vt.h"

#include <stdio.h>
#include <string.h>

/* What a screen shows of the text in pieces of so many clusters: rows, a newline behind each. */
static const char *
show(const char *s, int columns, size_t clusters)
{
	static char rows[1 << 16];
	struct vt *vt = vt_new(columns);
	size_t n = strlen(s), used = 0;
	struct buf out;
	struct wrap w;

	buf_init(&out, 1 << 20);
	wrap_init(&w);
	wrap_begin(&w, columns);
	for (size_t i = 0; i < n;) {
		size_t piece = 0;
		int ignored;

		for (size_t k = 0; k < clusters && i + piece < n; k++)
			piece += width_cluster(s + i + piece, n - i - piece, &ignored);
		wrap_text(&w, s + i, piece, &out);
		vt_feed(vt, &out);
		i += piece;
	}
	wrap_end(&w, &out);
	vt_feed(vt, &out);
	ck_assert_int_eq(vt->column, 0);
	ck_assert_int_ge(vt->row, vt_rows(vt));
	*rows = '\0';
	for (int i = 0; i < vt_rows(vt); i++)
		used += (size_t)snprintf(rows + used, sizeof rows - used, "%s\n", vt_row(vt, i));
	wrap_release(&w);
	buf_release(&out);
	vt_free(vt);
	return rows;
}

/* The same in pieces of any size. */
static void
expect(const char *s, int columns, const char *wanted)
{
	for (size_t clusters = 1; clusters <= strlen(s); clusters++)
		ck_assert_str_eq(show(s, columns, clusters), wanted);
}

START_TEST(words_stay_whole)
{
	expect("to be or not to be", 8, "to be or\nnot to\nbe\n");
	expect("to be  or", 5, "to be\nor\n"); /* the blanks fell into the margin */
	expect("a\nb", 5, "a\nb\n");
	expect("一word", 5, "一\nword\n");
	expect("incomprehensibilities", 8, "incompre\nhensibil\nities\n");
}
END_TEST

START_TEST(chinese_breaks_anywhere_but_before_its_punctuation)
{
	expect("一二三四五", 4, "一二\n三四\n五\n");
	expect("一二三四五", 5, "一二\n三四\n五\n");
	expect("一二，三", 4, "一\n二，\n三\n");
	expect("一二三。”", 6, "一二\n三。”\n");
	expect("一（二）三", 4, "一\n（二\n）三\n"); /* three in a unit have no room */
	expect("一二（三", 6, "一二\n（三\n");
	expect("你好,朋友", 4, "你\n好,\n朋友\n");
}
END_TEST

START_TEST(full_rows_leave_no_empty_one)
{
	expect("一二\n三", 4, "一二\n三\n");
	expect("abcd\n\nef", 4, "abcd\n\nef\n");
	expect("abcd ef", 4, "abcd\nef\n");
}
END_TEST

START_TEST(emoji_that_come_in_parts_are_one)
{
	static const char family[] = "x👨‍👩‍👧y";
	struct vt *vt = vt_new(20);
	struct buf out;
	struct wrap w;

	buf_init(&out, 1000);
	wrap_init(&w);
	wrap_begin(&w, 20);
	/* A piece for each code point. */
	for (size_t i = 0; i < sizeof family - 1;) {
		size_t n = 1;

		while ((family[i + n] & 0xC0) == 0x80)
			n++;
		wrap_text(&w, family + i, n, &out);
		/* Never is the end of what was shown waiting for more. */
		ck_assert(out.len < 3 || memcmp(buf_head(&out) + out.len - 3, "\u200D", 3) != 0);
		i += n;
	}
	ck_assert_int_eq(w.column, 4);
	ck_assert_int_eq(memcmp(buf_head(&out), family, sizeof family - 2), 0);
	buf_cut(&out, 0);
	wrap_release(&w);
	buf_release(&out);
	vt_free(vt);
}
END_TEST

/* No character is lost, and no row is too long, at any width. */
START_TEST(all_of_it_is_shown_at_any_width)
{
	static const char text[] =
	    "人工智能（Artificial Intelligence）是研究、开发用于模拟的新技术科学。It is a "
	    "wide-ranging branch of computer science.\n\n1. 学习👍🏽\n\t2. "
	    "https://example.org/"
	    "a/very/long/path?with=parameters\n“好！”";

	for (int columns = 4; columns <= 90; columns++) {
		const char *rows = show(text, columns, 3);
		const char *s = text;

		for (; *rows; rows++)
			if (*rows != '\n' && *rows != ' ') {
				while (*s == ' ' || *s == '\n' || *s == '\t')
					s++;
				ck_assert_msg(*s == *rows, "%d columns: at %s", columns, s);
				s++;
			}
		ck_assert_str_eq(s, "");
	}
}
END_TEST

START_TEST(resize_goes_on_where_the_terminal_took_the_cursor)
{
	struct buf out;
	struct wrap w;

	buf_init(&out, 1000);
	wrap_init(&w);
	wrap_begin(&w, 20);
	wrap_text(&w, "first\n一二三四五六七八", strlen("first\n一二三四五六七八"), &out);
	ck_assert_int_eq(w.column, 16);
	wrap_resize(&w, 10);
	ck_assert_int_eq(w.column, 6);
	wrap_resize(&w, 7);
	ck_assert_int_eq(w.column, 4);
	wrap_resize(&w, 40);
	ck_assert_int_eq(w.column, 16);
	wrap_release(&w);
	buf_release(&out);
}
END_TEST

Suite *
wrap_suite(void)
{
	Suite *suite = suite_create("wrap");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, words_stay_whole);
	tcase_add_test(tc, chinese_breaks_anywhere_but_before_its_punctuation);
	tcase_add_test(tc, full_rows_leave_no_empty_one);
	tcase_add_test(tc, emoji_that_come_in_parts_are_one);
	tcase_add_test(tc, all_of_it_is_shown_at_any_width);
	tcase_add_test(tc, resize_goes_on_where_the_terminal_took_the_cursor);
	suite_add_tcase(suite, tc);
	return suite;
}
