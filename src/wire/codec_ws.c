/* codec_ws.c - WebSocket frames (RFC 6455): the objects of `json`, one a text message.
 *
 * Strict, because a browser is at the other end and a proxy may sit between: a frame that is not
 * masked, has a reserved bit or an opcode we do not know, a control frame that is long or in
 * fragments, a length that is not in its shortest form, ends the chat with a close frame that says
 * why; lengths are looked at before anything is done about them. No extension is ever agreed on,
 * permessage-deflate least of all: it would cost a window of 32 KiB a chat.
 *
 * Bytes are unmasked where they lie. While frames of a message come in, `read` runs ahead of
 * frames.got over the buffer, and what is between them (heads, and what was unmasked) goes away
 * once a call, not once a frame: 100,000 frames of a byte cost no more than their bytes.
 *
 * Why no library: wslay, the one that is well kept and has no sockets of its own, keeps what it
 * read of a frame in a private buffer of 4 KiB a chat, and no call hands that out: an idle chat
 * must not hold so much, and a chat in the middle of a frame could not move to another worker. */
#include "wire/codec_own.h"

#include "base/text.h"

#include <string.h>

enum { OP_MORE, OP_TEXT, OP_BINARY, OP_CLOSE = 8, OP_PING, OP_PONG };
enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0F, MASKED = 0x80, LENGTH = 0x7F };
enum { LENGTH_16 = 126, LENGTH_64 = 127, CONTROL_MOST = 125, HEAD_MOST = 10 };
/* What the buffer has to hold besides a message: a head, and a whole control frame. */
enum { ROOM = 256 };

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_LEAVING = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_KIND = 1003,
	CLOSE_NO_CODE = 1005,
	CLOSE_TEXT = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_SIZE = 1009,
};

struct head {
	uint8_t opcode;
	bool is_last;
	uint32_t bytes; /* of the head itself */
	uint64_t left;
	unsigned char mask[4];
};

/* --- heads ----------------------------------------------------------------------------------- */

/* Returns DECODE_GOT, MORE, or BAD: no frame begins so (section 5.2). */
static enum decode
read_head(const unsigned char *s, size_t n, struct head *h)
{
	uint32_t n_length;

	if (n < 2)
		return n && (s[0] & RESERVED) ? DECODE_BAD : DECODE_MORE;
	if ((s[0] & RESERVED) || !(s[1] & MASKED))
		return DECODE_BAD;
	h->opcode = s[0] & OPCODE;
	h->is_last = s[0] & FIN;
	h->left = s[1] & LENGTH;
	if ((h->opcode > OP_BINARY && h->opcode < OP_CLOSE) || h->opcode > OP_PONG ||
	    (h->opcode >= OP_CLOSE && (!h->is_last || h->left > CONTROL_MOST)))
		return DECODE_BAD;
	n_length = h->left == LENGTH_16 ? 2 : h->left == LENGTH_64 ? 8 : 0;
	h->bytes = 2 + n_length + sizeof h->mask;
	if (n_length && n >= 2 + n_length) {
		h->left = 0;
		for (uint32_t i = 0; i < n_length; i++)
			h->left = h->left << 8 | s[2 + i];
		if (h->left >> 63 || h->left < (n_length == 2 ? LENGTH_16 : 1 << 16))
			return DECODE_BAD;
	}
	if (n < h->bytes)
		return DECODE_MORE;
	memcpy(h->mask, s + 2 + n_length, sizeof h->mask);
	return DECODE_GOT;
}

/* Codes that may be sent at all (section 7.4). */
static bool
is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != CLOSE_NO_CODE &&
		   code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

/* --- what comes ------------------------------------------------------------------------------ */

/* What came is of no interest any more. */
static void
forget(struct wire *w, struct buf *in)
{
	w->frames =
	    (struct wire_frames){ .close = w->frames.close, .has_closed = w->frames.has_closed };
	w->eat = w->eat_at = 0;
	buf_eat(in, in->len);
}

/* Close with this code. */
static enum decode
refuse(struct wire *w, struct buf *in, uint16_t code, struct msg *msg)
{
	forget(w, in);
	w->frames.close = code;
	msg->text = "";
	msg->n_text = 0;
	return wire_bad(msg, code == CLOSE_SIZE ? FAIL_TOO_LONG : FAIL_BAD_INPUT, true);
}

static uint32_t
most(const struct wire *w)
{
	return wire_in_limit(w->limit_bytes) - ROOM;
}

