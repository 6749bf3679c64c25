/* history.h - what was said before, for the keys up and down.
 * For:     editing on a terminal.     Callers: client/chat.c, its tests.
 * Holds:   at most HISTORY_LINES, no two equal ones in a row. What begins with a blank is not kept,
 *          so that something can be said without a trace. The file has a line for each, readable by
 *          its owner alone; without a file, or when it cannot be used, memory has to do.
 * Memory:  embedded; history_release() frees. */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#include "base/buf.h"

#include <stdbool.h>

enum { HISTORY_LINES = 1000 };

struct history {
	char **lines; /* as in the file: newlines and backslashes escaped */
	int n, at;    /* at == n: none of them is shown, but what was being typed */
	char *draft;  /* that, escaped */
	char *path;
};

/* Of the environment: XIAOTU_HISTORY ("" is none), else xiaotu/history in XDG_STATE_HOME or in
 * ~/.local/state. Returns the path (gives), or NULL. */
char *history_path(void);
/* Read the file, if there is one (takes the path, NULL: no file). */
void history_open(struct history *h, char *path);
void history_release(struct history *h);

/* Keep a text; the next one up is this. */
void history_add(struct history *h, const char *s, size_t n);
/* The one before or after; `now` is what the person sees, which is kept when nothing of the history
 * is shown. The text goes to `out`, emptied first. Returns false when there is none. */
bool history_move(struct history *h, int step, const char *now, size_t n, struct buf *out);

/* The last one before that which holds what was being typed when we left it for the history. */
bool history_find(struct history *h, const char *now, size_t n, struct buf *out);

#endif
