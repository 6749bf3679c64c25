/* term.h - the person's side of a chat: prompts, lines typed, answers shown.
 * For:     the terminal client, on a terminal and in a pipe.     Callers: prog/client.c; one
 *          thread.
 * Holds:   in a pipe the answers alone go to `out`, everything else to `err`. A line of input is
 *          one message; `exit` leaves.
 * Memory:  struct term is embedded; term_release() frees what was typed. Links are borrowed. */
#ifndef CLIENT_TERM_H
#define CLIENT_TERM_H

#include "base/buf.h"
#include "client/link.h"

#include <stdbool.h>

enum { TERM_LINE_BYTES = 1 << 20 };

/* What the program exits with (xiaotu(1)). */
enum term_exit { TERM_DONE, TERM_FAILED, TERM_USAGE, TERM_NO_CONNECTION, TERM_TIMEOUT };

enum term_language { TERM_ZH, TERM_EN };

struct term {
	struct link *link;
	enum term_language language;
	int in, out, err;  /* descriptors; borrowed */
	bool ended;        /* the input is at its end */
	struct buf typed;  /* input, not yet taken */
	struct buf line;   /* the line being dealt with, without its end */
	struct buf answer; /* what came last */
};

/* From LC_ALL, LC_MESSAGES, LANG, the first that is set: English only when that names a language
 * that is not Chinese; C and POSIX name none. */
enum term_language term_language(void);

void term_init(struct term *t, struct link *link, int in, int out, int err);
void term_release(struct term *t);

/* Talk until the person or the server leaves (blocks). */
enum term_exit term_chat(struct term *t);
/* Every line of `in` is a message, every answer goes to `out` bare (blocks). A failed message does
 * not stop the next ones; a missing answer does, since the order would be lost. */
enum term_exit term_pipe(struct term *t);
/* One message, its bare answer (blocks). */
enum term_exit term_say(struct term *t, const char *text);

#endif
