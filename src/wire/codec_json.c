/* codec_json.c - one object a line (RFC 8259), both ways: scripts and programs. */
#include "wire/codec_own.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>

/* The member `user`, if there is one. Returns false when it is none. */
static bool
take_user(struct wire *w, struct json_object *o)
{
	size_t n;
	const char *user = json_text(o, "user", &n);

	if (user == NULL)
		return !json_has(o, "user");
	if (n == 0)
		return true;
	if (!text_is_utf8(user, n) || memmem(user, n, "\0", 1))
		return false;
	return wire_set_user(w, user, n);
}

/* A whole number that 64 bits do not hold would come back as another one. */
static bool
is_clamped(struct json_object *o)
{
	int64_t id;

	return json_kind(o, "id") == JSON_NUMBER && json_whole(o, "id", &id) &&
	       (id == INT64_MAX || id == INT64_MIN);
}

static enum decode
take_object(struct wire *w, struct json_object *o, struct msg *msg)
{
	const char *text;
	size_t n = 0;

	msg->id = json_scalar(o, "id", &msg->n_id);
	if (msg->n_id > WIRE_ID_BYTES || (msg->n_id == 0 && json_has(o, "id")) || is_clamped(o)) {
		msg->n_id = 0;
		return wire_bad(msg, FAIL_BAD_INPUT, false);
	}
	msg->stream = json_true(o, "stream");
	text = json_text(o, "text", &n);
	if (text == NULL || n == 0 || memchr(text, '\0', n) || !take_user(w, o))
		return wire_bad(msg, FAIL_BAD_INPUT, false);
	if (!text_is_utf8(text, n))
		return wire_bad(msg, FAIL_BAD_UTF8, false);
	/* To a program all text is text; who passes on what a person typed may ask for more. */
	if (json_true(o, "commands") && wire_command(text, n, true, msg))
		return DECODE_GOT;
	if (n > wire_text_limit(w))
		return wire_bad(msg, FAIL_TOO_LONG, false);
	if (w->n_user == 0)
		return wire_bad(msg, FAIL_NO_USER, false);
	msg->text = text;
	msg->n_text = n;
	return DECODE_GOT;
}

enum decode
json_take(struct wire *w, const char *s, size_t n, struct msg *msg)
{
	if (!text_is_utf8(s, n))
		return wire_bad(msg, FAIL_BAD_UTF8, false);
	w->tree = json_read(s, n);
	if (w->tree == NULL || !json_is_object(w->tree))
		return wire_bad(msg, FAIL_BAD_INPUT, false);
	return take_object(w, w->tree, msg);
}

/* Bad lines are dropped with the next wire_done(): the message's id is in the tree. */
static enum decode
json_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	const char *s = "";
	size_t n = 0;

	while (n == 0) {
		enum decode got = DECODE_MORE;

		wire_done(w, in);
		if (in->len)
			got = wire_line(w, in, edge, &s, &n, msg);
		if (got != DECODE_GOT)
			return got;
	}
	return json_take(w, s, n, msg);
}

/* `{` and the id, ready for the next member. */
static int
begin(const struct msg *msg, struct buf *out)
{
	if (buf_adds(out, "{"))
		return -1;
	if (msg == NULL || msg->n_id == 0)
		return 0;
	return buf_adds(out, "\"id\":") || buf_add(out, msg->id, msg->n_id) || buf_adds(out, ",");
}

static int
member(const char *key, const char *text, size_t n, struct buf *out)
{
	return buf_addf(out, "\"%s\":", key) || json_write(text, n, out);
}

/* "WORD SENTENCE" as an object of two members. */
static int
notice(const char *name, const char *word_key, const char *text, size_t n, struct buf *out)
{
	const char *blank = memchr(text, ' ', n);
	size_t n_word = blank ? (size_t)(blank - text) : n, skip = blank ? n_word + 1 : n;

	return buf_addf(out, "\"%s\":{", name) || member(word_key, text, n_word, out) ||
	       buf_adds(out, ",") || member("message", text + skip, n - skip, out) ||
	       buf_adds(out, "}}\n");
}

static int
answer(const struct msg *msg, const char *text, size_t n, struct buf *out)
{
	if (begin(msg, out))
		return -1;
	if (msg && msg->robot &&
	    (member("robot", msg->robot, strlen(msg->robot), out) || buf_adds(out, ",")))
		return -1;
	return member("text", text, n, out) || buf_adds(out, "}\n");
}

static int
json_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	(void)w;
	switch (part) {
	case PART_PIECE:
		if (msg == NULL || !msg->stream)
			return 0;
		return begin(msg, out) || member("piece", text, n, out) || buf_adds(out, "}\n");
	case PART_END:
	case PART_NOTE:
		return answer(msg, text, n, out);
	case PART_WAIT:
		return begin(msg, out) || member("notice", text, n, out) || buf_adds(out, "}\n");
	case PART_FAIL:
		return begin(msg, out) || notice("error", "code", text, n, out);
	case PART_BYE:
		return buf_adds(out, "{") || notice("bye", "reason", text, n, out);
	case PART_HELLO: /* one who speaks json was greeted before that was known */
		return buf_adds(out, "{") || member("greeting", text, n, out) ||
		       buf_adds(out, "}\n");
	case PART_PONG:
	case PART_CLOSE:
		return 0;
	}
	return -1;
}

const struct codec codec_json = { "json", json_decode, json_encode };
