/* reply.c - see reply.h: form, errors, verdict. */
#include "robot/reply.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MARK_BYTES = 3 };

static void on_event(void *arg, bool is_error, const char *data, size_t n);

void
reply_init(struct reply *r, reply_value *on_value, uint32_t limit_bytes)
{
	*r = (struct reply){ .on_value = on_value, .tokens_in = -1, .tokens_out = -1 };
	sse_init(&r->sse, limit_bytes, on_event, r);
	r->flow.limit = limit_bytes;
	buf_init(&r->text, limit_bytes);
}

void
reply_reset(struct reply *r)
{
	struct json_tokener *parser;

	sse_release(&r->sse);
	json_flow_reset(&r->flow);
	buf_release(&r->text);
	parser = r->flow.tokener;
	reply_init(r, r->on_value, r->text.limit);
	r->flow.tokener = parser;
}

void
reply_release(struct reply *r)
{
	sse_release(&r->sse);
	json_flow_release(&r->flow);
	buf_release(&r->text);
}

void
reply_head(struct reply *r, long status, const char *type)
{
	r->status = status;
	r->is_stream = strncasecmp(type, "text/event-stream", 17) == 0;
}

/* --- errors ---------------------------------------------------------------------------------- */

struct meaning {
	const char *word; /* in lower case */
	enum why why;
};

/* What code or type of an error say; the first word found counts. */
static const struct meaning words_mean[] = { { "insufficient_system_resource", WHY_UNAVAILABLE },
	{ "context_length", WHY_TOO_LONG }, { "exceed_context_size", WHY_TOO_LONG },
	{ "request_too_large", WHY_TOO_LONG }, { "quota", WHY_QUOTA }, { "billing", WHY_QUOTA },
	{ "balance", WHY_QUOTA }, { "rate_limit", WHY_RATE }, { "ratelimit", WHY_RATE },
	{ "slow_down", WHY_RATE }, { "authentication", WHY_KEY }, { "api_key", WHY_KEY },
	{ "permission", WHY_KEY }, { "overloaded", WHY_UNAVAILABLE },
	{ "unavailable", WHY_UNAVAILABLE }, { "server_error", WHY_UNAVAILABLE },
	{ "internal", WHY_UNAVAILABLE }, { "api_error", WHY_UNAVAILABLE },
	{ "timeout", WHY_UNAVAILABLE }, { "not_found", WHY_REFUSED }, { "notfound", WHY_REFUSED },
	{ "invalid", WHY_REFUSED }, { "bad_request", WHY_REFUSED }, { "badrequest", WHY_REFUSED },
	{ "unsupported", WHY_REFUSED } };

/* What the sentence says, where codes are too coarse. */
static const struct meaning message_means[] = { { "context length", WHY_TOO_LONG },
	{ "context size", WHY_TOO_LONG }, { "context window", WHY_TOO_LONG },
	{ "prompt is too long", WHY_TOO_LONG }, { "maximum context", WHY_TOO_LONG },
	{ "exceeded your current quota", WHY_QUOTA }, { "insufficient balance", WHY_QUOTA },
	{ "moderation", WHY_REFUSED }, { "content policy", WHY_REFUSED },
	{ "content_policy", WHY_REFUSED }, { "credit balance", WHY_QUOTA },
	{ "insufficient quota", WHY_QUOTA } };

static bool
find(const struct meaning *means, size_t n, const char *text, enum why *why)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasestr(text, means[i].word) == NULL)
			continue;
		*why = means[i].why;
		return true;
	}
	return false;
}

static enum why
why_of_status(long status)
{
	if (status == 401 || status == 403)
		return WHY_KEY;
	if (status == 402)
		return WHY_QUOTA;
	if (status == 429)
		return WHY_RATE;
	if (status == 408 || status == 409 || status >= 500)
		return WHY_UNAVAILABLE;
	/* A redirect is a setting to be mended, and never followed. */
	return status >= 300 ? WHY_REFUSED : WHY_BAD_REPLY;
}

