/* api_openai.c - chat completions as OpenAI made them and everybody serves them.
 * Sources: robot-apis, section 3 and its tables of what really occurs. Members may be missing, null
 * or of another type everywhere; what means nothing is passed over, what contradicts an answer (a
 * number for text, a whole reply without choices) breaks it. */
#include "robot/api.h"

#include <string.h>

enum { MOST_CHOICES = 1000 };

static void
request(const struct api_question *q, struct buf *body)
{
	const struct conf_robot *c = q->conf;
	bool completion = c->max_tokens_name == CONF_MAX_COMPLETION_TOKENS;

	if (q->without & API_OTHER_MAX_TOKENS)
		completion = !completion;
	(void)buf_adds(body, "{");
	api_chat_members(q, true, body);
	if (c->stream && c->stream_usage && !(q->without & API_NO_STREAM_OPTIONS))
		(void)buf_adds(body, ",\"stream_options\":{\"include_usage\":true}");
	if (c->max_tokens && !(q->without & API_NO_MAX_TOKENS))
		(void)buf_addf(body, ",\"%s\":%lld",
		    completion ? "max_completion_tokens" : "max_tokens", (long long)c->max_tokens);
	(void)buf_adds(body, "}");
}

static void
take_usage(struct reply *r, struct json_object *usage)
{
	reply_tokens(usage, "prompt_tokens", &r->tokens_in);
	reply_tokens(usage, "completion_tokens", &r->tokens_out);
}

/* Mistral's reasoning models send a list of parts; those of type text are the answer. */
static void
say_parts(struct reply *r, struct json_object *list)
{
	for (size_t i = 0; i < json_list_size(list); i++) {
		struct json_object *part = json_list_at(list, i);
		size_t n, n_type;
		const char *type = json_text(part, "type", &n_type);
		const char *text = json_text(part, "text", &n);

		r->progress = true;
		if (text && (type == NULL || strcmp(type, "text") == 0))
			reply_say(r, text, n);
	}
}

static bool
has_text(struct json_object *o, const char *key)
{
	size_t n;

	return json_text(o, key, &n) && n > 0;
}

/* Signs that the robot works on it, without being answer. */
static bool
is_at_work(struct json_object *o)
{
	return has_text(o, "reasoning_content") || has_text(o, "reasoning") ||
	       json_kind(o, "tool_calls") == JSON_LIST ||
	       json_kind(o, "function_call") == JSON_OBJECT;
}

/* `message` of a whole reply or `delta` of a chunk. */
static void
say_content(struct reply *r, struct json_object *o, bool whole)
{
	enum json_kind kind = json_kind(o, "content");
	size_t n;
	const char *s;

	r->progress = r->progress || is_at_work(o);
	if (kind == JSON_TEXT) {
		s = json_text(o, "content", &n);
		reply_say(r, s, n);
	} else if (kind == JSON_LIST) {
		say_parts(r, json_list(o, "content"));
	} else if (kind != JSON_NULL && kind != JSON_MISSING) {
		reply_is_broken(r);
	} else if (has_text(o, "refusal")) {
		s = json_text(o, "refusal", &n);
		reply_say(r, s, n);
	} else if (whole && kind == JSON_MISSING && !is_at_work(o)) {
		reply_is_broken(r);
	}
}

static void
take_reason(struct reply *r, struct json_object *choice)
{
	size_t n;
	const char *reason = json_text(choice, "finish_reason", &n);

	if (reason == NULL || n == 0)
		return;
	/* Cut off by the server's trouble: no answer, robot-apis 3. */
	if (strcmp(reason, "insufficient_system_resource") == 0 || strcmp(reason, "error") == 0)
		reply_fail(r, WHY_UNAVAILABLE, 0);
	r->finished = true;
}

/* Of several answers (`n` in `extra`) the first is ours. The last chunk of some streams repeats the
 * whole answer as a message. */
static void
take_choice(struct reply *r, struct json_object *choice)
{
	struct json_object *message = json_object_member(choice, "message"),
			   *delta = json_object_member(choice, "delta");
	int64_t index = 0;

	if (json_whole(choice, "index", &index) && index > 0 && index < MOST_CHOICES)
		return;
	take_usage(r, json_object_member(choice, "usage"));
	if (message && delta == NULL && (r->whole || !r->has_said)) {
		reply_is_whole(r);
		say_content(r, message, true);
	} else if (message == NULL && r->form == REPLY_VALUES &&
		   json_kind(choice, "delta") == JSON_MISSING) {
		reply_is_broken(r);
	} else {
		say_content(r, delta, false);
	}
	take_reason(r, choice);
}

static void
on_value(struct reply *r, struct json_object *o)
{
	struct json_object *choices = json_list(o, "choices");

	take_usage(r, json_object_member(o, "usage"));
	if (choices == NULL || json_list_size(choices) == 0) {
		/* Between chunks that is an account or a heartbeat; alone it is no reply. */
		if (r->form == REPLY_VALUES && !r->has_said && !r->finished)
			reply_is_broken(r);
		return;
	}
	for (size_t i = 0; i < json_list_size(choices) && !r->over; i++)
		take_choice(r, json_list_at(choices, i));
}

const struct api api_openai = { .url = "https://api.openai.com/v1",
	.path = "/chat/completions",
	.key_header = "Authorization: Bearer ",
	.can_leave_out = API_NO_STREAM_OPTIONS | API_OTHER_MAX_TOKENS | API_NO_MAX_TOKENS,
	.request = request,
	.on_value = on_value };
