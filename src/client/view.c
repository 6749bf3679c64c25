/* view.c - see view.h. Everything of one turn is written at once, so nothing flickers. */
#include "client/view.h"
#include "base/width.h"
#include "client/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 64 << 20, HELD_BYTES = 1 << 20 };

#define RESET "\x1b[0m"

static const char *const colours[] = {
	[VIEW_PLAIN] = "",
	[VIEW_DIM] = "\x1b[2m",
	[VIEW_BAD] = "\x1b[31m",
};

void
view_init(struct view *v, const struct edit *edit, int out, bool coloured)
{
	*v = (struct view){ .words = words_get(), .edit = edit, .out = out, .colours = coloured };
	v->screen.colour = coloured ? "\x1b[1;32m" : NULL;
	v->screen.plain = coloured ? RESET : NULL;
	wrap_init(&v->wrap);
	buf_init(&v->held, HELD_BYTES);
	buf_init(&v->output, OUTPUT_BYTES);
}

void
view_release(struct view *v)
{
	wrap_release(&v->wrap);
	buf_release(&v->held);
	buf_release(&v->output);
}

int
view_flush(struct view *v)
{
	while (v->output.len > 0) {
		ssize_t n = write(v->out, buf_head(&v->output), v->output.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		buf_eat(&v->output, (size_t)n);
	}
	return 0;
}

static void
put(struct view *v, const char *s)
{
	(void)buf_adds(&v->output, s);
}

static void
put_coloured(struct view *v, const char *colour, const char *s, size_t n)
{
	if (v->colours)
		put(v, colour);
	(void)buf_add(&v->output, s, n);
	if (v->colours)
		put(v, RESET);
}

static const char *
prompt(const struct view *v)
{
	return v->talked ? v->words->prompt : v->words->first_prompt;
}

static int
columns_of(const struct view *v)
{
	return v->screen.columns > 0 ? v->screen.columns : 80;
}

void
view_line(struct view *v)
{
	if (v->bottom != VIEW_LINE && v->talked)
		put(v, "\r\n");
	v->bottom = VIEW_LINE;
	screen_paint(&v->screen, prompt(v), v->edit, &v->output);
}

void
view_said(struct view *v, bool waiting)
{
	screen_leave(&v->screen, prompt(v), v->edit, &v->output);
	v->talked = true;
	v->bottom = waiting ? VIEW_MARK : VIEW_NOTHING;
	if (waiting)
		put(v, "\r\n");
}

/* After a window became narrower the mark may have more than one row. */
static void
wipe_mark(struct view *v)
{
	int rows = v->mark_columns ? (v->mark_columns - 1) / columns_of(v) : 0;

	if (v->mark_columns == 0)
		return;
	put(v, "\r");
	if (rows > 0)
		(void)buf_addf(&v->output, "\x1b[%dA", rows);
	put(v, SCREEN_WIPE);
	v->mark_columns = 0;
}

void
view_mark(struct view *v, int seconds)
{
	struct buf mark;
	size_t n;

	buf_init(&mark, 256);
	(void)buf_adds(&mark, v->words->thinking);
	if (seconds >= 2)
		(void)buf_addf(&mark, " %d s", seconds);
	n = width_cut(buf_head(&mark), mark.len, columns_of(v) - 1);
	wipe_mark(v);
	v->mark_columns = width_text(buf_head(&mark), n);
	put_coloured(v, colours[VIEW_DIM], buf_head(&mark), n);
	buf_release(&mark);
}

void
view_piece(struct view *v, const char *s, size_t n)
{
	char heading[96];

	if (n == 0)
		return;
	if (v->bottom != VIEW_ANSWER) {
		wipe_mark(v);
		lines_heading(heading, sizeof heading);
		put_coloured(v, "\x1b[1;36m", heading, strlen(heading));
		put(v, "\r\n");
		v->bottom = VIEW_ANSWER;
		wrap_begin(&v->wrap, columns_of(v));
	}
	wrap_text(&v->wrap, s, n, &v->output);
}

void
view_end(struct view *v)
{
	if (v->bottom == VIEW_MARK)
		wipe_mark(v);
	if (v->bottom == VIEW_ANSWER)
		wrap_end(&v->wrap, &v->output);
	if (v->bottom == VIEW_LINE)
		return;
	v->bottom = VIEW_NOTHING;
	if (v->held.len)
		(void)buf_add(&v->output, buf_head(&v->held), v->held.len);
	buf_cut(&v->held, 0);
}

/* Lines of our own break where the terminal breaks them. */
static void
tell(struct view *v, struct buf *to, enum view_colour colour, const char *s, size_t n)
{
	const char *end = s + n, *newline;

	for (; s < end; s = newline + 1) {
		newline = memchr(s, '\n', (size_t)(end - s));
		newline = newline ? newline : end;
		if (v->colours && colour != VIEW_PLAIN)
			(void)buf_adds(to, colours[colour]);
		(void)buf_add(to, s, (size_t)(newline - s));
		if (v->colours && colour != VIEW_PLAIN)
			(void)buf_adds(to, RESET);
		(void)buf_adds(to, "\r\n");
	}
}

void
view_tell(struct view *v, enum view_colour colour, const char *s, size_t n)
{
	bool marked = v->mark_columns > 0;

	if (v->bottom == VIEW_ANSWER) {
		tell(v, &v->held, colour, s, n);
		return;
	}
	screen_erase(&v->screen, &v->output);
	wipe_mark(v);
	tell(v, &v->output, colour, s, n);
	if (v->bottom == VIEW_LINE)
		screen_paint(&v->screen, prompt(v), v->edit, &v->output);
	if (marked)
		view_mark(v, 0);
}

void
view_resize(struct view *v, int columns, int rows)
{
	bool marked = v->mark_columns > 0;

	screen_resize(&v->screen, prompt(v), v->edit, columns, rows);
	if (v->bottom == VIEW_LINE)
		screen_paint(&v->screen, prompt(v), v->edit, &v->output);
	if (v->bottom == VIEW_ANSWER)
		wrap_resize(&v->wrap, columns_of(v));
	wipe_mark(v);
	if (marked)
		view_mark(v, 0);
}

void
view_redraw(struct view *v)
{
	v->screen.shown = false;
	v->mark_columns = 0;
	if (v->bottom == VIEW_LINE)
		screen_paint(&v->screen, prompt(v), v->edit, &v->output);
}

void
view_clear(struct view *v)
{
	put(v, "\x1b[H\x1b[2J");
	view_redraw(v);
}
