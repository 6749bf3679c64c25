/* lines.h - a chat line by line: in a pipe, and on a terminal that can do no more.
 * For:     the terminal client.     Callers: prog/client.c; one thread.
 * Holds:   in a pipe the answers alone go to `out`, everything else to `err`. A line of input is
 *          one message; `exit` leaves.
 * Memory:  struct lines is embedded; lines_release() frees what was read. Links are borrowed. */
#ifndef CLIENT_LINES_H
#define CLIENT_LINES_H

#include "base/buf.h"
#include "client/link.h"
#include "client/status.h"

#include <stdbool.h>

enum { LINES_BYTES = 1 << 20 };

struct lines {
	struct link *link;
	int in, out, err;  /* descriptors; borrowed */
	bool json;         /* answers as objects, a line each */
	bool ended;        /* the input is at its end */
	struct buf typed;  /* input, not yet taken */
	struct buf line;   /* the line being dealt with, without its end */
	struct buf answer; /* what came last */
};

void lines_init(struct lines *t, struct link *link, int in, int out, int err);
void lines_release(struct lines *t);

/* Talk until the person or the server leaves (blocks), on a terminal that edits lines itself. */
enum status lines_chat(struct lines *t);
/* Every line of `in` is a message, every answer goes to `out` bare, or as an object (blocks). A
 * failed message does not stop the next ones; a missing answer does, since the order would be lost.
 */
enum status lines_pipe(struct lines *t);
/* One message, its bare answer (blocks). */
enum status lines_say(struct lines *t, const char *text);

/* The line of a chat that says when an answer came: "【机器人小图】 2026-11-23 12:00:00". */
void lines_heading(char *out, size_t size);

#endif
