/* vt.h - a terminal reduced to what the client uses: a screen that can be looked at.
 * For:     tests of what is sent to a terminal.     Callers: tests/unit/client.
 * Holds:   wraps at the margin as xterm does: a full row waits with its cursor in the last column
 *          until more comes; what has no width joins what is before it. A sequence it does not know
 *          fails the test. The screen has no end: it rolls never.
 * Memory:  vt_new() gives a screen, freed by vt_free(). */
#ifndef TESTS_LIB_VT_H
#define TESTS_LIB_VT_H

#include "base/buf.h"

#include <stdbool.h>

enum { VT_ROWS = 100, VT_COLUMNS = 100, VT_CELL = 32 };

struct vt {
	int columns;
	int row, column;
	bool full;                                /* the cursor waits behind the last column */
	char cells[VT_ROWS][VT_COLUMNS][VT_CELL]; /* "": blank; behind a wide one: "\x01" */
};

struct vt *vt_new(int columns);
void vt_free(struct vt *v);
/* Do what the bytes say, and empty the buffer. */
void vt_feed(struct vt *v, struct buf *bytes);
/* The text of a row without the blanks at its end; valid until the next call. */
const char *vt_row(const struct vt *v, int row);
/* Rows up to the last that is not empty. */
int vt_rows(const struct vt *v);

#endif
