/* api_anthropic.c - Anthropic's messages. Every value has a type; unknown ones mean nothing, the
 * vendor says so. Source: robot-apis, section 5. */
#include "robot/api.h"

#include <string.h>

enum { MAX_TOKENS = 1024 }; /* the API wants a number */

static void
request(const struct api_question *q, struct buf *body)
{
	const struct conf_robot *c = q->conf;

	(void)buf_adds(body, "{");
	api_chat_members(q, false, body);
	if (*c->system) {
		(void)buf_adds(body, ",\"system\":");
		(void)json_write(c->system, strlen(c->system), body);
	}
	(void)buf_addf(
	    body, ",\"max_tokens\":%lld}", (long long)(c->max_tokens ? c->max_tokens : MAX_TOKENS));
}

static void
take_usage(struct reply *r, struct json_object *usage)
{
	reply_tokens(usage, "input_tokens", &r->tokens_in);
	reply_tokens(usage, "output_tokens", &r->tokens_out);
}

static bool
is(const char *s, const char *word)
{
	return strcmp(s, word) == 0;
}

/* A block or a delta of one: its text, if it is of the type that has some. */
static void
say_text(struct reply *r, struct json_object *o, const char *type)
{
	size_t n;
	const char *its_type = json_text(o, "type", &n), *text = json_text(o, "text", &n);

	if (its_type == NULL || !is(its_type, type))
		return;
	if (text)
		reply_say(r, text, n);
	else if (json_kind(o, "text") != JSON_NULL)
		reply_is_broken(r);
}

static void
take_message(struct reply *r, struct json_object *o)
{
	struct json_object *content = json_list(o, "content");

	reply_is_whole(r);
	if (content == NULL)
		reply_is_broken(r);
	for (size_t i = 0; content && i < json_list_size(content); i++)
		say_text(r, json_list_at(content, i), "text");
	take_usage(r, json_object_member(o, "usage"));
}

static void
on_value(struct reply *r, struct json_object *o)
{
	size_t n;
	const char *type = json_text(o, "type", &n);

	if (type == NULL) {
		if (r->form == REPLY_VALUES)
			reply_is_broken(r);
	} else if (is(type, "message")) {
		take_message(r, o);
	} else if (is(type, "message_start")) {
		take_usage(r, json_object_member(json_object_member(o, "message"), "usage"));
	} else if (is(type, "content_block_start")) {
		say_text(r, json_object_member(o, "content_block"), "text");
	} else if (is(type, "content_block_delta")) {
		r->progress = true; /* thinking, too */
		say_text(r, json_object_member(o, "delta"), "text_delta");
	} else if (is(type, "message_delta")) {
		take_usage(r, json_object_member(o, "usage"));
		if (json_text(json_object_member(o, "delta"), "stop_reason", &n) && n)
			r->finished = true;
	} else if (is(type, "message_stop")) {
		r->finished = r->over = true;
	}
}

const struct api api_anthropic = { .url = "https://api.anthropic.com",
	.path = "/v1/messages",
	.key_header = "x-api-key: ",
	.more_header = "anthropic-version: 2023-06-01",
	.request = request,
	.on_value = on_value };
