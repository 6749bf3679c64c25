/* test_request.c - what goes out to each API: addresses, bodies, Turing's sealed envelope. */
#include "unit/robot/suites.h"

#include "base/json.h"
#include "robot/api.h"
#include "robot/seal.h"

#include <string.h>

#define SECRET "0123456789abcdef"
#define KEY    "0123456789abcdef0123456789abcdef"

static const struct conf_robot plain = { .location = "",
	.secret = "",
	.model = "m",
	.system = "",
	.extra = "",
	.stream = true,
	.stream_usage = true };

/* The request as a tree, to be dropped. */
static struct json_object *
request(const struct api *api, const struct api_question *asked)
{
	struct api_question q = *asked;
	struct json_object *o;
	struct buf body;

	q.pseudonym = pseudonym_new("key");
	buf_init(&body, 1 << 16);
	api->request(&q, &body);
	pseudonym_free(q.pseudonym);
	o = json_read(buf_head(&body), body.len);
	ck_assert_msg(json_is_object(o), "%.*s", (int)body.len, buf_head(&body));
	buf_release(&body);
	return o;
}

static const char *
text_of(struct json_object *o, const char *key)
{
	size_t n;
	const char *s = json_text(o, key, &n);

	return s ? s : "(none)";
}

static const char *
message_at(struct json_object *o, size_t i, const char *key)
{
	return text_of(json_list_at(json_list(o, "messages"), i), key);
}

