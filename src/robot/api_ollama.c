/* api_ollama.c - Ollama's native chat: one object a line, the last one says done.
 * Source: robot-apis, section 4. */
#include "robot/api.h"

static void
request(const struct api_question *q, struct buf *body)
{
	(void)buf_adds(body, "{");
	api_chat_members(q, true, body);
	if (q->conf->max_tokens)
		(void)buf_addf(
		    body, ",\"options\":{\"num_predict\":%lld}", (long long)q->conf->max_tokens);
	(void)buf_adds(body, "}");
}

static void
on_value(struct reply *r, struct json_object *o)
{
	struct json_object *message = json_object_member(o, "message");
	bool done = json_true(o, "done"), alone = done && !r->has_value;
	size_t n;
	const char *s = json_text(message, "content", &n);

	if ((message == NULL && !done) ||
	    (s == NULL && json_kind(message, "content") > JSON_NULL)) {
		reply_is_broken(r);
		return;
	}
	/* The first value is the last: the whole answer, as without a stream. */
	if (alone && s && n)
		reply_is_whole(r);
	if (s)
		reply_say(r, s, n);
	r->progress = true; /* thinking, too */
	reply_tokens(o, "prompt_eval_count", &r->tokens_in);
	reply_tokens(o, "eval_count", &r->tokens_out);
	if (done)
		r->finished = true;
	if (done && !r->whole)
		r->over = true;
}

const struct api api_ollama = { .url = "http://127.0.0.1:11434",
	.path = "/api/chat",
	.key_header = "Authorization: Bearer ",
	.request = request,
	.on_value = on_value };
