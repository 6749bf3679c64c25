/* screen.h - the prompt and the line being typed, on the terminal.
 * For:     editing on a terminal.     Callers: client/chat.c, its tests.
 * Holds:   long lines are wrapped by the terminal itself, so that it keeps them together when its
 *          window changes, and what is copied from it is whole; we know where it wraps. Of a text
 *          with more rows than the window the part around the cursor is shown. Pure: what a
 *          terminal is to do is appended to a buffer.
 * Memory:  embedded, zeroed is fresh: nothing shown, the cursor at the start of a row. */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include "base/buf.h"
#include "client/edit.h"

#include <stdbool.h>

/* At the start of a row: wipe it and all below. Wiping from the first column of the window's first
 * row on would make some terminals (tmux) keep a copy of what was there, hence the space. */
#define SCREEN_WIPE " \x1b[J\r\x1b[K"

struct screen {
	int columns, rows;          /* of the window; 0: unknown, 80 and 24 */
	const char *colour, *plain; /* around the prompt; NULL: none */
	bool shown;
	int row;         /* of the cursor, from the first row shown */
	size_t first;    /* byte of the text that the first row shown begins with */
	bool has_prompt; /* the first row shown begins with the prompt */
};

/* Show it anew, in the place of what was shown. */
void screen_paint(struct screen *s, const char *prompt, const struct edit *e, struct buf *out);
/* Take it away: the cursor is where it began. */
void screen_erase(struct screen *s, struct buf *out);
/* Show all of it for good: the cursor is at the start of the row below. */
void screen_leave(struct screen *s, const char *prompt, const struct edit *e, struct buf *out);
/* The window has another size now; call screen_paint() then. */
void screen_resize(
    struct screen *s, const char *prompt, const struct edit *e, int columns, int rows);

#endif
