/* http1.h - a reply of HTTP/1.1, read as it comes.
 * For:     http_plain.c, which brings the bytes.     Callers: robot/, tests, fuzzers.
 * Holds:   pure: no socket, no clock. Bytes may be cut anywhere. Strict where leniency would let
 *          two readers disagree about where a reply ends: one length or "chunked", no folded
 *          lines, no NUL; a head and a trailer have at most 64 KiB, a line 16. Line ends may lack
 *          their CR. Interim replies (1xx) are passed over.
 *          Source: RFC 9112, sections 2.2, 4, 5, 6, 7.1 and 9.3.
 * Memory:  only a line that is not whole yet is kept; http1_release(). */
#ifndef ROBOT_HTTP1_H
#define ROBOT_HTTP1_H

#include "base/buf.h"
#include "robot/http_end.h"

#include <stdbool.h>

enum http1_got {
	HTTP1_MORE,  /* all bytes are read, and more must come */
	HTTP1_HEAD,  /* status, type, packed and hints are known now */
	HTTP1_BODY,  /* some of the body */
	HTTP1_END,   /* the reply is whole; bytes that are left are none of it */
	HTTP1_BROKEN /* it is no such reply */
};

enum http1_packed { HTTP1_AS_IS, HTTP1_GZIP, HTTP1_UNKNOWN };

struct http1 {
	struct buf line;  /* of one that is not whole yet */
	uint64_t left;    /* bytes of the body, or of the chunk */
	uint32_t n_lines; /* bytes of the head or the trailer so far */
	unsigned char state;
	bool has_length, chunked, one_zero, says_close, says_keep;
	enum http1_packed packed; /* Content-Encoding */
	struct http_end hints;    /* the status, and what an error wants of us */
	char type[64];            /* Content-Type, cut */
};

void http1_init(struct http1 *h);
void http1_release(struct http1 *h);

/* Read on from *at, which moves towards `end`. HTTP1_BODY: the bytes are `body`, `n` (borrowed from
 * the input). Call it until it says MORE, END or BROKEN. */
enum http1_got http1_next(
    struct http1 *h, const char **at, const char *end, const char **body, size_t *n);
/* The stream has ended. Returns HTTP1_END when that is how the reply ends, else HTTP1_BROKEN. */
enum http1_got http1_close(struct http1 *h);
/* May the connection carry another request, once this reply is whole? */
bool http1_keeps(const struct http1 *h);

#endif
