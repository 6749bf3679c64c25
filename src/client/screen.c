/* screen.c - see screen.h.
 * Where a character goes: behind the last one, or to the start of the next row when it does not
 * fit; so one of two columns leaves the last column of a row empty. After a row that is full to its
 * last column a terminal waits in that column with wrapping until more comes, and terminals differ
 * in what moving the cursor then means; so a space is sent, and the cursor taken back to its place.
 *
 * What a cluster of several code points takes differs between terminals. After each the cursor is
 * sent to the column where we believe it to be, so that an error stays where it arose.
 *
 * After a change of the window's width we take it that the terminal has wrapped its lines anew, as
 * nearly all do; one that does not may lose some rows above the prompt. */
#include "client/screen.h"
#include "base/text.h"
#include "base/width.h"

#include <limits.h>
#include <string.h>

enum { COLUMNS = 80, ROWS = 24, TAB = 8 };

struct spot {
	int row, column; /* column may be one behind the last: the row is full */
};

struct cluster {
	const char *s;
	size_t n;
	int columns;
};

static int
columns_of(const struct screen *s)
{
	return s->columns > 0 ? s->columns : COLUMNS;
}

static int
rows_of(const struct screen *s)
{
	return s->rows > 0 ? s->rows : ROWS;
}

/* The cluster at s, and how wide it is when it begins at this spot. */
static struct cluster
cluster_at(const char *s, size_t n, const struct spot *p, int columns)
{
	struct cluster c = { .s = s };

	c.n = width_cluster(s, n, &c.columns);
	if (*s == '\n')
		c.columns = 0;
	else if (*s == '\t')
		c.columns = p->column < columns ? TAB - p->column % TAB : TAB;
	if (*s == '\t' && c.columns > columns)
		c.columns = columns;
	if (*s == '\t' && p->column < columns && p->column + c.columns > columns)
		c.columns = columns - p->column;
	return c;
}

/* Where the cluster begins, if this is where the last one ended. */
static void
make_room(struct spot *p, const struct cluster *c, int columns)
{
	if (*c->s != '\n' && p->column + c->columns > columns && p->column > 0)
		*p = (struct spot){ p->row + 1, 0 };
}

static void
pass(struct spot *p, const struct cluster *c)
{
	p->column += c->columns;
	if (*c->s == '\n')
		*p = (struct spot){ p->row + 1, 0 };
}

/* Where the next cluster, or the end of the text, is shown: never behind the last column. */
static struct spot
settle(struct spot p, const char *s, size_t n, int columns)
{
	struct cluster c;

	if (n > 0 && *s != '\n') {
		c = cluster_at(s, n, &p, columns);
		make_room(&p, &c, columns);
	} else if (n == 0 && p.column >= columns) {
		p = (struct spot){ p.row + 1, 0 };
	} else if (p.column >= columns) {
		p.column = columns - 1;
	}
	return p;
}

static void
walk(struct spot *p, const char *s, size_t n, int columns)
{
	for (size_t i = 0; i < n;) {
		struct cluster c = cluster_at(s + i, n - i, p, columns);

		make_room(p, &c, columns);
		pass(p, &c);
		i += c.n;
	}
}

/* Where the cursor is, from the start of the prompt. */
static struct spot
cursor_spot(const char *prompt, const struct edit *e, int columns)
{
	struct spot p = { 0, 0 };
	size_t n;
	const char *s = edit_text(e, &n);

	walk(&p, prompt, strlen(prompt), columns);
	walk(&p, s, e->cursor, columns);
	return settle(p, s + e->cursor, n - e->cursor, columns);
}

/* --- showing --------------------------------------------------------------------------------- */

static void
emit(const struct cluster *c, const struct spot *behind, int columns, struct buf *out)
{
	uint32_t code;

	if (*c->s == '\n') {
		(void)buf_adds(out, "\r\n");
	} else if (*c->s == '\t') {
		(void)buf_addf(out, "%*s", c->columns, "");
	} else {
		(void)buf_add(out, c->s, c->n);
		if (text_char(c->s, c->n, &code) != (int)c->n && behind->column < columns)
			(void)buf_addf(out, "\x1b[%dG", behind->column + 1);
	}
}

