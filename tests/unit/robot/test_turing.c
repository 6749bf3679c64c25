/* test_turing.c - requests of the Turing robots, and every class of reply, whole and cut. */
#include "unit/robot/suites.h"

#include "base/json.h"
#include "robot/turing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum why reader(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code);

/* The reply reads as `text` (NULL: no answer at all) for this reason. */
static void
reads(reader *read, const char *reply, enum why why, const char *text, int64_t code)
{
	struct buf out;
	int64_t got_code;

	buf_init(&out, 1 << 16);
	ck_assert_msg(read(reply, strlen(reply), CONF_EN, &out, &got_code) == why, "%s", reply);
	ck_assert_int_eq(got_code, code);
	if (text) {
		ck_assert_int_eq(buf_add(&out, "", 1), 0);
		ck_assert_str_eq(buf_head(&out), text);
	}
	buf_release(&out);
	/* Cut anywhere it is no reply. The copy has the exact size, for the sanitizers. */
	for (size_t n = 0; n < strlen(reply); n++) {
		char *cut = malloc(n ? n : 1);

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, reply, n);
		buf_init(&out, 1 << 16);
		ck_assert_int_eq(read(cut, n, CONF_EN, &out, &got_code), WHY_BAD_REPLY);
		ck_assert_uint_eq(out.len, 0);
		buf_release(&out);
		free(cut);
	}
}

START_TEST(v1_classes_become_text)
{
	reads(turing_reply, "{\"code\":100000,\"text\":\"hi\"}", WHY_OK, "hi", 0);
	reads(turing_reply, "{\"code\":200000,\"text\":\"look\",\"url\":\"http://a/b\"}", WHY_OK,
	    "look\nhttp://a/b", 0);
	reads(turing_reply,
	    "{\"code\":302000,\"text\":\"news\",\"list\":[{\"article\":\"A\",\"source\":\"S\","
	    "\"detailurl\":\"http://d\"}]}",
	    WHY_OK, NULL, 0);
	reads(turing_reply,
	    "{\"code\":308000,\"text\":\"menu\",\"list\":[{\"name\":\"N\",\"info\":\"I\","
	    "\"detailurl\":\"http://d\"}]}",
	    WHY_OK, NULL, 0);
}
END_TEST

START_TEST(v1_lists_keep_their_links)
{
	static const char reply[] =
	    "{\"code\":302000,\"text\":\"news\",\"list\":[{\"article\":\"First\",\"source\":\"S\","
	    "\"detailurl\":\"http://one\"},{\"article\":\"Second\",\"detailurl\":\"http://two\"}]}";
	struct buf out;
	int64_t code;

	buf_init(&out, 1 << 16);
	ck_assert_int_eq(turing_reply(reply, strlen(reply), CONF_ZH, &out, &code), WHY_OK);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "First"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "http://one"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "Second"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "http://two"));
	buf_release(&out);
}
END_TEST

START_TEST(v1_codes_are_mapped)
{
	static const int64_t refused[] = { 40001, 40002, 40003, 40004, 40007 };

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		char reply[64];

		snprintf(reply, sizeof reply, "{\"code\":%d,\"text\":\"no\"}", (int)refused[i]);
		reads(turing_reply, reply, WHY_REFUSED, NULL, refused[i]);
	}
	reads(turing_reply, "{\"code\":40006,\"text\":\"x\"}", WHY_UNAVAILABLE, NULL, 40006);
	ck_assert(turing_is_used_up(40004));
	ck_assert(turing_is_used_up(4003));
	ck_assert(!turing_is_used_up(40001));
}
END_TEST

START_TEST(what_is_no_reply_is_bad)
{
	static const char *const replies[] = { "", "null", "[]", "{}", "5", "<html>",
		"{\"text\":5,\"code\":100000}", "{\"code\":\"x\",\"text\":\"a\"}" };

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		reads(turing_reply, replies[i], WHY_BAD_REPLY, NULL, 0);
		reads(turing2_reply, replies[i], WHY_BAD_REPLY, NULL, 0);
	}
}
END_TEST

START_TEST(v2_results_become_text)
{
	reads(turing2_reply,
	    "{\"intent\":{\"code\":10005},\"results\":[{\"groupType\":1,\"resultType\":\"url\","
	    "\"values\":{\"url\":\"http://u\"}},{\"groupType\":1,\"resultType\":\"text\","
	    "\"values\":{\"text\":\"hello\"}}]}",
	    WHY_OK, NULL, 0);
	reads(turing2_reply,
	    "{\"intent\":{\"code\":4003},\"results\":[{\"groupType\":0,\"resultType\":\"text\","
	    "\"values\":{\"text\":\"no\"}}]}",
	    WHY_REFUSED, NULL, 4003);
	reads(turing2_reply, "{\"intent\":{\"code\":8008}}", WHY_UNAVAILABLE, NULL, 8008);
}
END_TEST

/* The request as JSON: the text arrives as it is, whatever it holds. */
START_TEST(request_is_json_that_no_text_breaks)
{
	static const char text[] = "a&k=1#\r\nX: 1\",\"admin\":true";
	const struct talk talk = {
		.user = "me", .n_user = 2, .text = text, .n_text = strlen(text)
	};
	const struct conf_robot c = { .location = "" };
	struct json_object *o;
	struct buf out;
	size_t n;

	buf_init(&out, 1 << 16);
	turing_request(&c, "k", &talk, &out);
	o = json_read(buf_head(&out), out.len);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_text(o, "info", &n), text);
	ck_assert_str_eq(json_text(o, "key", &n), "k");
	ck_assert(!json_has(o, "admin"));
	json_drop(o);
	buf_release(&out);
}
END_TEST

START_TEST(user_id_is_stable_and_not_the_name)
{
	char a[TURING_ID_BYTES + 1], b[TURING_ID_BYTES + 1], c[TURING_ID_BYTES + 1];

	turing_user_id("ann", 3, "key", a);
	turing_user_id("ann", 3, "key", b);
	turing_user_id("bob", 3, "key", c);
	ck_assert_str_eq(a, b);
	ck_assert_str_ne(a, c);
	turing_user_id("ann", 3, "other", b);
	ck_assert_str_ne(a, b);
	ck_assert_uint_eq(strspn(a, "0123456789abcdef"), TURING_ID_BYTES);
}
END_TEST

Suite *
turing_suite(void)
{
	Suite *suite = suite_create("turing");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, v1_classes_become_text);
	tcase_add_test(tc, v1_lists_keep_their_links);
	tcase_add_test(tc, v1_codes_are_mapped);
	tcase_add_test(tc, what_is_no_reply_is_bad);
	tcase_add_test(tc, v2_results_become_text);
	tcase_add_test(tc, request_is_json_that_no_text_breaks);
	tcase_add_test(tc, user_id_is_stable_and_not_the_name);
	suite_add_tcase(suite, tc);
	return suite;
}
