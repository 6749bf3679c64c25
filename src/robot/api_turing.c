/* api_turing.c - the Turing robots, API v1 and v2; see api_turing.h.
 * Replies of every class become readable text: the text first, then links and list entries, a line
 * each. Members of the wrong type count as missing, as everywhere. The key goes into the body of a
 * POST, never into a URL, so that no log on the way has it. A robot with a `secret` gets its body
 * sealed. Sources: robot-apis, sections 1 and 2. */
#include "robot/api_turing.h"

#include "base/json.h"
#include "robot/seal.h"

#include <string.h>

enum { LIST_ENTRIES = 10 };

static void
add_user_id(const struct api_question *q, const char *member, struct buf *out)
{
	char id[PSEUDONYM_CHARS + 1];

	pseudonym_make(q->pseudonym, q->talk->user, q->talk->n_user, id);
	(void)(buf_adds(out, member) || buf_add(out, id, PSEUDONYM_CHARS) || buf_adds(out, "\""));
}

static void
add_plain(const struct api_question *q, struct buf *out)
{
	const struct talk *t = q->talk;

	(void)buf_adds(out, "{\"key\":");
	(void)json_write(q->key, strlen(q->key), out);
	(void)buf_adds(out, ",\"info\":");
	(void)json_write(t->text, text_cut_chars(t->text, t->n_text, TURING_INFO_CHARS), out);
	if (*q->conf->location) {
		(void)buf_adds(out, ",\"loc\":");
		(void)json_write(q->conf->location, strlen(q->conf->location), out);
	}
	add_user_id(q, ",\"userid\":\"", out);
	(void)buf_adds(out, "}");
}

static void
add_plain2(const struct api_question *q, struct buf *out)
{
	const struct talk *t = q->talk;

	(void)buf_adds(out, "{\"reqType\":0,\"perception\":{\"inputText\":{\"text\":");
	(void)json_write(t->text, text_cut_chars(t->text, t->n_text, TURING2_TEXT_CHARS), out);
	(void)buf_adds(out, "}");
	if (*q->conf->location) {
		(void)buf_adds(out, ",\"selfInfo\":{\"location\":{\"city\":");
		(void)json_write(q->conf->location, strlen(q->conf->location), out);
		(void)buf_adds(out, "}}");
	}
	(void)buf_adds(out, "},\"userInfo\":{\"apiKey\":");
	(void)json_write(q->key, strlen(q->key), out);
	add_user_id(q, ",\"userId\":\"", out);
	(void)buf_adds(out, "}}");
}

static void
add_parameter(const char *name, const char *s, size_t n, struct buf *url)
{
	(void)buf_addf(url, "%s=", name);
	for (size_t i = 0; i < n; i++)
		(void)buf_addf(url, "%%%02X", (unsigned char)s[i]);
}

/* Every byte is percent-encoded: RFC 3986 allows it, and nothing can be forgotten. */
static void
turing_query(const struct api_question *q, struct buf *url)
{
	const struct talk *t = q->talk;
	char id[PSEUDONYM_CHARS + 1];

	pseudonym_make(q->pseudonym, t->user, t->n_user, id);
	add_parameter(
	    memchr(buf_head(url), '?', url->len) ? "&key" : "?key", q->key, strlen(q->key), url);
	add_parameter("&info", t->text, text_cut_chars(t->text, t->n_text, TURING_INFO_CHARS), url);
	if (*q->conf->location)
		add_parameter("&loc", q->conf->location, strlen(q->conf->location), url);
	add_parameter("&userid", id, strlen(id), url);
}

/* Seal what `add` makes, when the robot has a secret. */
static void
add_sealed(const struct api_question *q, void (*add)(const struct api_question *, struct buf *),
    struct buf *out)
{
	struct buf plain;

	if (*q->conf->secret == '\0') {
		add(q, out);
		return;
	}
	buf_init(&plain, out->limit);
	add(q, &plain);
	(void)seal_body(q->conf->secret, q->key, q->wall_ms, buf_head(&plain), plain.len, out);
	buf_release(&plain);
}

static void
turing_request(const struct api_question *q, struct buf *out)
{
	add_sealed(q, add_plain, out);
}

static void
turing2_request(const struct api_question *q, struct buf *out)
{
	add_sealed(q, add_plain2, out);
}

/* --- replies --------------------------------------------------------------------------------- */

/* Append s with <br> and U+00A0 as blanks: both come in answers and mean nothing else. */
static void
add_text(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n;) {
		size_t skip = 0;

		if (n - i >= 4 && strncmp(s + i, "<br>", 4) == 0)
			skip = 4;
		else if (n - i >= 5 && strncmp(s + i, "<br/>", 5) == 0)
			skip = 5;
		else if (n - i >= 2 && memcmp(s + i, "\xC2\xA0", 2) == 0)
			skip = 2;
		(void)buf_add(out, skip ? " " : s + i, 1);
		i += skip ? skip : 1;
	}
}