/* Rows [from, to) of the text; p is where it begins. `first` becomes the byte row `from` begins
 * with. */
static void
emit_rows(const char *s, size_t n, struct spot *p, int from, int to, int columns, size_t *first,
    struct buf *out)
{
	for (size_t i = 0; i < n;) {
		struct cluster c = cluster_at(s + i, n - i, p, columns);

		make_room(p, &c, columns);
		if (p->row >= to)
			return;
		if (first && p->row < from)
			*first = i + c.n;
		/* The end of the line before the first row is not shown. */
		if (p->row < from || (*c.s == '\n' && p->row == to - 1)) {
			pass(p, &c);
		} else {
			pass(p, &c);
			emit(&c, p, columns, out);
		}
		i += c.n;
	}
}

static void
go_back(const struct screen *s, struct buf *out)
{
	(void)buf_adds(out, "\r");
	if (s->shown && s->row > 0)
		(void)buf_addf(out, "\x1b[%dA", s->row);
	(void)buf_adds(out, SCREEN_WIPE);
}

/* Show rows [from, to). Returns where the text shown ends; in row `to` when there is more. */
static struct spot
show(struct screen *s, const char *prompt, const struct edit *e, int from, int to, struct buf *out)
{
	int columns = columns_of(s);
	struct spot p = { 0, 0 };
	size_t n;
	const char *text = edit_text(e, &n);

	go_back(s, out);
	s->first = 0;
	s->has_prompt = from == 0;
	if (s->colour)
		(void)buf_adds(out, s->colour);
	emit_rows(prompt, strlen(prompt), &p, from, to, columns, NULL, out);
	if (s->colour)
		(void)buf_adds(out, s->plain);
	emit_rows(text, n, &p, from, to, columns, &s->first, out);
	return p;
}

void
screen_paint(struct screen *s, const char *prompt, const struct edit *e, struct buf *out)
{
	struct spot cursor = cursor_spot(prompt, e, columns_of(s)), end;
	int from = 0, to;

	/* Half a window above the cursor, so that it need not roll with every row. */
	if (cursor.row >= rows_of(s))
		from = cursor.row - rows_of(s) / 2;
	to = from + rows_of(s);
	end = show(s, prompt, e, from, to, out);
	if (end.row + 1 < to && end.column >= columns_of(s)) {
		(void)buf_adds(out, " \r\x1b[K");
		end.row++;
	}
	if (end.row == to)
		end.row = to - 1;
	if (end.row > cursor.row)
		(void)buf_addf(out, "\x1b[%dA", end.row - cursor.row);
	(void)buf_addf(out, "\x1b[%dG", cursor.column + 1);
	s->row = cursor.row - from;
	s->shown = true;
}

void
screen_erase(struct screen *s, struct buf *out)
{
	if (s->shown)
		go_back(s, out);
	s->shown = false;
	s->row = 0;
}

void
screen_leave(struct screen *s, const char *prompt, const struct edit *e, struct buf *out)
{
	(void)show(s, prompt, e, 0, INT_MAX, out);
	(void)buf_adds(out, "\r\n");
	s->shown = false;
	s->row = 0;
}

void
screen_resize(struct screen *s, const char *prompt, const struct edit *e, int columns, int rows)
{
	struct spot p = { 0, 0 };
	size_t n;
	const char *text = edit_text(e, &n);

	s->columns = columns;
	s->rows = rows;
	if (!s->shown)
		return;
	if (s->has_prompt)
		walk(&p, prompt, strlen(prompt), columns_of(s));
	if (e->cursor > s->first)
		walk(&p, text + s->first, e->cursor - s->first, columns_of(s));
	p = settle(p, text + e->cursor, n - e->cursor, columns_of(s));
	s->row = p.row < rows_of(s) ? p.row : rows_of(s) - 1;
}
