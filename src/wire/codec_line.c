/* codec_line.c - `user::text\n` in, lines out: nc, telnet, a person at a keyboard. */
#include "wire/codec.h"

#include <string.h>

enum { IAC = 0xFF, SE = 240, SB = 250, WILL = 251, DONT = 254 };

/* Length of the telnet commands (RFC 854) that s begins with. Their option is a small number, which
 * tells them from the bytes of a text in another encoding. */
static size_t
telnet_length(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i = 0;

	while (i + 1 < n && u[i] == IAC && u[i + 1] >= SE && u[i + 1] < IAC) {
		if (u[i + 1] == SB) {
			const char *end = memmem(s + i, n - i, "\xFF\xF0", 2);

			if (end == NULL)
				return i;
			i = (size_t)(end - s) + 2;
		} else if (u[i + 1] < WILL) {
			i += 2;
		} else if (i + 2 < n && u[i + 2] < 0x80) {
			i += 3;
		} else {
			return i;
		}
	}
	return i;
}

static enum decode
line_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	for (;;) {
		enum decode got = DECODE_MORE;
		const char *s;
		size_t n, skip;

		if (in->len)
			got = wire_line(w, in, edge, &s, &n, msg);
		if (got != DECODE_GOT)
			return got;
		skip = telnet_length(s, n);
		got = wire_take(w, s + skip, n - skip, true, true, msg);
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
	}
	return -1;
}

const struct codec codec_line = { "line", line_decode, line_encode };
