/* wrap.h - text that comes in pieces, shown in the width of a window.
 * For:     answers on a terminal.     Callers: client/chat.c, its tests.
 * Holds:   every piece is shown at once, unless it ends in the middle of an emoji. Words stay whole
 *          at the margin, and no row begins with what ends a sentence; Chinese may break anywhere
 *          else. Pure: what a terminal is to do is appended to a buffer.
 * Memory:  embedded; wrap_release() frees. */
#ifndef CLIENT_WRAP_H
#define CLIENT_WRAP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct wrap {
	int columns;        /* of the window */
	int column;         /* of the cursor; one behind the last: the row is full */
	int unit_column;    /* where what must stay together begins */
	struct buf unit;    /* that, as far as it has come */
	struct buf line;    /* all since the last end of a line, as the terminal has it */
	struct buf cluster; /* the last cluster */
	struct buf held;    /* not yet shown: it ends in the middle of an emoji */
	uint32_t last;      /* its first code point; 0: a line begins */
	bool unsure;        /* terminals may differ about how wide the last cluster is */
	bool due;           /* a blank fell into the margin: what comes next begins a row */
};

void wrap_init(struct wrap *w);
void wrap_release(struct wrap *w);

/* A text begins, at the start of a row. columns 0 is 80. */
void wrap_begin(struct wrap *w, int columns);
/* Show clean UTF-8 of whole characters. */
void wrap_text(struct wrap *w, const char *s, size_t n, struct buf *out);
/* The text ends: the cursor is at the start of a row. */
void wrap_end(struct wrap *w, struct buf *out);
/* The window has another width now. */
void wrap_resize(struct wrap *w, int columns);

#endif
