/* hear.h - what a server says: a line of `json`, or text without any framing.
 * For:     the terminal client.     Callers: client/link.c, its tests.
 * Holds:   every text handed out is clean UTF-8 (base/text.h), so that nothing a server sends can
 *          drive a terminal. Pure: no socket, no clock.
 * Memory:  the caller's buffers. */
#ifndef CLIENT_HEAR_H
#define CLIENT_HEAR_H

#include "base/buf.h"

#include <stdbool.h>

enum heard {
	HEARD_NOTHING, /* nothing that concerns anybody */
	HEARD_PIECE,   /* the text is a piece of the answer, more follows */
	HEARD_ANSWER,  /* the text is the answer, all of it */
	HEARD_FAILED,  /* the text is "ERR CODE SENTENCE"; the chat goes on */
	HEARD_SAID,    /* the text is something nobody asked for */
	HEARD_BYE,     /* the server leaves; the text is "BYE REASON SENTENCE" */
	HEARD_GONE,    /* the stream ended without a word */
	HEARD_TIMEOUT, /* no answer in time */
};

/* Append the clean form of s; what does not fit is cut off. */
void hear_clean(const char *s, size_t n, struct buf *out);
/* Is it one of the server's notices, "ERR CODE ..." or "BYE REASON ..."? */
bool hear_is_notice(const char *s, size_t n);
/* The part behind the code of "ERR CODE SENTENCE"; and the code alone in *code, *n_code. */
const char *hear_sentence(const struct buf *notice, size_t *n, const char **code, size_t *n_code);

/* Text outside of any framing: HEARD_FAILED, HEARD_BYE, else HEARD_ANSWER. Appends to `text`. */
enum heard hear_plain(const char *s, size_t n, struct buf *text);
/* One line without its newline, while the question with this id is open (0: none is). Appends to
 * `text`; where it is the end of an answer, `object` becomes the line itself. */
enum heard hear_line(
    const char *s, size_t n, int64_t open_id, struct buf *text, struct buf *object);

#endif
