/* codec_raw.c - whatever has arrived is a message, one send is an answer: the tutorial's client,
 * and datagrams. */
#include "wire/codec_own.h"

#include "base/text.h"

#include <string.h>

#define ELLIPSIS "…"

static enum decode
raw_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	const char *s = buf_head(in);
	size_t n = in->len;
	enum decode got;

	if (edge == EDGE_MORE && n < wire_in_limit(w->limit_bytes))
		return DECODE_PAUSE;
	w->eat = in->len;
	w->lines = true;
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	got = wire_take(w, s, n, false, false, msg);
	if (got != DECODE_GOT)
		wire_done(w, in);
	return got;
}

static int
add_answer(const struct wire *w, const char *text, size_t n, struct buf *out)
{
	if (w->datagram)
		return buf_add(out, text, text_cut_bytes(text, n, WIRE_DGRAM_BYTES));
	if (n <= WIRE_RAW_BYTES)
		return buf_add(out, text, n);
	n = text_cut_bytes(text, n, WIRE_RAW_BYTES - strlen(ELLIPSIS));
	return buf_add(out, text, n) || buf_adds(out, ELLIPSIS);
}

static int
raw_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	(void)msg;
	switch (part) {
	case PART_PIECE:
	case PART_WAIT:
	case PART_PONG:
	case PART_CLOSE:
		return 0;
	case PART_HELLO:
		return buf_add(out, text, n);
	case PART_END:
	case PART_NOTE:
		return add_answer(w, text, n, out);
	case PART_FAIL:
		return buf_adds(out, "ERR ") || buf_add(out, text, n);
	case PART_BYE:
		return buf_adds(out, "BYE ") || buf_add(out, text, n);
	}
	return -1;
}

const struct codec codec_raw = { "raw", raw_decode, raw_encode };
