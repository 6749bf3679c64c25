/* request.h - the head of an HTTP/1.1 request.
 * For:     codec_http.c, which finds where it ends, and the web door, which answers.
 *          Callers: worker/, tests, fuzzers.
 * Holds:   pure, and strict where leniency would let a proxy and us disagree about where a request
 *          ends or whom it is for: line ends are CR LF, one length at most, no folded lines, no
 *          blank before a colon, Host exactly once, the target a path. Nothing is decoded: paths
 *          are compared as they came, so no spelling of one is another one.
 *          Source: RFC 9112, sections 2.2, 3, 5 and 6; RFC 9110, section 7.2.
 * Memory:  none; a request borrows from its head. */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OTHER };

struct slice {
	const char *s; /* NULL: there is none */
	size_t n;
};

struct request {
	enum request_method method;
	struct slice path; /* without the query */
	struct slice host, origin, key, version;
	bool keeps;      /* another request may follow */
	bool has_body;   /* none is read: the connection cannot go on behind it */
	bool upgrades;   /* Upgrade: websocket, and Connection says so */
	bool is_one_one; /* HTTP/1.1 */
};

/* Where does the head that begins at s end? Returns its bytes, blank line included; 0: not yet; -1:
 * it is none, or has more than WIRE_HEAD_BYTES. *scanned is what an earlier call looked at, 0 at
 * first; after -1 the bytes that show it. */
int request_end(const char *s, size_t n, uint32_t *scanned);

/* Returns 200, or the status to refuse it with: 400, 413, 431 or 505. Then only `keeps` is
 * set, to false. */
int request_read(const char *s, size_t n, struct request *r);

bool slice_is(struct slice a, const char *word);

#endif