enum why
reply_why(long status, const char *words, const char *message)
{
	bool is_error = status >= 400;
	enum why why = is_error ? why_of_status(status) : WHY_UNAVAILABLE, told;

	/* Codes refine a status, sentences refine codes; a status of its own meaning stays. */
	if (find(words_mean, sizeof words_mean / sizeof *words_mean, words, &told) &&
	    (!is_error || told == WHY_QUOTA || told == WHY_TOO_LONG ||
		(why == WHY_REFUSED && told != WHY_REFUSED)))
		why = told;
	if (why != WHY_TOO_LONG &&
	    find(message_means, sizeof message_means / sizeof *message_means, message, &told) &&
	    (told == WHY_QUOTA || why == WHY_REFUSED || !is_error ||
		(told == WHY_REFUSED && why == WHY_KEY)))
		why = told;
	return why;
}

/* Is there a member that says something: no null, false, 0 or ""? */
static bool
is_truthy(struct json_object *o, const char *key)
{
	size_t n;
	int64_t number;

	switch (json_kind(o, key)) {
	case JSON_MISSING:
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return json_true(o, key);
	case JSON_TEXT:
		return json_text(o, key, &n) && n > 0;
	case JSON_NUMBER:
		return !json_whole(o, key, &number) || number != 0;
	case JSON_OBJECT:
	case JSON_LIST:
		return true;
	}
	return false;
}

static bool
is_text(struct json_object *o, const char *key, const char *text)
{
	size_t n;
	const char *s = json_text(o, key, &n);

	return s && n == strlen(text) && memcmp(s, text, n) == 0;
}

static void
add_word(struct json_object *o, const char *key, char *out, size_t size)
{
	size_t n, used = strlen(out);
	const char *s = json_text(o, key, &n);

	if (s && used + 2 < size)
		snprintf(out + used, size - used, "%s%.*s", used ? " " : "", (int)n, s);
}

/* Does the value tell of an error, in one of the shapes of robot-apis, section 3.3? */
static bool
is_error_value(const struct reply *r, struct json_object *o)
{
	return is_truthy(o, "error") || is_text(o, "object", "error") ||
	       is_text(o, "type", "error") ||
	       (r->status >= 400 && (json_has(o, "detail") || json_has(o, "message")));
}

static void
take_error(struct reply *r, struct json_object *o)
{
	struct json_object *e = json_object_member(o, "error");
	char *words = r->words, *says = r->says;
	long status = r->status;
	int64_t code = 0;

	e = e ? e : o;
	add_word(e, "code", words, sizeof r->words);
	add_word(e, "type", words, sizeof r->words);
	add_word(e, "message", says, sizeof r->says);
	add_word(o, "error", says, sizeof r->says);
	add_word(o, "detail", says, sizeof r->says);
	/* A number is the status that it would have had (vLLM, llama.cpp, OpenRouter). */
	if (status < 400 && json_kind(e, "code") == JSON_NUMBER && json_whole(e, "code", &code) &&
	    code >= 400 && code < 600)
		status = (long)code;
	reply_fail(r, reply_why(status, words, says), code);
}

/* --- values ---------------------------------------------------------------------------------- */

static bool
on_value(void *arg, struct json_object *o)
{
	struct reply *r = arg;

	if (!json_is_object(o))
		reply_is_broken(r);
	else if (is_error_value(r, o))
		take_error(r, o);
	else
		r->on_value(r, o);
	r->has_value = true;
	return !r->over;
}

static void
on_event(void *arg, bool is_error, const char *data, size_t n)
{
	struct reply *r = arg;
	struct json_object *o;

	if (n >= 6 && memcmp(data, "[DONE]", 6) == 0) {
		r->finished = r->over = true;
	} else if (!r->unclosed && (o = json_flow_read(&r->flow, data, n)) != NULL) {
		/* What is no object is a heartbeat, like all that is no JSON. */
		if (is_error)
			take_error(r, o);
		else if (json_is_object(o))
			(void)on_value(r, o);
		json_drop(o);
	} else if (!r->unclosed && n && data[0] == '{') {
		reply_is_broken(r); /* a piece is missing: what follows would follow a hole */
	}
	if (r->over)
		sse_stop(&r->sse);
}

/* Events or values? An object is an object whatever the header says, and the other way round.
 * Returns how many blanks come first: they are nothing, however they are cut off. */
static size_t
choose_form(struct reply *r, const char *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	if (i == n)
		return n;
	if (bytes[i] == '{' || bytes[i] == '[')
		r->form = REPLY_VALUES;
	else if (r->is_stream || (bytes[i] && strchr("deir:", bytes[i])))
		r->form = REPLY_EVENTS;
	else
		r->form = REPLY_VALUES;
	return i;
}