START_TEST(address_gets_the_path_once_with_one_slash)
{
	static const struct {
		const struct api *api;
		const char *url, *whole;
	} rows[] = { { &api_openai, "", "https://api.openai.com/v1/chat/completions" },
		{ &api_openai, "http://h:1/v1", "http://h:1/v1/chat/completions" },
		{ &api_openai, "http://h:1/v1/", "http://h:1/v1/chat/completions" },
		{ &api_openai, "http://h:1/v1//", "http://h:1/v1/chat/completions" },
		{ &api_openai, "https://api.deepseek.com",
		    "https://api.deepseek.com/chat/completions" },
		{ &api_openai, "http://h/x/chat/completions", "http://h/x/chat/completions" },
		{ &api_openai, "http://h/d?api-version=1",
		    "http://h/d/chat/completions?api-version=1" },
		{ &api_ollama, "http://h:1", "http://h:1/api/chat" },
		{ &api_ollama, "http://h:1/api/chat", "http://h:1/api/chat" },
		{ &api_anthropic, "", "https://api.anthropic.com/v1/messages" },
		{ &api_anthropic, "http://h/v1", "http://h/v1/messages" },
		{ &api_anthropic, "http://h/apps/anthropic",
		    "http://h/apps/anthropic/v1/messages" },
		{ &api_anthropic, "http://h/v1/messages", "http://h/v1/messages" },
		{ &api_turing, "http://h/api", "http://h/api" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out;

		buf_init(&out, 1 << 12);
		api_url(rows[i].api, rows[i].url, &out);
		ck_assert_int_eq(buf_add(&out, "", 1), 0);
		ck_assert_str_eq(buf_head(&out), rows[i].whole);
		buf_release(&out);
	}
}
END_TEST

/* The text arrives as it is, whatever it holds. */
START_TEST(body_is_json_that_no_text_breaks)
{
	static const struct api *const apis[] = { &api_turing, &api_openai, &api_ollama,
		&api_anthropic };
	static const char text[] = "a&k=1#\r\nX: 1\",\"admin\":true";
	const struct talk talk = {
		.user = "me", .n_user = 2, .text = text, .n_text = strlen(text)
	};
	const struct api_question q = { .conf = &plain, .key = "k", .talk = &talk };

	for (size_t i = 0; i < sizeof apis / sizeof *apis; i++) {
		struct json_object *o = request(apis[i], &q);

		ck_assert_str_eq(i == 0 ? text_of(o, "info") : message_at(o, 0, "content"), text);
		ck_assert(!json_has(o, "admin"));
		json_drop(o);
	}
}
END_TEST

START_TEST(chat_goes_along_with_the_system_prompt)
{
	const struct said history[] = { { "old", "ago", 3, 3 }, { "q", "a", 1, 1 } };
	const struct talk talk = { .user = "me",
		.n_user = 2,
		.text = "now",
		.n_text = 3,
		.history = history,
		.n_history = 2 };
	struct conf_robot c = plain;
	const struct api_question q = { .conf = &c, .key = "", .talk = &talk, .n_history = 1 };
	struct json_object *o;

	c.system = "be kind";
	c.extra = "{\"temperature\":0.5,\"x\":{\"y\":[1]}}";
	o = request(&api_openai, &q);
	ck_assert_uint_eq(json_list_size(json_list(o, "messages")), 4);
	ck_assert_str_eq(message_at(o, 0, "role"), "system");
	ck_assert_str_eq(message_at(o, 0, "content"), "be kind");
	ck_assert_str_eq(message_at(o, 1, "content"), "q");
	ck_assert_str_eq(message_at(o, 2, "role"), "assistant");
	ck_assert_str_eq(message_at(o, 2, "content"), "a");
	ck_assert_str_eq(message_at(o, 3, "content"), "now");
	ck_assert_int_eq(json_kind(o, "temperature"), JSON_NUMBER);
	ck_assert_int_eq(json_kind(o, "x"), JSON_OBJECT);
	json_drop(o);
	o = request(&api_anthropic, &q);
	ck_assert_uint_eq(json_list_size(json_list(o, "messages")), 3);
	ck_assert_str_eq(message_at(o, 0, "role"), "user");
	ck_assert_str_eq(text_of(o, "system"), "be kind");
	json_drop(o);
}
END_TEST

START_TEST(what_servers_refuse_can_be_left_out)
{
	const struct talk talk = { .user = "me", .n_user = 2, .text = "hi", .n_text = 2 };
	struct conf_robot c = plain;
	struct api_question q = { .conf = &c, .key = "", .talk = &talk };
	struct json_object *o;

	c.max_tokens = 9;
	ck_assert_uint_eq(
	    api_can_leave_out(&api_openai, &c, 0, WHY_REFUSED, 400, "unknown field stream_options"),
	    API_NO_STREAM_OPTIONS);
	ck_assert_uint_eq(api_can_leave_out(&api_openai, &c, API_NO_STREAM_OPTIONS, WHY_REFUSED,
			      400, "unknown field stream_options"),
	    0);
	ck_assert_uint_eq(api_can_leave_out(&api_openai, &c, 0, WHY_REFUSED, 400,
			      "Unsupported parameter: 'max_tokens'"),
	    API_OTHER_MAX_TOKENS);
	o = request(&api_openai, &q);
	ck_assert(json_has(o, "stream_options") && json_has(o, "max_tokens"));
	json_drop(o);
	q.without = API_NO_STREAM_OPTIONS | API_OTHER_MAX_TOKENS;
	o = request(&api_openai, &q);
	ck_assert(!json_has(o, "stream_options") && !json_has(o, "max_tokens"));
	ck_assert(json_has(o, "max_completion_tokens"));
	json_drop(o);
	q.without |= API_NO_MAX_TOKENS;
	o = request(&api_openai, &q);
	ck_assert(!json_has(o, "max_completion_tokens") && !json_has(o, "max_tokens"));
	json_drop(o);
	ck_assert_uint_eq(
	    api_can_leave_out(&api_openai, &c, q.without, WHY_REFUSED, 400, "max_tokens"), 0);
	ck_assert_uint_eq(
	    api_can_leave_out(&api_openai, &c, 0, WHY_UNAVAILABLE, 500, "max_tokens"), 0);
	ck_assert_uint_eq(
	    api_can_leave_out(&api_anthropic, &c, 0, WHY_REFUSED, 400, "max_tokens"), 0);
	c.max_tokens = 0;
	ck_assert_uint_eq(api_can_leave_out(&api_openai, &c, 0, WHY_REFUSED, 400, "max_tokens"), 0);
}
END_TEST

START_TEST(turing_that_takes_no_post_is_asked_by_address)
{
	const struct talk talk = {
		.user = "me", .n_user = 2, .text = "a&\xE4\xBD\xA0", .n_text = 5
	};
	struct pseudonym *p = pseudonym_new("k");
	const struct api_question q = { .conf = &plain, .key = "k", .talk = &talk, .pseudonym = p };
	struct conf_robot c = plain;
	struct buf url;

	ck_assert_uint_eq(api_can_leave_out(&api_turing, &c, 0, WHY_REFUSED, 405, ""), API_NO_POST);
	ck_assert_uint_eq(api_can_leave_out(&api_turing, &c, API_NO_POST, WHY_REFUSED, 405, ""), 0);
	ck_assert_uint_eq(api_can_leave_out(&api_turing2, &c, 0, WHY_REFUSED, 405, ""), 0);
	ck_assert_uint_eq(api_can_leave_out(&api_turing, &c, 0, WHY_REFUSED, 400, ""), 0);
	c.secret = SECRET;
	ck_assert_uint_eq(api_can_leave_out(&api_turing, &c, 0, WHY_REFUSED, 405, ""), 0);
	buf_init(&url, 1 << 12);
	ck_assert_int_eq(buf_adds(&url, "http://h/api"), 0);
	api_turing.query(&q, &url);
	ck_assert_int_eq(buf_add(&url, "", 1), 0);
	ck_assert_ptr_nonnull(
	    strstr(buf_head(&url), "http://h/api?key=%6B&info=%61%26%E4%BD%A0&userid="));
	pseudonym_free(p);
	buf_release(&url);
}
END_TEST

/* The vector of robot-apis, section 1.1. */
START_TEST(sealed_body_is_that_of_the_vector)
{
	static const char inner[] = "{\"key\":\"" KEY "\",\"info\":\"你好\",\"userid\":\"u1\"}",
			  data[] = "r1C2LUSH1iCtmsZNlFLUXd9AyLSehQZLoAB8AlooaER8r3XBCWa2q/8g/cAs"
				   "XEdL0VPq/7AH9f5oTDEZ4GCzcihjGHgEABg9BjLU3Ie+4bI=";
	struct json_object *o;
	struct buf out;

	ck_assert_uint_eq(strlen(inner), 72);
	buf_init(&out, 1 << 12);
	ck_assert_int_eq(seal_body(SECRET, KEY, 1492650896000, inner, strlen(inner), &out), 0);
	o = json_read(buf_head(&out), out.len);
	ck_assert_str_eq(text_of(o, "key"), KEY);
	ck_assert_str_eq(text_of(o, "timestamp"), "1492650896000");
	ck_assert_str_eq(text_of(o, "data"), data);
	json_drop(o);
	buf_release(&out);
}
END_TEST

START_TEST(turing_with_a_secret_is_asked_in_the_envelope)
{
	const struct talk talk = { .user = "me", .n_user = 2, .text = "hi", .n_text = 2 };
	struct conf_robot c = plain;
	const struct api_question q = { .conf = &c, .key = KEY, .talk = &talk, .wall_ms = 5 };
	struct json_object *o;

	c.secret = SECRET;
	o = request(&api_turing, &q);
	ck_assert_str_eq(text_of(o, "key"), KEY);
	ck_assert_str_eq(text_of(o, "timestamp"), "5");
	ck_assert(json_has(o, "data") && !json_has(o, "info"));
	json_drop(o);
	o = request(&api_turing2, &q);
	ck_assert(json_has(o, "data") && !json_has(o, "perception"));
	json_drop(o);
}
END_TEST

/* The vector is HMAC-SHA256 of "ann" with "key", its first half, by openssl(1). */
START_TEST(pseudonym_is_stable_and_not_the_name)
{
	struct pseudonym *p = pseudonym_new("key"), *other = pseudonym_new(""), *same;
	char a[PSEUDONYM_CHARS + 1], b[PSEUDONYM_CHARS + 1];

	pseudonym_make(p, "ann", 3, a);
	ck_assert_str_eq(a, "9d77c3180ff81edfbc099a7e91843e41");
	pseudonym_make(p, "bob", 3, b);
	ck_assert_str_ne(a, b);
	pseudonym_make(p, "ann", 3, b);
	ck_assert_str_eq(a, b);
	pseudonym_make(other, "ann", 3, b);
	ck_assert_str_ne(a, b);
	same = pseudonym_new("key");
	pseudonym_make(same, "ann", 3, b);
	ck_assert_str_eq(a, b);
	pseudonym_free(p);
	pseudonym_free(other);
	pseudonym_free(same);
}
END_TEST

Suite *
request_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, address_gets_the_path_once_with_one_slash);
	tcase_add_test(tc, body_is_json_that_no_text_breaks);
	tcase_add_test(tc, chat_goes_along_with_the_system_prompt);
	tcase_add_test(tc, what_servers_refuse_can_be_left_out);
	tcase_add_test(tc, turing_that_takes_no_post_is_asked_by_address);
	tcase_add_test(tc, sealed_body_is_that_of_the_vector);
	tcase_add_test(tc, turing_with_a_secret_is_asked_in_the_envelope);
	tcase_add_test(tc, pseudonym_is_stable_and_not_the_name);
	suite_add_tcase(suite, tc);
	return suite;
}
