/* robot_http.h - HTTP requests on the worker's loop.
 * For:     every robot behind HTTP.     Callers: robot_api.c.
 * Holds:   created after fork only (a handle shared by two processes mixes up replies). Never calls
 *          back from inside http_start(). `end` comes exactly once, and nothing after it, after
 *          http_cancel() or after http_detach(). http and https only, no redirects, no proxy, no
 *          .netrc. A reader that pauses stops the transfer: what is kept meanwhile is bounded.
 *          Two engines carry requests (http_call.h): libcurl all of https://, whose price is that
 *          of TLS; one of our own http://, where libcurl connects and nothing more, because the
 *          machinery around a request costs it more than the request.
 * Memory:  http_open() gives; connections are kept and reused, the last used first. */
#ifndef ROBOT_ROBOT_HTTP_H
#define ROBOT_ROBOT_HTTP_H

#include "robot/reply.h"

struct http;
struct http_call;
struct http_end;

struct http_options {
	const char *url;         /* these are borrowed until http_close() */
	const char *more_header; /* of every request; NULL: none */
	const char *ca;          /* certificates (PEM); "": the system's */
	int64_t connect_ms, first_byte_ms, gap_ms;
	uint32_t limit_bytes; /* of what may come in one turn */
	bool stream;          /* the reply is wanted as it is written, so it must not be packed */
};

struct http_sink {
	/* The body begins. */
	void (*head)(void *arg, long status, const char *type);
	/* Some of it (borrowed). What it was decides which clock runs: blanks leave that of the
	 * first byte, only progress winds up that of the gap, a finished answer has a second for
	 * its account. REPLY_OVER: as TRAFFIC; call http_detach() for it. */
	enum reply_step (*bytes)(void *arg, const char *bytes, size_t n);
	/* WHY_OK: it came whole. `end` (http_end.h) is borrowed. */
	void (*end)(void *arg, enum why why, const struct http_end *end);
};

struct http *http_open(const struct http_options *o, const struct robot_env *env);
void http_close(struct http *h);

/* POST the body (taken: http frees it), or GET `url`, which is o->url and more, if it is not NULL.
 * `header` is one more header line (NULL: none); it must live as long as h. */
struct http_call *http_start(struct http *h, struct buf *body, const char *url, const char *header,
    const struct http_sink *sink, void *arg);
void http_cancel(struct http_call *call);
/* Its time is up: ends it as WHY_TIMEOUT, which the sink is told from inside. */
void http_expire(struct http_call *call);
/* What is still to come is nobody's business; the connection may be used again. */
void http_detach(struct http_call *call);
/* No more bytes for now; and on again. */
void http_pause(struct http_call *call, bool pause);

#endif
