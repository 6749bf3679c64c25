/* test_json.c - typed members, depth, writing. */
#include "unit/base/suites.h"

#include "base/json.h"

#include <string.h>

START_TEST(members_of_another_type_are_missing)
{
	static const char text[] =
	    "{\"a\":\"x\",\"n\":5,\"s\":\"7\",\"b\":true,\"l\":[1],\"o\":{}}";
	struct json_object *o = json_read(text, strlen(text));
	int64_t value;
	size_t n;

	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_text(o, "a", &n), "x");
	ck_assert_ptr_null(json_text(o, "n", &n));
	ck_assert(json_whole(o, "n", &value) && value == 5);
	ck_assert(json_whole(o, "s", &value) && value == 7);
	ck_assert(!json_whole(o, "a", &value));
	ck_assert(json_true(o, "b") && !json_true(o, "n"));
	ck_assert_uint_eq(json_list_size(json_list(o, "l")), 1);
	ck_assert_ptr_null(json_list(o, "o"));
	ck_assert_ptr_nonnull(json_object_member(o, "o"));
	ck_assert_str_eq(json_scalar(o, "n", &n), "5");
	ck_assert_uint_eq(n, 1);
	json_scalar(o, "l", &n);
	ck_assert_uint_eq(n, 0);
	json_drop(o);
}
END_TEST

START_TEST(only_one_whole_value_is_read)
{
	static const char *const bad[] = { "", "null", "{", "{} x", "{}{}", "[1,", "nan" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(json_read(bad[i], strlen(bad[i])) == NULL, "%s", bad[i]);
}
END_TEST

START_TEST(depth_is_bounded)
{
	for (int depth = JSON_DEPTH - 1; depth <= JSON_DEPTH + 2; depth++) {
		char text[4 * JSON_DEPTH] = "";
		struct json_object *o;

		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		o = json_read(text, strlen(text));
		if (depth < JSON_DEPTH)
			ck_assert_ptr_nonnull(o);
		if (depth > JSON_DEPTH + 1)
			ck_assert_ptr_null(o);
		json_drop(o);
	}
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	char all[128], line[1024];
	struct json_object *o;
	struct buf out;
	size_t n;

	for (int i = 0; i < 127; i++)
		all[i] = (char)(i + 1);
	all[127] = '\0';
	buf_init(&out, sizeof line);
	ck_assert_int_eq(buf_adds(&out, "{\"t\":"), 0);
	ck_assert_int_eq(json_write(all, 127, &out), 0);
	ck_assert_int_eq(buf_adds(&out, "}"), 0);
	o = json_read(buf_head(&out), out.len);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_text(o, "t", &n), all);
	ck_assert_ptr_null(memchr(buf_head(&out), '\n', out.len));
	json_drop(o);
	buf_release(&out);
}
END_TEST

Suite *
json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, members_of_another_type_are_missing);
	tcase_add_test(tc, only_one_whole_value_is_read);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, what_is_written_reads_back);
	suite_add_tcase(suite, tc);
	return suite;
}
