/* codec_line.c - `user::text\n` in, lines out: nc, telnet, a person at a keyboard. */
#include "wire/codec_own.h"

#include <string.h>

enum { IAC = 0xFF, SE = 240, SB = 250, WILL = 251, SB_BYTES = 1024 };

/* Length of the telnet command (RFC 854) that s begins with (n >= 1, s[0] is IAC); 0: it is none,
 * so the byte is one of a text in another encoding; -1: it is cut off by the end of s. Options are
 * small numbers, and none is an end of line; in the middle of a line they are told from text by
 * being a control character, too. */
static int
telnet_length(const char *s, size_t n, bool at_start)
{
	const unsigned char *u = (const unsigned char *)s, least = at_start ? 0x80 : 0x20;
	const char *end;

	if (n < 2)
		return -1;
	if (u[1] < SE || u[1] == IAC)
		return 0;
	if (u[1] == SB) {
		end = memmem(s, n, "\xFF\xF0", 2);
		return end ? (int)(end - s) + 2 : n < SB_BYTES ? -1 : 0;
	}
	if (u[1] < WILL)
		return 2;
	if (n < 3)
		return -1;
	return u[2] < least && u[2] != '\n' && u[2] != '\r' ? 3 : 0;
}

/* Take telnet commands out of the bytes not looked at yet, before anybody looks for an end of line:
 * their parameters may hold one. What was looked at is not again: the bytes around a command may
 * look like one together. Returns how many bytes may be looked at. */
static uint32_t
strip_telnet(const struct wire *w, struct buf *in)
{
	uint32_t at = w->plain;

	while (at < in->len) {
		const char *head = buf_head(in), *iac = memchr(head + at, IAC, in->len - at);
		int n;

		if (iac == NULL)
			break;
		at = (uint32_t)(iac - head);
		n = telnet_length(iac, in->len - at, at == 0 || iac[-1] == '\n');
		if (n < 0)
			return at;
		if (n == 0)
			at++;
		else
			buf_drop(in, at, (size_t)n);
	}
	return in->len;
}

static enum decode
line_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	for (;;) {
		uint32_t n_plain = w->plain = strip_telnet(w, in);
		enum decode got = DECODE_MORE;
		const char *s;
		size_t n;

		/* Telnet is no disguise. */
		if (wire_refuse_foreign(w, in, n_plain, msg) == DECODE_BAD)
			return DECODE_BAD;
		/* Half a command at the end waits for its other half, unless nothing comes. */
		if (in->len &&
		    (n_plain == in->len || edge == EDGE_END || memchr(buf_head(in), '\n', n_plain)))
			got = wire_line(w, in, edge, &s, &n, msg);
		if (got != DECODE_GOT)
			return got;
		got = wire_take(w, s, n, true, true, msg);
		if (got == DECODE_GOT)
			return got;
		wire_done(w, in);
		if (got == DECODE_BAD)
			return got;
	}
}

/* Whatever else is said begins a line of its own. */
static int
end_line(struct wire *w, struct buf *out)
{
	if (!w->mid_line)
		return 0;
	w->mid_line = false;
	return buf_adds(out, "\n");
}

static int
line_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	(void)msg;
	switch (part) {
	case PART_PIECE:
		w->mid_line = true;
		return buf_add(out, text, n);
	case PART_END:
		w->mid_line = false;
		return buf_adds(out, "\n");
	case PART_FAIL:
		return end_line(w, out) || buf_adds(out, "ERR ") || buf_add(out, text, n) ||
		       buf_adds(out, "\n");
	case PART_BYE:
		return end_line(w, out) || buf_adds(out, "BYE ") || buf_add(out, text, n) ||
		       buf_adds(out, "\n");
	case PART_NOTE:
	case PART_WAIT:
		return end_line(w, out) || buf_add(out, text, n) || buf_adds(out, "\n");
	case PART_HELLO:
		return buf_add(out, text, n);
	case PART_PONG:
	case PART_CLOSE:
		return 0;
	}
	return -1;
}

const struct codec codec_line = { "line", line_decode, line_encode };