/* Unmask what is there of the frame. `*read` is where its next byte is. */
static void
take_payload(struct wire_frames *f, char *s, uint32_t len, uint32_t *read)
{
	uint32_t n = len - *read < f->left ? len - *read : f->left;

	for (uint32_t i = 0; i < n; i++)
		s[f->got + i] =
		    (char)((unsigned char)s[*read + i] ^ f->mask[(f->turn + i) % sizeof f->mask]);
	f->turn = (uint8_t)((f->turn + n) % sizeof f->mask);
	f->got += n;
	f->left -= n;
	*read += n;
}

/* Forget what was read and is not of the message. */
static void
close_gap(struct wire *w, struct buf *in, uint32_t read)
{
	uint32_t got = w->frames.got;

	if (got == 0)
		buf_eat(in, read);
	else if (read > got)
		buf_drop(in, got, read - got);
}

/* The peer's close: answer in kind (section 5.5.1). */
static enum decode
take_close(struct wire *w, struct buf *in, struct msg *msg)
{
	const unsigned char *s = (const unsigned char *)msg->text;
	unsigned code = msg->n_text >= 2 ? (unsigned)(s[0] << 8 | s[1]) : CLOSE_NO_CODE;

	if (msg->n_text == 1 || (msg->n_text && !is_close_code(code)))
		return refuse(w, in, CLOSE_PROTOCOL, msg);
	if (msg->n_text > 2 && !text_is_utf8(msg->text + 2, msg->n_text - 2))
		return refuse(w, in, CLOSE_TEXT, msg);
	w->frames.close = (uint16_t)code;
	msg->kind = MSG_CLOSE;
	return DECODE_GOT;
}

/* A whole control frame stands behind what there is of the message. */
static enum decode
take_control(struct wire *w, struct buf *in, const struct head *h, uint32_t read, struct msg *msg)
{
	uint32_t n = (uint32_t)h->left, got = w->frames.got;
	char *s;

	close_gap(w, in, read + h->bytes);
	s = n ? in->bytes + in->start + got : NULL;
	for (uint32_t i = 0; i < n; i++)
		s[i] = (char)((unsigned char)s[i] ^ h->mask[i % sizeof h->mask]);
	w->eat = n;
	w->eat_at = got;
	msg->text = n ? s : "";
	msg->n_text = n;
	if (h->opcode == OP_CLOSE)
		return take_close(w, in, msg);
	msg->kind = MSG_PING;
	return DECODE_GOT;
}

/* The whole message stands at the head of the buffer. */
static enum decode
take_message(struct wire *w, struct buf *in, struct msg *msg)
{
	uint32_t n = w->frames.got;
	const char *s = buf_head(in);

	w->frames.got = 0;
	w->frames.is_open = false;
	if (!text_is_utf8(s, n))
		return refuse(w, in, CLOSE_TEXT, msg);
	w->eat = n;
	return json_take(w, s, n, msg);
}

/* The head of a data frame. Returns 0, or the code to close with. */
static uint16_t
begin_frame(const struct wire *w, struct wire_frames *f, const struct head *h)
{
	if ((h->opcode == OP_MORE) != f->is_open)
		return CLOSE_PROTOCOL;
	if (h->opcode == OP_BINARY)
		return CLOSE_KIND;
	if (h->left > most(w) || f->got + (uint32_t)h->left > most(w))
		return CLOSE_SIZE;
	f->is_open = f->in_frame = true;
	f->is_last = h->is_last;
	f->left = (uint32_t)h->left;
	f->turn = 0;
	memcpy(f->mask, h->mask, sizeof f->mask);
	return 0;
}

/* Read on from *read up to the next message or control frame. MORE: there is none yet. */
static enum decode
read_on(struct wire *w, struct buf *in, uint32_t *read, struct msg *msg)
{
	struct wire_frames *f = &w->frames;

	while (f->in_frame || *read < in->len) {
		char *s = in->bytes + in->start;
		struct head h;
		enum decode got;
		uint16_t bad;

		if (f->in_frame)
			take_payload(f, s, in->len, read);
		if (f->left)
			return DECODE_MORE;
		if (f->in_frame && f->is_last) {
			close_gap(w, in, *read);
			f->in_frame = false;
			*read = 0;
			return DECODE_GOT;
		}
		f->in_frame = false;
		got = read_head((unsigned char *)s + *read, in->len - *read, &h);
		if (got != DECODE_GOT)
			return got == DECODE_BAD ? refuse(w, in, CLOSE_PROTOCOL, msg) : got;
		if (h.opcode >= OP_CLOSE) {
			if (in->len - *read - h.bytes < h.left)
				return DECODE_MORE;
			got = take_control(w, in, &h, *read, msg);
			*read = f->got;
			if (h.opcode != OP_PONG || got != DECODE_GOT)
				return got;
			/* An answer to a ping that nobody sent. */
			*msg = (struct msg){ .id = "", .text = "" };
			wire_done(w, in);
			continue;
		}
		bad = begin_frame(w, f, &h);
		if (bad)
			return refuse(w, in, bad, msg);
		*read += h.bytes;
	}
	return DECODE_MORE;
}

