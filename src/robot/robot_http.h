/* robot_http.h - HTTP requests on the worker's loop, by libcurl's multi interface.
 * For:     every robot behind HTTP.     Callers: robot_turing.c and its like.
 * Holds:   created after fork only (a handle shared by two processes mixes up replies). Never calls
 *          back from inside http_start(); on_reply exactly once, never after http_cancel().
 *          http and https only, no redirects, no proxy, no .netrc; the reply is capped while it
 *          comes.
 * Memory:  http_open() gives; handles are kept and reused, the last used first. */
#ifndef ROBOT_ROBOT_HTTP_H
#define ROBOT_ROBOT_HTTP_H

#include "robot/robot.h"

struct http;
struct http_call;

struct http_options {
	const char *url;          /* borrowed until http_close() */
	const char *content_type; /* of the request */
	int64_t connect_ms, first_byte_ms, gap_ms, total_ms;
	size_t limit_bytes; /* of the reply's body, decoded; 0: no limit */
};

/* why WHY_OK: a reply came whole, `status` and the body (borrowed) say which. */
typedef void http_on_reply(void *arg, enum why why, long status, const char *body, size_t n);

struct http *http_open(const struct http_options *o, const struct robot_env *env, struct err *e);
void http_close(struct http *h);

/* POST the body (taken: http frees it). The call is valid until on_reply or http_cancel(). */
struct http_call *http_start(struct http *h, struct buf *body, http_on_reply *on_reply, void *arg);
void http_cancel(struct http_call *call);

/* What a status says by itself: OK for 2xx, REFUSED for other 4xx, UNAVAILABLE for 408, 409, 429
 * and 5xx, BAD_REPLY for the rest (a redirect is a configuration error and never followed). */
enum why http_why(long status);

#endif
