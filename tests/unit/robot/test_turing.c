/* test_turing.c - every class of Turing's replies, whole and cut. */
#include "unit/robot/suites.h"

#include "base/mem.h"
#include "robot/api_turing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_BYTES = 1 << 16 };

static enum why
read_bytes(const struct api *api, const char *bytes, size_t n, struct buf *text, int64_t *code)
{
	char *copy = mem_zalloc(n); /* of the exact size, for the sanitizers */
	struct reply r;
	enum why why;

	memcpy(copy, bytes, n);
	reply_init(&r, api->on_value, LIMIT_BYTES);
	reply_head(&r, 200, "application/json");
	(void)reply_feed(&r, copy, n);
	why = reply_end(&r, WHY_OK);
	ck_assert_int_eq(buf_add(text, r.text.len ? buf_head(&r.text) : "", r.text.len), 0);
	*code = r.code;
	reply_release(&r);
	free(copy);
	return why;
}

/* The reply reads as `text` (NULL: some text) for this reason. */
static void
reads(const struct api *api, const char *reply, enum why why, const char *text, int64_t code)
{
	struct buf out;
	int64_t got_code;

	buf_init(&out, LIMIT_BYTES);
	ck_assert_msg(read_bytes(api, reply, strlen(reply), &out, &got_code) == why, "%s", reply);
	ck_assert_int_eq(got_code, code);
	ck_assert_int_eq(out.len > 0, why == WHY_OK);
	if (text) {
		ck_assert_int_eq(buf_add(&out, "", 1), 0);
		ck_assert_str_eq(buf_head(&out), text);
	}
	buf_release(&out);
	/* Cut anywhere it is no reply. */
	for (size_t n = 0; n < strlen(reply); n++) {
		ck_assert_int_eq(read_bytes(api, reply, n, &out, &got_code), WHY_BAD_REPLY);
		ck_assert_uint_eq(out.len, 0);
	}
}

START_TEST(v1_classes_become_text)
{
	reads(&api_turing, "{\"code\":100000,\"text\":\"hi\"}", WHY_OK, "hi", 0);
	reads(&api_turing, "{\"code\":200000,\"text\":\"look\",\"url\":\"http://a/b\"}", WHY_OK,
	    "look\nhttp://a/b", 0);
	reads(&api_turing,
	    "{\"code\":302000,\"text\":\"news\",\"list\":[{\"article\":\"First\",\"source\":\"S\","
	    "\"detailurl\":\"http://one\"},{\"article\":\"Second\",\"detailurl\":\"http://two\"}]}",
	    WHY_OK, "news\nFirst - S http://one\nSecond http://two", 0);
	reads(&api_turing,
	    "{\"code\":308000,\"text\":\"menu\",\"list\":[{\"name\":\"N\",\"info\":\"I\","
	    "\"detailurl\":\"http://d\"}]}",
	    WHY_OK, "menu\nN: I http://d", 0);
}
END_TEST

START_TEST(codes_are_mapped)
{
	static const struct {
		int code;
		enum why why;
	} v1[] = { { 40001, WHY_KEY }, { 40002, WHY_REFUSED }, { 40003, WHY_KEY },
		{ 40004, WHY_QUOTA }, { 40005, WHY_NO_ANSWER }, { 40006, WHY_UNAVAILABLE },
		{ 40007, WHY_KEY } },
	  v2[] = { { 4000, WHY_REFUSED }, { 4001, WHY_KEY }, { 4003, WHY_QUOTA }, { 4007, WHY_KEY },
		  { 4500, WHY_QUOTA }, { 4600, WHY_REFUSED }, { 5000, WHY_NO_ANSWER },
		  { 6000, WHY_NO_ANSWER }, { 7002, WHY_UNAVAILABLE }, { 8008, WHY_UNAVAILABLE } };
	char reply[128];

	for (size_t i = 0; i < sizeof v1 / sizeof *v1; i++) {
		snprintf(reply, sizeof reply, "{\"code\":%d,\"text\":\"no\"}", v1[i].code);
		reads(&api_turing, reply, v1[i].why, NULL, v1[i].code);
	}
	for (size_t i = 0; i < sizeof v2 / sizeof *v2; i++) {
		snprintf(reply, sizeof reply, "{\"intent\":{\"code\":%d}}", v2[i].code);
		reads(&api_turing2, reply, v2[i].why, NULL, v2[i].code);
	}
}
END_TEST

START_TEST(what_is_no_reply_is_bad)
{
	static const char *const replies[] = { "", "null", "[]", "{}", "<html>",
		"{\"text\":5,\"code\":100000}", "{\"code\":\"x\",\"text\":\"a\"}" };

	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		reads(&api_turing, replies[i], WHY_BAD_REPLY, NULL, 0);
		reads(&api_turing2, replies[i], WHY_BAD_REPLY, NULL, 0);
	}
}
END_TEST

START_TEST(v2_results_become_text)
{
	reads(&api_turing2,
	    "{\"intent\":{\"code\":10005},\"results\":[{\"groupType\":1,\"resultType\":\"url\","
	    "\"values\":{\"url\":\"http://u\"}},{\"groupType\":1,\"resultType\":\"text\","
	    "\"values\":{\"text\":\"hello\"}}]}",
	    WHY_OK, "hello\nhttp://u", 0);
	reads(&api_turing2,
	    "{\"intent\":{\"code\":4003},\"results\":[{\"groupType\":0,\"resultType\":\"text\","
	    "\"values\":{\"text\":\"no\"}}]}",
	    WHY_QUOTA, NULL, 4003);
}
END_TEST

Suite *
turing_suite(void)
{
	Suite *suite = suite_create("turing");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, v1_classes_become_text);
	tcase_add_test(tc, codes_are_mapped);
	tcase_add_test(tc, what_is_no_reply_is_bad);
	tcase_add_test(tc, v2_results_become_text);
	suite_add_tcase(suite, tc);
	return suite;
}
