/* turing.c - the pure half of the Turing robots; see turing.h.
 * Replies of every class become readable text: the text first, then links and list entries, a line
 * each. Members of the wrong type count as missing, as everywhere. */
#include "robot/turing.h"

#include "base/json.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { LIST_ENTRIES = 10 };

void
turing_user_id(const char *name, size_t n, const char *api_key, char out[TURING_ID_BYTES + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	HMAC(EVP_sha256(), api_key, (int)strlen(api_key), (const unsigned char *)name, n, mac,
	    &size);
	for (int i = 0; i < TURING_ID_BYTES / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", mac[i]);
}

bool
turing_is_used_up(int64_t code)
{
	return code == 40004 || code == 4003;
}

void
turing_request(
    const struct conf_robot *c, const char *key, const struct talk *talk, struct buf *out)
{
	char id[TURING_ID_BYTES + 1];

	turing_user_id(talk->user, talk->n_user, c->api_key.n ? c->api_key.at[0] : "", id);
	(void)buf_adds(out, "{\"key\":");
	(void)json_write(key, strlen(key), out);
	(void)buf_adds(out, ",\"info\":");
	(void)json_write(
	    talk->text, text_cut_chars(talk->text, talk->n_text, TURING_INFO_CHARS), out);
	if (*c->location) {
		(void)buf_adds(out, ",\"loc\":");
		(void)json_write(c->location, strlen(c->location), out);
	}
	(void)buf_addf(out, ",\"userid\":\"%s\"}", id);
}

void
turing2_request(
    const struct conf_robot *c, const char *key, const struct talk *talk, struct buf *out)
{
	char id[TURING_ID_BYTES + 1];

	turing_user_id(talk->user, talk->n_user, c->api_key.n ? c->api_key.at[0] : "", id);
	(void)buf_adds(out, "{\"reqType\":0,\"perception\":{\"inputText\":{\"text\":");
	(void)json_write(
	    talk->text, text_cut_chars(talk->text, talk->n_text, TURING2_TEXT_CHARS), out);
	(void)buf_adds(out, "}");
	if (*c->location) {
		(void)buf_adds(out, ",\"selfInfo\":{\"location\":{\"city\":");
		(void)json_write(c->location, strlen(c->location), out);
		(void)buf_adds(out, "}}");
	}
	(void)buf_adds(out, "},\"userInfo\":{\"apiKey\":");
	(void)json_write(key, strlen(key), out);
	(void)buf_addf(out, ",\"userId\":\"%s\"}}", id);
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

static enum why
no_answer(enum conf_language language, struct buf *out)
{
	(void)buf_adds(out, language == CONF_ZH
				? "这个我还不会，换个话题吧。"
				: "I have no answer to that; let us talk of something else.");
	return WHY_OK;
}

/* robot-apis, error matrix: what each code of v1 and v2 means for the message. */
static enum why
why_of_code(int64_t code, enum conf_language language, struct buf *out)
{
	switch (code) {
	case 40005: /* not supported */
	case 5000:  /* no parse result */
	case 6000:
		return no_answer(language, out);
	case 40006: /* being upgraded */
	case 7002:
	case 8008:
		return WHY_UNAVAILABLE;
	default:
		return WHY_REFUSED;
	}
}

enum why
turing_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code)
{
	struct json_object *o = json_read(bytes, n), *function;
	enum why why = WHY_BAD_REPLY;
	size_t size;

	*code = 0;
	if (!json_is_object(o))
		goto done;
	if (!json_whole(o, "code", code)) {
		/* The smart-home edition answers without a code; its speech is the answer. */
		if (json_text(o, "tts", &size) && size) {
			add_member(o, "tts", "", out);
			why = WHY_OK;
		}
		goto done;
	}
	if (*code < 100000) {
		why = why_of_code(*code, language, out);
		goto done;
	}
	*code = 0;
	if (json_text(o, "text", &size) == NULL)
		goto done;
	add_member(o, "text", "", out);
	add_member(o, "url", "\n", out);
	add_list(json_list(o, "list"), out);
	function = json_object_member(o, "function");
	add_member(function, "song", "\n", out);
	add_member(function, "singer", " - ", out);
	add_member(function, "name", "\n", out);
	add_member(function, "author", " - ", out);
	why = out->len ? WHY_OK : WHY_BAD_REPLY;
done:
	json_drop(o);
	return why;
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

enum why
turing2_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code)
{
	struct json_object *o = json_read(bytes, n), *results;
	enum why why = WHY_BAD_REPLY;
	size_t count;

	*code = 0;
	if (!json_is_object(o) || !json_whole(json_object_member(o, "intent"), "code", code))
		goto done;
	/* An error may carry a normal-looking result, so the code is looked at first. */
	if (*code < 10000) {
		why = why_of_code(*code, language, out);
		goto done;
	}
	*code = 0;
	results = json_list(o, "results");
	count = results ? json_list_size(results) : 0;
	for (size_t i = 0; i < count; i++)
		add_result(json_list_at(results, i), true, out);
	for (size_t i = 0; i < count; i++)
		add_result(json_list_at(results, i), false, out);
	why = out->len ? WHY_OK : WHY_BAD_REPLY;
done:
	json_drop(o);
	return why;
}
