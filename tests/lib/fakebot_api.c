/* fakebot_api.c - see fakebot_robot.h: what the bodies of each API mean, and what its echo looks
 * like. */
#include "lib/fakebot_robot.h"

#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 20 };

void
fakebot_api_copy(char *to, size_t size, const char *from, size_t n)
{
	n = text_cut_bytes(from, n, size - 1);
	memcpy(to, from, n);
	to[n] = '\0';
}

/* --- what is asked --------------------------------------------------------------------------- */

static int
hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a' + 10) & 15;
}

/* The value of NAME in `a=b&c=d`, percent-decoded. */
static void
form_value(const char *form, size_t n, const char *name, char *to, size_t size)
{
	size_t n_name = strlen(name), used = 0;
	const char *end = form + n, *at = form, *stop;

	for (; at < end; at = stop + 1) {
		stop = memchr(at, '&', (size_t)(end - at));
		stop = stop == NULL ? end : stop;
		if ((size_t)(stop - at) > n_name && memcmp(at, name, n_name) == 0 &&
		    at[n_name] == '=')
			break;
	}
	if (at >= end)
		return;
	for (at += n_name + 1; at < stop && used + 1 < size; at++) {
		if (*at == '%' && stop - at > 2) {
			to[used++] = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		} else {
			to[used++] = *at == '+' ? ' ' : *at;
		}
	}
	to[used] = '\0';
}

static void
read_form(struct fakebot_record *r, const char *form, size_t n)
{
	form_value(form, n, "key", r->key, sizeof r->key);
	form_value(form, n, "info", r->info, sizeof r->info);
	form_value(form, n, "userid", r->userid, sizeof r->userid);
}

static void
json_value(struct json_object *o, const char *name, char *to, size_t size)
{
	size_t n;
	const char *text = json_text(o, name, &n);

	if (text != NULL)
		fakebot_api_copy(to, size, text, n);
}

static void
read_turing(struct question *q, struct json_object *o)
{
	struct json_object *who = json_object_member(o, "userInfo"), *said = o;
	struct fakebot_record *r = &q->record;
	bool v2 = who != NULL;

	if (v2) {
		q->api = API_TURING2;
		said = json_object_member(json_object_member(o, "perception"), "inputText");
	}
	json_value(v2 ? who : o, v2 ? "apiKey" : "key", r->key, sizeof r->key);
	json_value(v2 ? who : o, v2 ? "userId" : "userid", r->userid, sizeof r->userid);
	json_value(said, v2 ? "text" : "info", r->info, sizeof r->info);
}

/* Append a member that is text, or a list of parts with text. */
static void
add_content(struct json_object *o, const char *name, struct buf *to)
{
	struct json_object *parts = json_list(o, name);
	const char *text;
	size_t n;

	if ((text = json_text(o, name, &n)) != NULL)
		(void)buf_add(to, text, n);
	for (size_t i = 0; parts != NULL && i < json_list_size(parts); i++)
		if ((text = json_text(json_list_at(parts, i), "text", &n)) != NULL)
			(void)buf_add(to, text, n);
}

static void
move_text(struct buf *from, char *to, size_t size)
{
	if (from->len)
		fakebot_api_copy(to, size, buf_head(from), from->len);
	buf_release(from);
}

static bool
is_of(struct json_object *message, const char *role)
{
	size_t n;
	const char *text = json_text(message, "role", &n);

	return text != NULL && strcmp(text, role) == 0;
}

static void
read_messages(struct fakebot_record *r, struct json_object *list)
{
	struct buf text, history;
	size_t n = json_list_size(list), last = n, n_role;
	struct json_object *m;

	r->n_messages = (int)n;
	buf_init(&text, TEXT_BYTES);
	buf_init(&history, TEXT_BYTES);
	while (last > 0 && !is_of(json_list_at(list, last - 1), "user"))
		last--;
	for (size_t i = 0; i < n; i++) {
		m = json_list_at(list, i);
		if (i + 1 == last) {
			add_content(m, "content", &text);
			move_text(&text, r->info, sizeof r->info);
		} else if (is_of(m, "system")) {
			add_content(m, "content", &text);
			move_text(&text, r->system, sizeof r->system);
		} else if (i < last && json_text(m, "role", &n_role) != NULL) {
			(void)buf_addf(&history, "%s%s:", history.len ? "|" : "",
			    json_text(m, "role", &n_role));
			add_content(m, "content", &history);
		}
	}
	move_text(&history, r->history, sizeof r->history);
}

static void
read_chat(struct question *q, struct json_object *o)
{
	struct fakebot_record *r = &q->record;
	struct json_object *list = json_list(o, "messages");
	struct buf text;

	buf_init(&text, TEXT_BYTES);
	add_content(o, "system", &text);
	move_text(&text, r->system, sizeof r->system);
	if (list != NULL)
		read_messages(r, list);
	json_value(o, "model", r->model, sizeof r->model);
	r->stream = json_has(o, "stream") ? json_true(o, "stream") : q->api == API_OLLAMA;
	q->usage = json_true(json_object_member(o, "stream_options"), "include_usage");
}

static enum api
api_of(const char *path)
{
	static const char *const ends[] = { [API_OPENAI] = "/chat/completions",
		[API_OLLAMA] = "/api/chat",
		[API_ANTHROPIC] = "/v1/messages" };
	size_t n = strlen(path);

	for (enum api api = API_OPENAI; api <= API_ANTHROPIC; api++)
		if (n >= strlen(ends[api]) && strcmp(path + n - strlen(ends[api]), ends[api]) == 0)
			return api;
	return API_TURING;
}

