/* http_call.h - one request under way, and the engines that carry it.
 * For:     robot_http.c, which keeps the clocks and the order of what is told, and its engines:
 *          http_plain.c for http://, http_curl.c for https://.     Callers: those alone.
 * Holds:   an engine tells http_call_bytes() and http_call_end() of a call only between start()
 *          and rest(), and never from inside start(), nor from inside libcurl: there it keeps bytes
 *          with http_call_keep().
 * Memory:  engines allocate calls, and keep or free them after rest(). */
#ifndef ROBOT_HTTP_CALL_H
#define ROBOT_HTTP_CALL_H

#include "robot/http_end.h"
#include "robot/robot_http.h"

#include "base/lapse.h"

enum { HTTP_REST_BYTES = 65536 }; /* of a rest nobody waits for */

struct http_call {
	struct list ready; /* in http->ready: bytes or an end to be handed on */
	struct http *http;
	uint64_t id; /* 0: none is under way */
	struct buf body, pending;
	struct lapse_entry progress;
	const struct http_sink *sink; /* NULL: nobody waits for the rest */
	void *arg;
	const char *type; /* with end.status: of the reply, known before its first bytes */
	struct http_end end;
	bool began, counts; /* the head was told; the clock of the gap runs */
	bool finished;      /* the answer is whole, its account may follow */
	bool paused;
	bool held_up; /* it was paused once: what is late is not the robot's fault */
	bool ended;
	enum why why; /* of the end */
};

struct http_engine {
	void *(*open)(struct http *h, const struct http_options *o, const struct robot_env *env);
	/* No call is under way but those of rests. */
	void (*close)(void *engine);
	/* The request: see http_start(). The engine calls http_call_begin() first. */
	struct http_call *(*start)(
	    void *engine, struct buf *body, const char *url, const char *header);
	/* It is over, or given up: nothing more is told of it. */
	void (*rest)(struct http_call *call);
	/* Stop reading; or go on, the bytes of http_call_keep() having been handed on. */
	void (*pause)(struct http_call *call, bool pause);
};

extern const struct http_engine http_curl, http_plain;

void http_call_init(struct http_call *call, struct http *h, uint32_t limit_bytes);
void http_call_release(struct http_call *call);
/* Give it an id, take the body, begin its clock. */
void http_call_begin(struct http_call *call, struct buf *body);
/* It is at rest: forget what was. */
void http_call_reset(struct http_call *call);

/* Bytes of the body, handed on at once unless the call is paused; the call may be at rest
 * afterwards. Returns 0, or -1: it is more than may be kept. */
int http_call_bytes(struct http_call *call, const char *bytes, size_t n);
/* The same, but they are handed on after the turn. */
int http_call_keep(struct http_call *call, const char *bytes, size_t n);
/* The end, once all bytes are handed on: at once unless the call is paused with bytes. */
void http_call_end(struct http_call *call, enum why why);

#endif
