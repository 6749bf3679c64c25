/* codec.c - see codec.h: which dialect it is, and what the dialects share. */
#include "wire/codec_own.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>

enum { TEXT_MOST = 1 << 20, SLACK = 4096, TLS_HANDSHAKE = 0x16, TLS_MAJOR = 0x03, IAC = 0xFF };

uint32_t
wire_text_limit(const struct wire *w)
{
	return w->limit_bytes ? w->limit_bytes : TEXT_MOST;
}

void
wire_init(struct wire *w, uint32_t limit_bytes)
{
	memset(w, 0, sizeof *w);
	w->limit_bytes = limit_bytes;
}

/* JSON may spell a byte of text with six bytes. */
uint32_t
wire_in_limit(uint32_t limit_bytes)
{
	uint32_t message = 6 * (limit_bytes ? limit_bytes : TEXT_MOST) + SLACK;
	uint32_t request = WIRE_BLANK_BYTES + WIRE_HEAD_BYTES;

	return message > request ? message : request;
}

void
wire_done(struct wire *w, struct buf *in)
{
	if (w->tree)
		json_drop(w->tree);
	w->tree = NULL;
	if (w->eat) {
		if (w->eat_at)
			buf_drop(in, w->eat_at, w->eat);
		else
			buf_eat(in, w->eat);
		w->scanned = 0;
		w->plain = w->plain > w->eat ? w->plain - w->eat : 0;
	}
	w->eat = w->eat_at = 0;
}

enum decode
wire_bad(struct msg *msg, enum fail fail, bool fatal)
{
	msg->fail = fail;
	msg->fatal = fatal;
	return DECODE_BAD;
}

/* --- whose bytes are these? ------------------------------------------------------------------ */

/* METHOD SP target SP HTTP/d (RFC 9112 section 3). */
static bool
is_request_line(const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n), *blank, *version;
	size_t i = 0;

	n = end ? (size_t)(end - s) : n;
	while (i < n && s[i] >= 'A' && s[i] <= 'Z')
		i++;
	if (i == 0 || i >= n || s[i] != ' ')
		return false;
	blank = memchr(s + i + 1, ' ', n - i - 1);
	version = blank ? blank + 1 : NULL;
	return version && n - (size_t)(version - s) >= 8 && memcmp(version, "HTTP/", 5) == 0 &&
	       version[5] >= '0' && version[5] <= '9';
}

enum decode
wire_refuse_foreign(struct wire *w, struct buf *in, size_t n, struct msg *msg)
{
	const char *s = buf_head(in);
	bool is_tls = n >= 2 && s[0] == TLS_HANDSHAKE && s[1] == TLS_MAJOR;

	if (w->lines || !(is_tls || is_request_line(s, n)))
		return DECODE_GOT;
	buf_eat(in, in->len);
	return wire_bad(msg, FAIL_BAD_INPUT, true);
}

/* Could all of it be `user::text` of a program that sends no newlines? */
static bool
is_raw(const char *s, size_t n)
{
	const char *colons = memmem(s, n, "::", 2);

	return colons && colons > s && colons - s <= WIRE_NAME_BYTES;
}

/* Decide, or say that it is too early. */
static enum decode
sniff(struct wire *w, const struct buf *in, enum edge edge)
{
	const char *s = buf_head(in);
	bool is_first = w->first == 0;

	if (is_first)
		w->first = in->len;
	if (s[0] == '{')
		w->codec = &codec_json;
	else if ((unsigned char)s[0] == IAC || memchr(s, '\n', in->len) || in->len > w->first)
		w->codec = &codec_line;
	else if (!is_raw(s, in->len) || edge == EDGE_END)
		w->codec = &codec_line;
	else if (edge == EDGE_QUIET)
		w->codec = &codec_raw;
	else
		return DECODE_PAUSE;
	return DECODE_GOT;
}

/* The door said so, nothing is to be found out. */
static bool
is_web(const struct wire *w)
{
	return w->codec == &codec_http || w->codec == &codec_ws;
}

enum decode
wire_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	*msg = (struct msg){ .id = "", .text = "" };
	if (edge == EDGE_DATAGRAM) {
		w->codec = &codec_raw;
		w->datagram = true;
	}
	if (in->len == 0)
		return DECODE_MORE;
	if (is_web(w))
		return w->codec->decode(w, in, edge, msg);
	if (wire_refuse_foreign(w, in, in->len, msg) == DECODE_BAD)
		return DECODE_BAD;
	if (w->codec == NULL && sniff(w, in, edge) == DECODE_PAUSE)
		return DECODE_PAUSE;
	return w->codec->decode(w, in, edge, msg);
}

