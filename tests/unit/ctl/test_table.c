/* test_table.c - tables and what people read of a document. */
#include "unit/ctl/suites.h"

#include "ctl/ctl_show.h"
#include "ctl/ctl_table.h"

#include <string.h>

static void
is(struct buf *out, const char *expected)
{
	ck_assert_int_eq(buf_add(out, "", 1), 0);
	ck_assert_str_eq(buf_head(out), expected);
	buf_release(out);
}

START_TEST(columns_are_aligned_by_width)
{
	static const char *const heads[] = { "NAME", ">N", "END", NULL };
	struct ctl_table t;
	struct buf out;

	buf_init(&out, 4096);
	ctl_table_begin(&t, heads);
	ctl_table_cell(&t, "小图小图");
	ctl_table_cell(&t, "%d", 7);
	ctl_table_cell(&t, "x");
	ctl_table_cell(&t, "ab");
	ctl_table_cell(&t, "%d", 1234);
	ctl_table_cell(&t, ">");
	ctl_table_put(&t, &out);
	is(&out, "NAME         N  END\n"
		 "小图小图     7  x\n"
		 "ab        1234  >\n");
}
END_TEST

START_TEST(cells_are_clean_and_not_too_long)
{
	static const char *const heads[] = { "A", NULL };
	struct ctl_table t;
	struct buf out;
	char text[400];

	memset(text, 'x', sizeof text);
	buf_init(&out, 4096);
	ctl_table_begin(&t, heads);
	ctl_table_text(&t, "a\033[2Jb\nc\x9b\xff", 11);
	ctl_table_text(&t, text, sizeof text);
	ctl_table_put(&t, &out);
	is(&out, "A\n"
		 "a[2Jb c\xEF\xBF\xBD\xEF\xBF\xBD\n"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\n");
}
END_TEST

START_TEST(ages_are_short)
{
	char age[32];

	ctl_age(0, age);
	ck_assert_str_eq(age, "0s");
	ctl_age(3599, age);
	ck_assert_str_eq(age, "59m59s");
	ctl_age(3600, age);
	ck_assert_str_eq(age, "1h0m");
	ctl_age(90000, age);
	ck_assert_str_eq(age, "1d1h");
}
END_TEST

/* Another version's server may leave things out, or send what nobody expects. */
START_TEST(any_document_can_be_shown)
{
	static const char *const commands[] = { "status", "workers", "chats", "robots", "config",
		"reload", "stop", "reopen" };
	static const char *const documents[] = { "{}", "[]", "7", "\"x\"",
		"{\"workers\":[1,{}],\"chats\":[null],\"missing\":[\"x\"],\"robots\":[[]],"
		"\"values\":[{\"key\":1}],\"changed\":[{}],\"listen\":[1]}" };

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		for (size_t k = 0; k < sizeof documents / sizeof *documents; k++) {
			struct json_object *o = json_read(documents[k], strlen(documents[k]));
			struct buf out;

			ck_assert_ptr_nonnull(o);
			buf_init(&out, 1 << 16);
			ctl_show(commands[i], o, &out);
			ck_assert_uint_ge(out.len, 1);
			buf_release(&out);
			json_drop(o);
		}
	}
}
END_TEST

Suite *
table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, columns_are_aligned_by_width);
	tcase_add_test(tc, cells_are_clean_and_not_too_long);
	tcase_add_test(tc, ages_are_short);
	tcase_add_test(tc, any_document_can_be_shown);
	suite_add_tcase(suite, tc);
	return suite;
}