/* A mark of byte order may come first, in front of events and values alike (RFC 8259, section 8.1):
 * it is nothing. Returns how many bytes are part of it, or -1: it breaks off. */
static int
take_mark(struct reply *r, const char *bytes, size_t n)
{
	static const char mark[MARK_BYTES + 1] = "\xEF\xBB\xBF";
	int i = 0;

	if (r->n_mark == 0 && n && bytes[0] != mark[0])
		r->n_mark = MARK_BYTES; /* there is none */
	for (; (size_t)i < n && r->n_mark < MARK_BYTES; i++)
		if (bytes[i] != mark[r->n_mark++])
			return -1;
	return i;
}

static int
read_on(struct reply *r, const char *bytes, size_t n)
{
	if (r->form == REPLY_UNKNOWN) {
		int skip = take_mark(r, bytes, n);
		size_t blanks;

		if (skip < 0)
			return -1;
		bytes += skip;
		n -= (size_t)skip;
		blanks = choose_form(r, bytes, n);
		bytes += blanks;
		n -= blanks;
	}
	if (r->form == REPLY_EVENTS)
		return sse_feed(&r->sse, bytes, n);
	if (r->form == REPLY_VALUES)
		return json_flow_feed(&r->flow, bytes, n, on_value, r);
	return 0;
}

enum reply_step
reply_feed(struct reply *r, const char *bytes, size_t n)
{
	if (r->over)
		return REPLY_OVER;
	r->progress = false;
	if (read_on(r, bytes, n))
		reply_is_broken(r);
	if (r->over)
		return REPLY_OVER;
	if (r->finished && !r->whole)
		return REPLY_FINISHED;
	/* Comments before the first event are a queue's, not an answer's (DeepSeek). */
	if (r->form == REPLY_UNKNOWN || (r->form == REPLY_EVENTS && !r->sse.dispatched))
		return REPLY_BLANK;
	return r->progress ? REPLY_PROGRESS : REPLY_TRAFFIC;
}

static bool
is_success(const struct reply *r)
{
	return r->status >= 200 && r->status < 300;
}

static enum why
verdict(const struct reply *r, enum why transport)
{
	if (r->why != WHY_OK)
		return r->why;
	/* The status line may be all there is of an error. */
	if (r->status && !is_success(r))
		return why_of_status(r->status);
	if (r->broken)
		return WHY_BAD_REPLY;
	/* Behind the end of an answer servers forget the last chunk (robot-apis, section 7.6). */
	if (r->finished && !(r->whole && (transport != WHY_OK || r->flow.n)))
		return r->has_said ? WHY_OK : WHY_NO_ANSWER;
	return transport != WHY_OK ? transport : WHY_BAD_REPLY;
}

enum why
reply_end(struct reply *r, enum why transport)
{
	enum why why;

	r->unclosed = true;
	if (r->form == REPLY_EVENTS && !r->over)
		sse_end(&r->sse);
	why = verdict(r, transport);
	if (r->whole && why != WHY_OK)
		buf_cut(&r->text, 0);
	return why;
}

/* --- for APIs -------------------------------------------------------------------------------- */

void
reply_say(struct reply *r, const char *s, size_t n)
{
	/* Errors under another status have codes for us, but no text for the chat. */
	if (n == 0 || !is_success(r))
		return;
	r->progress = r->has_said = true;
	if (buf_add(&r->text, s, n) == 0)
		return;
	/* More at once than the longest answer: whoever takes it on cuts it anyway. */
	n = text_cut_bytes(s, n, r->text.limit - r->text.len);
	(void)buf_add(&r->text, s, n);
	r->finished = r->over = true;
}

void
reply_is_whole(struct reply *r)
{
	/* A second one, or one behind pieces, is nothing that anybody sends. */
	if (r->whole || r->has_said)
		reply_is_broken(r);
	r->whole = r->finished = true;
}

void
reply_is_broken(struct reply *r)
{
	r->broken = r->over = true;
}

void
reply_fail(struct reply *r, enum why why, int64_t code)
{
	r->why = why;
	r->code = code;
	r->over = true;
}

void
reply_tokens(struct json_object *o, const char *key, int64_t *tokens)
{
	int64_t n;

	if (json_kind(o, key) == JSON_NUMBER && json_whole(o, key, &n) && n >= 0)
		*tokens = n;
}