static enum decode
ws_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg)
{
	for (;;) {
		uint32_t read = w->frames.got;
		enum decode got;

		/* The limit may be another one than it was. */
		if (read > most(w))
			return refuse(w, in, CLOSE_SIZE, msg);
		got = read_on(w, in, &read, msg);
		if (got == DECODE_MORE && edge == EDGE_END)
			forget(w, in);
		else if (got == DECODE_MORE)
			close_gap(w, in, read);
		if (got != DECODE_GOT || msg->kind >= MSG_REQUEST)
			return got;
		if (w->frames.got)
			return take_message(w, in, msg);
		w->frames.is_open = false; /* an empty one says nothing */
	}
}

/* --- what is said ---------------------------------------------------------------------------- */

/* Put the head before what was added from `at` on, behind HEAD_MOST bytes left for it. */
static void
put_head(unsigned opcode, uint32_t at, struct buf *out)
{
	unsigned char *s = (unsigned char *)out->bytes + out->start + at;
	uint64_t n = out->len - at - HEAD_MOST;
	uint32_t n_length = n <= CONTROL_MOST ? 0 : n <= UINT16_MAX ? 2 : 8;
	unsigned char *head = s + HEAD_MOST - 2 - n_length;

	head[0] = (unsigned char)(FIN | opcode);
	head[1] = (unsigned char)(n_length == 0 ? n : n_length == 2 ? LENGTH_16 : LENGTH_64);
	for (uint32_t i = 0; i < n_length; i++)
		head[2 + i] = (unsigned char)(n >> 8 * (n_length - 1 - i));
	if (head > s)
		buf_drop(out, at, (size_t)(head - s));
}

static int
put_frame(unsigned opcode, const void *bytes, size_t n, struct buf *out)
{
	static const char room[HEAD_MOST];
	uint32_t at = out->len;

	if (buf_add(out, room, sizeof room) || buf_add(out, bytes, n))
		return -1;
	put_head(opcode, at, out);
	return 0;
}

/* The first one counts. A close without a code is answered by one without. */
static int
put_close(struct wire *w, uint16_t code, struct buf *out)
{
	uint16_t said = w->frames.close ? w->frames.close : code;
	const unsigned char bytes[2] = { (unsigned char)(said >> 8), (unsigned char)said };

	if (w->frames.has_closed)
		return 0;
	if (put_frame(OP_CLOSE, bytes, said == CLOSE_NO_CODE ? 0 : sizeof bytes, out))
		return -1;
	w->frames.has_closed = true;
	return 0;
}

/* What `json` says as a line, without its newline. */
static int
put_object(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	static const char room[HEAD_MOST];
	uint32_t at = out->len;

	if (part == PART_PIECE && (msg == NULL || !msg->stream))
		return 0;
	if (buf_add(out, room, sizeof room) || codec_json.encode(w, part, msg, text, n, out))
		return -1;
	buf_cut(out, out->len - 1);
	put_head(OP_TEXT, at, out);
	return 0;
}

/* Why we leave, as a code: "shutdown ..." is 1001, the other reasons are the peer's doing. */
static uint16_t
code_of(const char *reason, size_t n)
{
	return n >= 8 && memcmp(reason, "shutdown", 8) == 0 ? CLOSE_LEAVING
	       : n >= 4 && memcmp(reason, "idle", 4) == 0   ? CLOSE_NORMAL
							    : CLOSE_POLICY;
}

static int
ws_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out)
{
	switch (part) {
	case PART_PIECE:
	case PART_END:
	case PART_FAIL:
	case PART_NOTE:
	case PART_WAIT:
	case PART_HELLO:
		return w->frames.close ? 0 : put_object(w, part, msg, text, n, out);
	case PART_BYE:
		return w->frames.close ? 0
				       : put_object(w, part, msg, text, n, out) ||
					     put_close(w, code_of(text, n), out);
	case PART_PONG:
		return w->frames.close ? 0 : put_frame(OP_PONG, text, n, out);
	case PART_CLOSE:
		return put_close(w, CLOSE_NORMAL, out);
	}
	return -1;
}

const struct codec codec_ws = { "ws", ws_decode, ws_encode };
