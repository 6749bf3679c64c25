/* respond.h - answers of the web door as bytes.
 * For:     worker/visit.c, which decides them.     Callers: worker/, tests.
 * Holds:   pure. Every answer has its length, forbids guessing its type, being framed and being
 *          kept by caches, and tells a browser to run nothing; but the page its own style and
 *          script, named by their hashes (CSP level 2).
 *          Source: RFC 9110, RFC 9112; RFC 6455 section 4.2.2.
 * Memory:  appended to the caller's buffer: all or nothing is up to the caller (buf_cut). */
#ifndef WIRE_RESPOND_H
#define WIRE_RESPOND_H

#include "base/buf.h"
#include "wire/request.h"

struct respond {
	int status;
	const char *type; /* NULL: plain text, and the body is the status and what it means */
	const char *more; /* more header lines, each with CR LF; NULL: none */
	const char *body;
	size_t n;
};

/* `r` is what it answers: HEAD gets no body, one that does not keep gets "close". Returns 0, or -1:
 * out is full. */
int respond_put(const struct respond *a, const struct request *r, int64_t now_s, struct buf *out);
/* The chat page. */
int respond_page(const struct request *r, int64_t now_s, struct buf *out);
/* 101: from here on it is a WebSocket. The key was checked (respond_is_key). */
int respond_switch(struct slice key, struct buf *out);
/* 16 bytes in base64? */
bool respond_is_key(struct slice key);

#endif
