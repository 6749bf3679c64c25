/* ctl_table.c - see ctl_table.h. */
#include "ctl/ctl_table.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/width.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "…"

enum { CELL_BYTES = 1 << 20, GAP = 2 };

/* On one line, without control characters, not too wide. Gives. */
static char *
make_cell(const char *s, size_t n)
{
	struct text_clean clean = { .n_part = 0 };
	struct buf text;
	char *cell;

	buf_init(&text, CELL_BYTES);
	(void)(text_clean(&clean, s, n, &text) || text_clean_end(&clean, &text));
	if (text.len && width_text(buf_head(&text), text.len) > CTL_TABLE_COLUMNS) {
		buf_cut(&text, width_cut(buf_head(&text), text.len, CTL_TABLE_COLUMNS - 1));
		(void)buf_adds(&text, ELLIPSIS);
	}
	cell = mem_ndup(text.len ? buf_head(&text) : "", text.len);
	for (char *p = cell; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	buf_release(&text);
	return cell;
}

void
ctl_table_text(struct ctl_table *t, const char *s, size_t n)
{
	if (t->n_cells == t->n_room) {
		t->n_room = t->n_room ? 2 * t->n_room : 256;
		t->cells = mem_resize(t->cells, (size_t)t->n_room, sizeof *t->cells);
	}
	t->cells[t->n_cells++] = make_cell(s, n);
}

void
ctl_table_cell(struct ctl_table *t, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	ctl_table_text(t, text, strlen(text));
}

void
ctl_table_begin(struct ctl_table *t, const char *const *heads)
{
	*t = (struct ctl_table){ .n_columns = 0 };
	for (; heads[t->n_columns]; t->n_columns++)
		ctl_table_text(t, heads[t->n_columns], strlen(heads[t->n_columns]));
}

static void
put_spaces(struct buf *out, int n)
{
	(void)buf_addf(out, "%*s", n, "");
}

/* The mark of a head is not shown. */
static void
put_cell(const struct ctl_table *t, int i, int columns, struct buf *out)
{
	int column = i % t->n_columns;
	bool right = t->cells[column][0] == '>';
	const char *s = t->cells[i] + (right && i == column);
	int pad = columns - width_text(s, strlen(s));

	if (column)
		put_spaces(out, GAP);
	if (right)
		put_spaces(out, pad);
	(void)buf_adds(out, s);
	if (!right && column < t->n_columns - 1)
		put_spaces(out, pad);
	if (column == t->n_columns - 1)
		(void)buf_adds(out, "\n");
}

void
ctl_table_put(struct ctl_table *t, struct buf *out)
{
	int columns[CTL_TABLE_MOST] = { 0 };

	for (int i = 0; i < t->n_cells; i++) {
		const char *s = t->cells[i];
		int n = width_text(s, strlen(s)) - (i < t->n_columns && *s == '>');

		if (n > columns[i % t->n_columns])
			columns[i % t->n_columns] = n;
	}
	for (int i = 0; i < t->n_cells; i++)
		put_cell(t, i, columns[i % t->n_columns], out);
	for (int i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct ctl_table){ .n_columns = 0 };
}
