/* view.h - all that a chat shows on a terminal.
 * For:     a chat on a terminal.     Callers: client/chat.c.
 * Holds:   one of four things is at the bottom: nothing yet, the line being typed, the mark that
 *          says we wait, an answer. What is told in between goes above it and harms none of them.
 * Memory:  embedded; view_release() frees. The line being typed is borrowed. */
#ifndef CLIENT_VIEW_H
#define CLIENT_VIEW_H

#include "client/edit.h"
#include "client/screen.h"
#include "client/words.h"
#include "client/wrap.h"

#include <stdbool.h>
#include <stdint.h>

enum view_bottom { VIEW_NOTHING, VIEW_LINE, VIEW_MARK, VIEW_ANSWER };
enum view_colour { VIEW_PLAIN, VIEW_DIM, VIEW_BAD };

struct view {
	const struct words *words;
	const struct edit *edit;
	int out; /* descriptor; borrowed */
	bool colours;
	bool talked; /* a message was sent: the prompt is another one from then on */
	enum view_bottom bottom;
	struct screen screen;
	struct wrap wrap;
	int mark_columns;  /* of the mark as it is shown; 0: not shown */
	struct buf held;   /* told while an answer was coming: shown below it */
	struct buf output; /* not yet written */
};

void view_init(struct view *v, const struct edit *edit, int out, bool colours);
void view_release(struct view *v);
/* Write what is to be seen. Returns 0, or -1: the terminal is gone. */
int view_flush(struct view *v);

/* Show the prompt and the line, as it is now. */
void view_line(struct view *v);
/* The line is said; it stays. `waiting`: an answer will come. */
void view_said(struct view *v, bool waiting);
/* The mark, after so many seconds of waiting. */
void view_mark(struct view *v, int seconds);
/* A piece of the answer; the first one brings the heading. */
void view_piece(struct view *v, const char *s, size_t n);
/* No more of it: what was below it goes, and a line can be typed. */
void view_end(struct view *v);
/* A sentence of its own, above what is at the bottom. */
void view_tell(struct view *v, enum view_colour colour, const char *s, size_t n);
/* The window is another one, or somebody else wrote to it. */
void view_resize(struct view *v, int columns, int rows);
void view_redraw(struct view *v);
/* The same, after the window was wiped. */
void view_clear(struct view *v);

#endif
