/* sse.h - an event stream, cut into events.
 * For:     replies of robots that stream (WHATWG HTML, section 9.2 "Server-sent events").
 *          Callers: reply.c.
 * Holds:   lines end with LF, CR LF or CR, and bytes come cut anywhere. Lines of one event's `data`
 *          are joined with a newline; comments, unknown fields and events without data are nothing.
 *          A mark of byte order is the caller's to pass over.
 *          A field `error`, which the standard does not know but llama.cpp sends, is an event of
 *          its own, with is_error. An event that the end of the stream leaves open is dispatched by
 *          sse_end(), which the standard does not do: servers forget the last blank line, and it
 *          may be the one that says it is finished.
 * Memory:  what is carried over from one piece to the next, at most `limit` bytes. */
#ifndef ROBOT_SSE_H
#define ROBOT_SSE_H

#include "base/buf.h"

#include <stdbool.h>

struct sse {
	struct buf line, data;
	void (*on_event)(void *arg, bool is_error, const char *data, size_t n);
	void *arg;
	bool skip_lf; /* a CR ended the line before */
	bool has_data;
	bool dispatched; /* an event came */
	bool stopped;
};

/* on_event borrows the data; it may call sse_stop(). */
void sse_init(struct sse *s, uint32_t limit,
    void (*on_event)(void *arg, bool is_error, const char *data, size_t n), void *arg);
void sse_release(struct sse *s);
/* Returns 0, or -1: a line or an event is longer than the limit. */
int sse_feed(struct sse *s, const char *bytes, size_t n);
/* No more bytes come. */
void sse_end(struct sse *s);
/* No more events, please. */
void sse_stop(struct sse *s);

#endif