void
fakebot_api_read(
    struct question *q, const char *query, size_t n_query, const char *body, size_t n_body)
{
	struct json_object *o = n_body ? json_read(body, n_body) : NULL;

	q->api = api_of(q->record.path);
	if (q->api != API_TURING) {
		read_chat(q, o);
	} else {
		read_form(&q->record, query, n_query);
		if (o != NULL)
			read_turing(q, o);
		else
			read_form(&q->record, body, n_body);
	}
	json_drop(o);
}

/* --- the echo -------------------------------------------------------------------------------- */

/* Templates: $T is the echo, $A and $B its halves, $M the model (all as JSON), $N the number of
 * messages, $S that and two. A form feed is where a piece ends. */
struct shape {
	const char *whole;
	const char *stream_type, *stream; /* NULL: has none */
	const char *usage;                /* behind the stream, for those who ask */
	const char *end;
};

/* clang-format off */
#define CHUNK(rest) \
	"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1750271648," \
	"\"model\":$M,\"choices\":[" rest "}\n\n\f"
#define DELTA(delta, reason) \
	CHUNK("{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" reason "}]")
#define USAGE "\"usage\":{\"prompt_tokens\":$N,\"completion_tokens\":2,\"total_tokens\":$S}"
#define LINE(text, rest) \
	"{\"model\":$M,\"created_at\":\"2025-06-18T18:34:08Z\",\"message\":" \
	"{\"role\":\"assistant\",\"content\":" text "}," rest "}\n"
#define LINE_END \
	"\"done\":true,\"done_reason\":\"stop\",\"total_duration\":4883583458," \
	"\"prompt_eval_count\":$N,\"eval_count\":2"
#define EVENT(name, rest) "event: " name "\ndata: {\"type\":\"" name "\"" rest "}\n\n"
#define TEXT_DELTA(text) \
	EVENT("content_block_delta", \
	    ",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" text "}")

static const struct shape shapes[] = {
	[API_TURING] = { .whole = "{\"code\":100000,\"text\":$T}" },
	[API_TURING2] = {
		.whole = "{\"intent\":{\"code\":10004},\"results\":[{\"groupType\":0,"
		    "\"resultType\":\"text\",\"values\":{\"text\":$T}}]}",
	},
	[API_OPENAI] = {
		.whole = "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1750271648,"
		    "\"model\":$M,\"choices\":[{\"index\":0,\"message\":{\"role\":"
		    "\"assistant\",\"content\":$T},\"finish_reason\":\"stop\"}]," USAGE "}",
		.stream_type = "text/event-stream",
		.stream = DELTA("\"role\":\"assistant\",\"content\":\"\"", "null")
		    DELTA("\"content\":$A", "null")
		    DELTA("\"content\":$B", "null")
		    DELTA("", "\"stop\""),
		.usage = CHUNK("]," USAGE),
		.end = "data: [DONE]\n\n",
	},
	[API_OLLAMA] = {
		.whole = LINE("$T", LINE_END),
		.stream_type = "application/x-ndjson",
		.stream = LINE("$A", "\"done\":false") "\f"
		    LINE("$B", "\"done\":false") "\f",
		.end = LINE("\"\"", LINE_END),
	},
	[API_ANTHROPIC] = {
		.whole = "{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\","
		    "\"content\":[{\"type\":\"text\",\"text\":$T}],\"model\":$M,"
		    "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":"
		    "{\"input_tokens\":$N,\"output_tokens\":2}}",
		.stream_type = "text/event-stream",
		.stream = EVENT("message_start",
		    ",\"message\":{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\","
		    "\"content\":[],\"model\":$M,\"stop_reason\":null,\"usage\":"
		    "{\"input_tokens\":$N,\"output_tokens\":1}}") "\f"
		    EVENT("content_block_start",
		    ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}") "\f"
		    EVENT("ping", "") "\f"
		    TEXT_DELTA("$A") "\f"
		    TEXT_DELTA("$B") "\f"
		    EVENT("content_block_stop", ",\"index\":0") "\f"
		    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\","
		    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}") "\f",
		.end = EVENT("message_stop", ""),
	},
};
/* clang-format on */

static void
fill(const char *template, const struct fakebot_record *r, const char *text, struct buf *out)
{
	size_t n = strlen(text), half = text_cut_bytes(text, n, n / 2), plain;

	for (;; template += 2) {
		plain = strcspn(template, "$");
		(void)buf_add(out, template, plain);
		template += plain;
		if (*template == '\0')
			return;
		if (template[1] == 'T')
			(void)json_write(text, n, out);
		else if (template[1] == 'A')
			(void)json_write(text, half, out);
		else if (template[1] == 'B')
			(void)json_write(text + half, n - half, out);
		else if (template[1] == 'M')
			(void)json_write(r->model, strlen(r->model), out);
		else
			(void)buf_addf(out, "%d", r->n_messages + (template[1] == 'S' ? 2 : 0));
	}
}

const char *
fakebot_api_echo(const struct question *q, bool name_key, bool *streams, struct buf *out)
{
	const struct shape *shape = &shapes[q->api];
	const struct fakebot_record *r = &q->record;
	size_t n_key = strlen(r->key);
	char text[600];

	snprintf(text, sizeof text, "echo:%s%s%s", r->info, name_key ? " by " : "",
	    name_key && n_key >= 2 ? r->key + n_key - 2 : "");
	*streams = r->stream && shape->stream != NULL;
	fill(*streams ? shape->stream : shape->whole, r, text, out);
	if (*streams && q->usage && shape->usage != NULL)
		fill(shape->usage, r, text, out);
	if (*streams)
		fill(shape->end, r, text, out);
	return *streams ? shape->stream_type : "application/json; charset=utf-8";
}
