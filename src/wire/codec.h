/* codec.h - bytes <-> messages: the dialects of the chat door.
 * For:     conn (streams) and dgram (datagrams).     Callers: worker/, tests, fuzzers.
 * Holds:   pure: no socket, no clock, no global state. A decoder takes at most one message a call.
 *          Texts handed out are UTF-8 (RFC 3629) without NUL and at most limit_bytes long.
 * Memory:  struct wire is embedded and owns nothing; messages borrow from `in` or from the wire's
 *          scratch and are valid until the next call that changes either. */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include "base/buf.h"

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
	FAIL_ROBOT_TIMEOUT,
	FAIL_ROBOT_UNAVAILABLE,
	FAIL_ROBOT_BAD_REPLY,
	FAIL_ROBOT_REFUSED,
	FAIL_COUNT
};

enum bye { BYE_IDLE, BYE_SHUTDOWN, BYE_SLOW_READER, BYE_LIMIT, BYE_COUNT };

enum msg_kind { MSG_TEXT, MSG_EXIT, MSG_HELP, MSG_FORGET, MSG_ROBOT };

struct msg {
	enum msg_kind kind;
	const char *text; /* of MSG_TEXT the question, of MSG_ROBOT the name ("" lists) */
	size_t n_text;
	const char *id; /* json: the id as JSON text, "" without one */
	size_t n_id;
	bool stream; /* json: pieces are wanted */
	enum fail fail;
	bool fatal;
};

/* The state of one chat's dialect. Zeroed is fresh; wire_init() sets the limits. */
struct wire {
	const struct codec *codec; /* NULL until the first bytes decided */
	uint32_t limit_bytes;	   /* of a message's text */
	uint16_t answer_limit;	   /* of an answer that goes out in one send; 0: none */
	uint16_t skipping;	   /* a line that was too long is being dropped (KiB so far, rounded up) */
	uint8_t n_user;
	bool read_once;	  /* the very first read is over */
	bool maybe_raw;	  /* it looked like `user::text` without newline */
	bool first_line;  /* a line was taken: request lines are looked for before only */
	bool answer_open; /* BEGIN without END so far */
	bool ellipsis;	  /* mark a cut answer with `…` */
	char user[WIRE_NAME_BYTES];
};

enum part {
	PART_BEGIN, /* an answer starts; text unused */
	PART_PIECE, /* some of it */
	PART_END,   /* the whole answer again: for dialects that want it in one */
	PART_FAIL,  /* text is "CODE SENTENCE" */
	PART_BYE,   /* text is "REASON SENTENCE" */
	PART_NOTE,  /* a text of our own, as for /help: one whole answer */
};

struct codec {
	const char *name;
	/* Does the chat speak this dialect? `first`: these are the bytes of the very first read. */
	bool (*sniff)(const char *bytes, size_t n, bool first);
	enum decode (*decode)(struct wire *w, struct buf *in, enum edge edge, struct msg *msg);
	/* `msg` gives id and stream wish of the question; NULL: none. Returns 0, or -1: out is full. */
	int (*encode)(struct wire *w, enum part part, const struct msg *msg, const char *text,
	    size_t n, struct buf *out);
};

extern const struct codec codec_line, codec_json, codec_raw;

void wire_init(struct wire *w, uint32_t limit_bytes);

/* Bytes `in` must be able to hold: the longest message of any dialect, and a little. */
uint32_t wire_in_limit(uint32_t limit_bytes);

/* Decode the next message; decides the dialect first when it is open. */
enum decode wire_decode(struct wire *w, struct buf *in, enum edge edge, struct msg *msg);

/* Encode in the chat's dialect (`line` while it is undecided). Returns 0, or -1: out is full. */
int wire_encode(struct wire *w, enum part part, const struct msg *msg, const char *text, size_t n,
    struct buf *out);

/* Does the dialect want pieces as they come? (else only PART_END says something) */
bool wire_streams(const struct wire *w);

/* For codecs: split `user::text`, remember the user, tell exit from text.
 * Returns GOT, MORE for nothing to say (empty text), or BAD. */
enum decode wire_take(struct wire *w, const char *s, size_t n, bool strict_name, struct msg *msg);

/* Does the line open a conversation that is none of ours: an HTTP request line, a TLS hello? */
bool wire_is_foreign(const char *s, size_t n);

#endif