int
wire_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	const struct codec *codec = w->codec ? w->codec : &codec_line;
	uint32_t before = out->len;
	bool mid_line = w->mid_line;

	if (codec->encode(w, part, msg, text, n, out) == 0)
		return 0;
	buf_cut(out, before);
	w->mid_line = mid_line;
	return -1;
}

/* --- lines ----------------------------------------------------------------------------------- */

enum decode
wire_line(
    struct wire *w, struct buf *in, enum edge edge, const char **s, size_t *n, struct msg *msg)
{
	const char *head = buf_head(in), *end;

	end = memchr(head + w->scanned, '\n', in->len - w->scanned);
	if (end == NULL && edge != EDGE_END) {
		w->scanned = in->len;
		if (in->len < wire_in_limit(w->limit_bytes))
			return DECODE_MORE;
		/* A line of several times the limit is no line of a chat. */
		w->scanned = 0;
		buf_eat(in, in->len);
		return wire_bad(msg, FAIL_TOO_LONG, true);
	}
	*n = end ? (size_t)(end - head) : in->len;
	w->eat = (uint32_t)*n + (end ? 1 : 0);
	w->lines = true;
	*s = head;
	if (*n && head[*n - 1] == '\r')
		--*n;
	return DECODE_GOT;
}

/* --- user::text ------------------------------------------------------------------------------ */

bool
wire_set_user(struct wire *w, const char *s, size_t n)
{
	if (n == 0 || n > WIRE_NAME_BYTES)
		return false;
	memcpy(w->user, s, n);
	w->n_user = (uint8_t)n;
	return true;
}

static bool
is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ' && (s[i] < '\t' || s[i] > '\r'))
			return false;
	return true;
}

/* White space of Unicode (its property White_Space); the full-width blank is one in Chinese. */
static bool
is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
	       c == 0x205F || c == 0x3000;
}

/* s is UTF-8. */
static bool
has_blank(const char *s, size_t n)
{
	uint32_t c = 0;
	int len;

	for (size_t i = 0; i < n; i += (size_t)len) {
		len = text_char(s + i, n - i, &c);
		if (len <= 0 || is_space(c))
			return true;
	}
	return false;
}

static bool
is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(s, word, n) == 0;
}

bool
wire_command(const char *s, size_t n, bool commands, struct msg *msg)
{
	if (is(s, n, "exit"))
		msg->kind = MSG_EXIT;
	else if (commands && is(s, n, "/help"))
		msg->kind = MSG_HELP;
	else if (commands && is(s, n, "/forget"))
		msg->kind = MSG_FORGET;
	else if (commands && n >= 6 && memcmp(s, "/robot", 6) == 0 && (n == 6 || s[6] == ' '))
		msg->kind = MSG_ROBOT;
	else
		return false;
	if (msg->kind != MSG_ROBOT)
		return true;
	for (s += 6, n -= 6; n && *s == ' '; s++)
		n--;
	while (n && s[n - 1] == ' ')
		n--;
	msg->text = s;
	msg->n_text = n;
	return true;
}

enum decode
wire_take(struct wire *w, const char *s, size_t n, bool commands, bool strict, struct msg *msg)
{
	const char *colons = n ? memmem(s, n, "::", 2) : NULL;
	size_t n_name = colons ? (size_t)(colons - s) : 0;

	if (n && memchr(s, '\0', n))
		return wire_bad(msg, FAIL_BAD_INPUT, false);
	if (!text_is_utf8(s, n))
		return wire_bad(msg, FAIL_BAD_UTF8, false);
	if (colons && !(strict && has_blank(s, n_name)) && wire_set_user(w, s, n_name)) {
		s = colons + 2;
		n -= n_name + 2;
	}
	if (is_blank(s, n))
		return DECODE_MORE;
	if (wire_command(s, n, commands, msg))
		return DECODE_GOT;
	if (n > wire_text_limit(w))
		return wire_bad(msg, FAIL_TOO_LONG, false);
	if (w->n_user == 0)
		return wire_bad(msg, FAIL_NO_USER, false);
	msg->text = s;
	msg->n_text = n;
	return DECODE_GOT;
}
