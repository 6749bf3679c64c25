/* reply.h - a robot's HTTP reply, read as it comes: bytes in, text out, and in the end a verdict.
 * For:     robot_api.c, which brings the bytes; every API, which knows what a value means.
 *          Callers: robot/, tests, fuzzers.
 * Holds:   pure: no socket, no clock. Bytes may be cut anywhere. The parser goes by what the reply
 *          is, not by what was asked for: an event stream by its Content-Type, unless it begins
 *          like an object; anything else is one JSON value after the other. In every value errors
 *          are looked for first, because they come under status 200 and in mid-stream too.
 *          A value that is a whole answer gives its text only when the reply ended in order.
 *          Source: robot-apis, sections 3.1-3.3, 6 and 7.
 * Memory:  what is carried over, at most the limit; reply_release(). */
#ifndef ROBOT_REPLY_H
#define ROBOT_REPLY_H

#include "base/json.h"
#include "robot/robot.h"
#include "robot/sse.h"

enum reply_form { REPLY_UNKNOWN, REPLY_EVENTS, REPLY_VALUES };

/* What the bytes were, for the clocks. */
enum reply_step {
	REPLY_BLANK,    /* the reply has not begun */
	REPLY_TRAFFIC,  /* nothing that counts: heartbeats, half a value */
	REPLY_PROGRESS, /* text, or a sign that the robot is at work on it */
	REPLY_FINISHED, /* the answer is whole; an account of tokens may follow */
	REPLY_OVER      /* nothing that follows matters */
};

struct reply;
typedef void reply_value(struct reply *r, struct json_object *o);

struct reply {
	reply_value *on_value;
	long status;
	enum reply_form form;
	bool is_stream; /* by its Content-Type */
	uint8_t n_mark; /* bytes of a mark of byte order so far; 3: it is behind us */
	struct sse sse;
	struct json_flow flow;
	struct buf text; /* said, not handed on yet */
	bool has_said;   /* some text came */
	bool has_value;  /* a value was read before this one */
	bool whole;      /* the text is that of a whole answer */
	bool progress, finished, over, broken;
	bool unclosed; /* the event being read lacks its end: it is dropped, as the standard says */
	enum why why;  /* an error it told of */
	int64_t code;  /* the robot's own code of it, 0: none */
	char words[64];                /* its type and code, as words, */
	char says[160];                /* and its sentence */
	int64_t tokens_in, tokens_out; /* -1: not told */
};

/* limit_bytes: of one value or event, and of the text not handed on. */
void reply_init(struct reply *r, reply_value *on_value, uint32_t limit_bytes);
/* As new, but with the parser it has. */
void reply_reset(struct reply *r);
void reply_release(struct reply *r);
/* Before the first bytes. `type`: the Content-Type, "" when there is none. */
void reply_head(struct reply *r, long status, const char *type);
/* Read on. New text is in r->text afterwards: hand it on and clear it. */
enum reply_step reply_feed(struct reply *r, const char *bytes, size_t n);
/* No more bytes come; `transport` is how the transfer ended. Text may be in r->text once more.
 * Returns WHY_OK for an answer, or why there is none. */
enum why reply_end(struct reply *r, enum why transport);

/* What status and words of an error mean: robot-apis, section 6. */
enum why reply_why(long status, const char *words, const char *message);

/* --- for APIs, from on_value() --------------------------------------------------------------- */

void reply_say(struct reply *r, const char *s, size_t n);
/* This value is the whole answer, not a piece. */
void reply_is_whole(struct reply *r);
/* It is none of the values that can come. */
void reply_is_broken(struct reply *r);
void reply_fail(struct reply *r, enum why why, int64_t code);
/* A member that counts tokens, if there is one. */
void reply_tokens(struct json_object *o, const char *key, int64_t *tokens);

#endif
