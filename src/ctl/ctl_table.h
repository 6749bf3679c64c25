/* ctl_table.h - a table whose columns stand below one another, Chinese included.
 * For:     what xiaotuctl shows.     Callers: ctl/.
 * Holds:   texts are cleaned of control characters. A column is as wide as its widest cell, up to
 *          CTL_TABLE_COLUMNS; longer ones end with an ellipsis.
 * Memory:  ctl_table_put() frees all cells. */
#ifndef CTL_CTL_TABLE_H
#define CTL_CTL_TABLE_H

#include "base/buf.h"

enum { CTL_TABLE_COLUMNS = 60, CTL_TABLE_MOST = 16 };

struct ctl_table {
	int n_columns, n_cells, n_room;
	char **cells; /* the heads are the first row */
};

/* heads: NULL-terminated; those that begin with '>' stand right. */
void ctl_table_begin(struct ctl_table *t, const char *const *heads);
void ctl_table_text(struct ctl_table *t, const char *s, size_t n);
void ctl_table_cell(struct ctl_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Append the table and empty it. */
void ctl_table_put(struct ctl_table *t, struct buf *out);

#endif
