/* codec_http.c - requests of the web door (request.h): where each ends. What it is, and what the
 * answer is, is not decided here, for a worker's standing is in some of them (worker/visit.c). When
 * one becomes a WebSocket, the chat's codec becomes codec_ws. */
#include "wire/codec.h"

#include "wire/request.h"

/* Bytes of empty lines before the request, which are passed over (RFC 9112 section 2.2): some
 * clients send one behind a body. They stay in the buffer until a request follows, so that the
 * time for it runs. */
static uint32_t
blank_bytes(const struct buf *in)
{
	const char *s = buf_head(in);
	uint32_t n = 0;

	while (n < WIRE_BLANK_BYTES && in->len - n >= 2 && s[n] == '\r' && s[n + 1] == '\n')
		n += 2;
	return n;
}

static enum decode
http_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	uint32_t skip = blank_bytes(in), scanned = w->scanned > skip ? w->scanned - skip : 0;
	int n;

	if (skip == in->len) {
		buf_eat(in, edge == EDGE_END ? in->len : 0);
		return DECODE_MORE;
	}
	n = request_end(buf_head(in) + skip, in->len - skip, &scanned);
	w->scanned = skip + scanned;
	if (n == 0 && edge != EDGE_END)
		return DECODE_MORE;
	/* One that is none is told so, and nothing behind it is believed, or looked at. */
	w->eat = n > 0 ? skip + (uint32_t)n : in->len;
	msg->kind = MSG_REQUEST;
	msg->text = buf_head(in) + skip;
	msg->n_text = n > 0 ? (uint32_t)n : scanned;
	return DECODE_GOT;
}

/* A visitor is told everything by the answer to a request. */
static int
http_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	(void)w;
	(void)part;
	(void)msg;
	(void)text;
	(void)n;
	(void)out;
	return 0;
}

const struct codec codec_http = { "http", http_decode, http_encode };
