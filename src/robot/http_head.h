/* http_head.h - the bytes of a request in front of its body.
 * For:     http_plain.c.     Callers: that, tests.
 * Holds:   what is the same in all requests of a robot is made once; a request is a few spans that
 *          lie where they are. Source: RFC 9112, sections 2 and 3; RFC 9110, section 7.2.
 * Memory:  http_head_init() takes two buffers, http_head_release() frees them. */
#ifndef ROBOT_HTTP_HEAD_H
#define ROBOT_HTTP_HEAD_H

#include "robot/http_setup.h"

#include <sys/uio.h>

enum { HTTP_HEAD_SPANS = 6, HTTP_HEAD_OWN = 128 };

struct http_head {
	struct buf post;    /* "POST /path?query" */
	struct buf common;  /* the headers of every request */
	size_t n_authority; /* bytes of o->url before its path */
};

/* o->url is http://. Borrows `o`. */
void http_head_init(struct http_head *h, const struct http_options *o);
void http_head_release(struct http_head *h);

/* "GET /path?query" of a url that begins like o->url. */
void http_head_get(const struct http_head *h, const char *url, struct buf *out);

/* One request. `get` is empty for a POST; `header` is one more line, NULL: none. All of it, and
 * `own`, which is written to, must stay while the spans are used. */
void http_head_spans(const struct http_head *h, const struct buf *get, const char *header,
    uint64_t id, const struct buf *body, char own[HTTP_HEAD_OWN],
    struct iovec spans[HTTP_HEAD_SPANS]);

#endif