/* Append a member if it is a text that says something; `before` goes in front. */
static void
add_member(struct json_object *o, const char *key, const char *before, struct buf *out)
{
	size_t n;
	const char *s = json_text(o, key, &n);

	if (s == NULL || n == 0)
		return;
	(void)buf_adds(out, before);
	add_text(s, n, out);
}

/* One entry of a list, whatever its class: the members that are there, in reading order. */
static void
add_entry(struct json_object *o, struct buf *out)
{
	static const char *const keys[][2] = { { "article", "" }, { "name", "" },
		{ "trainnum", "" }, { "flight", "" }, { "title", "" }, { "source", " - " },
		{ "info", ": " }, { "route", " " }, { "price", " " }, { "start", " " },
		{ "starttime", " " }, { "terminal", " -> " }, { "endtime", " " }, { "count", " " },
		{ "detailurl", " " } };
	uint32_t before;

	(void)buf_adds(out, "\n");
	before = out->len;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		add_member(o, keys[i][0],
		    out->len == before ? ""
		    : *keys[i][1]      ? keys[i][1]
				       : " ",
		    out);
	if (out->len == before)
		buf_cut(out, before - 1);
}

static void
add_list(struct json_object *list, struct buf *out)
{
	size_t n = list ? json_list_size(list) : 0;

	for (size_t i = 0; i < n && i < LIST_ENTRIES; i++)
		add_entry(json_list_at(list, i), out);
}

/* robot-apis, section 6: what each code of v1 and v2 means for the message. */
static enum why
why_of_code(int64_t code)
{
	switch (code) {
	case 40001: /* key */
	case 40003:
	case 40007: /* encryption */
	case 4001:
	case 4002: /* permission */
	case 4005:
	case 4007:
		return WHY_KEY;
	case 40004:
	case 4003:
	case 4500:
		return WHY_QUOTA;
	case 40005: /* not supported */
	case 5000:  /* no parse result */
	case 6000:
		return WHY_NO_ANSWER;
	case 40006: /* being upgraded */
	case 7002:
	case 8008:
		return WHY_UNAVAILABLE;
	default:
		return WHY_REFUSED;
	}
}

/* Hand on what was put together; nothing at all is no reply. */
static void
say_all(struct reply *r, struct buf *answer)
{
	if (answer->len)
		reply_say(r, buf_head(answer), answer->len);
	else
		reply_is_broken(r);
	buf_release(answer);
}

static void
on_value(struct reply *r, struct json_object *o)
{
	struct json_object *function = json_object_member(o, "function");
	struct buf answer;
	int64_t code = 0;
	size_t size;

	reply_is_whole(r);
	buf_init(&answer, r->text.limit);
	if (!json_whole(o, "code", &code)) {
		/* The smart-home edition answers without a code; its speech is the answer. */
		add_member(o, "tts", "", &answer);
	} else if (code < 100000) {
		reply_fail(r, why_of_code(code), code);
		return;
	} else if (json_text(o, "text", &size)) {
		add_member(o, "text", "", &answer);
		add_member(o, "url", "\n", &answer);
		add_list(json_list(o, "list"), &answer);
		add_member(function, "song", "\n", &answer);
		add_member(function, "singer", " - ", &answer);
		add_member(function, "name", "\n", &answer);
		add_member(function, "author", " - ", &answer);
	}
	say_all(r, &answer);
}

/* Append one result of v2; `want_text` picks texts first, the rest in a second walk. */
static void
add_result(struct json_object *result, bool want_text, struct buf *out)
{
	static const char *const kinds[] = { "url", "voice", "video", "image" };
	struct json_object *values = json_object_member(result, "values");
	const char *before = out->len ? "\n" : "";

	if (want_text) {
		add_member(values, "text", before, out);
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		add_member(values, kinds[i], before, out);
	add_list(json_list(values, "news"), out);
}

static void
on_value2(struct reply *r, struct json_object *o)
{
	struct json_object *results = json_list(o, "results");
	size_t count = results ? json_list_size(results) : 0;
	struct buf answer;
	int64_t code = 0;

	reply_is_whole(r);
	if (!json_whole(json_object_member(o, "intent"), "code", &code)) {
		reply_is_broken(r);
		return;
	}
	/* An error may carry a normal-looking result, so the code is looked at first. */
	if (code < 10000) {
		reply_fail(r, why_of_code(code), code);
		return;
	}
	buf_init(&answer, r->text.limit);
	for (size_t i = 0; i < count; i++)
		add_result(json_list_at(results, i), true, &answer);
	for (size_t i = 0; i < count; i++)
		add_result(json_list_at(results, i), false, &answer);
	say_all(r, &answer);
}

const struct api api_turing = { .url = "http://www.tuling123.com/openapi/api",
	.path = "",
	.day_quota = true,
	.request = turing_request,
	.query = turing_query,
	.can_leave_out = API_NO_POST,
	.on_value = on_value };
const struct api api_turing2 = { .url = "http://openapi.tuling123.com/openapi/api/v2",
	.path = "",
	.day_quota = true,
	.request = turing2_request,
	.on_value = on_value2 };
