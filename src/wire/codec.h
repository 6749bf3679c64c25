/* codec.h - bytes <-> messages: the dialects of the chat door and of the web door.
 * For:     conn (streams) and dgram (datagrams).     Callers: worker/, tests, fuzzers.
 * Holds:   pure: no socket, no clock, no global state. A decoder takes at most one message a call.
 *          Texts handed out are UTF-8 (RFC 3629) without NUL and at most limit_bytes long.
 * Memory:  struct wire is embedded; a message borrows from `in` and from the wire until
 *          wire_done(). A wire that holds no message owns nothing. */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include "base/buf.h"
#include "wire/frames.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_NAME_BYTES = 64, WIRE_ID_BYTES = 48, WIRE_RAW_BYTES = 1024, WIRE_DGRAM_BYTES = 1200 };

/* What the transport knows about the bytes in `in`. */
enum edge {
	EDGE_MORE,     /* nothing: more may come at any time */
	EDGE_QUIET,    /* nothing came for timeouts.quiet */
	EDGE_DATAGRAM, /* `in` is one whole datagram */
	EDGE_END,      /* the peer will send no more */
};

enum decode {
	DECODE_GOT,   /* msg is a message */
	DECODE_MORE,  /* `in` holds no whole message yet */
	DECODE_PAUSE, /* it may be whole: call again with EDGE_QUIET once it was quiet */
	DECODE_BAD,   /* msg->fail says what is wrong; the input was dropped; msg->fatal: close */
};

/* Why a message failed. The order is that of the words and sentences in sentence.c. */
enum fail {
	FAIL_NONE,
	FAIL_NO_USER,
	FAIL_TOO_LONG,
	FAIL_BAD_UTF8,
	FAIL_BAD_INPUT,
	FAIL_RATE,
	FAIL_BUSY,
	FAIL_DENIED,
	FAIL_ROBOT_TIMEOUT,
	FAIL_ROBOT_UNAVAILABLE,
	FAIL_ROBOT_BAD_REPLY,
	FAIL_ROBOT_REFUSED,
	FAIL_COUNT
};

enum bye { BYE_IDLE, BYE_SHUTDOWN, BYE_SLOW_READER, BYE_LIMIT, BYE_COUNT };

/* From MSG_REQUEST on they are the web door's own: answered at once, never asked of a robot. */
enum msg_kind {
	MSG_TEXT,
	MSG_EXIT,
	MSG_HELP,
	MSG_FORGET,
	MSG_ROBOT,
	MSG_REQUEST, /* http: text is the whole head, or what makes sure that it will be none */
	MSG_PING,    /* ws: text is to be sent back with PART_PONG */
	MSG_CLOSE,   /* ws: the peer leaves */
};

struct msg {
	enum msg_kind kind;
	const char *text; /* of MSG_TEXT the question, of MSG_ROBOT the name ("" lists) */
	size_t n_text;
	const char *id; /* json: the id as JSON text, "" without one */
	size_t n_id;
	bool stream;       /* json: pieces are wanted */
	const char *robot; /* of an answer: who gave it, NUL-terminated; NULL: xiaotu itself */
	enum fail fail;
	bool fatal;
};

/* The state of one chat's dialect. Zeroed is fresh; wire_init() sets the limits. */
struct wire {
	const struct codec *codec; /* NULL until the first bytes decided */
	uint32_t limit_bytes;      /* of a message's text */
	uint32_t eat;              /* bytes of `in` that the last message borrows */
	uint32_t eat_at;           /* and where they begin */
	uint32_t scanned;          /* bytes of `in` without a newline so far */
	uint32_t plain;            /* `line`: bytes of `in` without a telnet command any more */
	uint32_t first;            /* bytes of the very first read; 0: none yet */
	uint8_t n_user;
	bool lines;    /* a line was taken: request lines are looked for before only */
	bool mid_line; /* `line`: part of an answer is out, its newline is not */
	bool datagram; /* answers go into one datagram: cut without a mark */
	char user[WIRE_NAME_BYTES];
	struct wire_frames frames;
	struct json_object *tree; /* what a json message borrows from */
};

enum part {
	PART_PIECE, /* some of it */
	PART_END,   /* the whole answer again, for dialects that want it in one; the end */
	PART_FAIL,  /* text is "CODE SENTENCE" */
	PART_BYE,   /* text is "REASON SENTENCE" */
	PART_NOTE,  /* a text of our own, as for /help: one whole answer */
	PART_WAIT,  /* a word before the answer, to somebody who waits long */
	PART_HELLO, /* the greeting */
	PART_PONG,  /* ws: the text of a MSG_PING */
	PART_CLOSE, /* nothing more will be said; after PART_BYE, if that is said */
};

struct codec {
	const char *name;
	enum decode (*decode)(struct wire *w, struct buf *in, enum edge edge, struct msg *msg);
	/* `msg` gives id and stream wish of the question; NULL: none. Returns 0, or -1: out is
	 * full. */
	int (*encode)(struct wire *w, enum part part, const struct msg *msg, const char *text,
	    size_t n, struct buf *out);
};

extern const struct codec codec_line, codec_json, codec_raw; /* of the chat door: sniffed */
extern const struct codec codec_http, codec_ws;              /* of the web door: set by it */

void wire_init(struct wire *w, uint32_t limit_bytes);

/* The longest head of an HTTP request, and the longest one line of it may be; bytes of empty lines
 * before it. */
enum { WIRE_HEAD_BYTES = 8192, WIRE_BLANK_BYTES = 8 };

/* Bytes `in` must be able to hold: the longest message of any dialect, and a little. */
uint32_t wire_in_limit(uint32_t limit_bytes);

/* Decode the next message; decides the dialect first when it is open. */
enum decode wire_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg);

/* Encode in the chat's dialect (`line` while it is undecided). Returns 0, or -1: out is full. */
int wire_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out);

/* The message is not needed any more: its bytes leave `in`. Harmless when there is none. Every
 * message is followed by this call before the next decoding, and before the wire is thrown away. */
void wire_done(struct wire *w, struct buf *in);

/* Is an answer half out, so that nothing else may be said? */
static inline bool
wire_is_mid_answer(const struct wire *w)
{
	return w->mid_line;
}

/* Whose messages they are. Returns false when it is no name: 1 to WIRE_NAME_BYTES bytes. */
bool wire_set_user(struct wire *w, const char *s, size_t n);

#endif
