/* wrap.c - see wrap.h.
 * Nobody knows how long a word is before its end has come, and its begin is to be seen at once. So
 * a word is shown as it comes; when it turns out not to fit, it is wiped out and begun again in the
 * next row. Where a line may break anyway, as between two Chinese characters, the terminal wraps by
 * itself, so that it can wrap anew when its window changes and what is copied from it is whole.
 *
 * After a change of the width the cursor is where the terminal's own wrapping has put it: see
 * screen.c. */
#include "client/wrap.h"
#include "base/text.h"
#include "base/width.h"

#include <string.h>

enum { COLUMNS = 80, TAB = 8, LINE_BYTES = 1 << 16, HELD_BYTES = 4096 };

#define ZWJ "\xE2\x80\x8D" /* U+200D: what follows belongs to it */

void
wrap_init(struct wrap *w)
{
	*w = (struct wrap){ .columns = COLUMNS };
	buf_init(&w->unit, LINE_BYTES);
	buf_init(&w->line, LINE_BYTES);
	buf_init(&w->cluster, LINE_BYTES);
	buf_init(&w->held, HELD_BYTES);
}

void
wrap_release(struct wrap *w)
{
	buf_release(&w->unit);
	buf_release(&w->line);
	buf_release(&w->cluster);
	buf_release(&w->held);
}

static void
begin_row(struct wrap *w)
{
	w->column = 0;
	w->unit_column = 0;
	w->due = false;
	w->unsure = false;
	buf_cut(&w->unit, 0);
	buf_cut(&w->line, 0);
}

void
wrap_begin(struct wrap *w, int columns)
{
	w->columns = columns > 0 ? columns : COLUMNS;
	w->last = 0;
	buf_cut(&w->cluster, 0);
	buf_cut(&w->held, 0);
	begin_row(w);
}

/* --- where a line may break ------------------------------------------------------------------ */

static bool
is_in(uint32_t code, const uint32_t *codes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* What ends something, and so begins no row. */
static bool
is_closing(uint32_t code)
{
	static const uint32_t codes[] = { '!', '%', ')', ',', '.', ':', ';', '?', ']', '}', 0xB7,
		0x2019, 0x201D, 0x2025, 0x2026, 0x2014, 0x3001, 0x3002, 0x3005, 0x3009, 0x300B,
		0x300D, 0x300F, 0x3011, 0x3015, 0x3017, 0x301C, 0x30FC, 0xFF01, 0xFF05, 0xFF09,
		0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F, 0xFF3D, 0xFF5D, 0xFF5E };

	return is_in(code, codes, sizeof codes / sizeof *codes);
}

/* What begins something, and so ends no row. */
static bool
is_opening(uint32_t code)
{
	static const uint32_t codes[] = { '(', '[', '{', 0x2018, 0x201C, 0x3008, 0x300A, 0x300C,
		0x300E, 0x3010, 0x3014, 0x3016, 0xFF08, 0xFF3B, 0xFF5B };

	return is_in(code, codes, sizeof codes / sizeof *codes);
}

static bool
may_break(uint32_t before, uint32_t after)
{
	if (before == 0 || before == ' ')
		return true;
	if (is_closing(after) || is_opening(before))
		return false;
	return width_of(before) == 2 || width_of(after) == 2;
}

/* --- showing --------------------------------------------------------------------------------- */

static void
add(struct wrap *w, const char *s, size_t n, int columns, struct buf *out)
{
	(void)buf_add(out, s, n);
	w->column += columns;
	if (buf_add(&w->line, s, n))
		buf_cut(&w->line, 0); /* too long to know where it wraps: only resizing asks */
	if (buf_add(&w->unit, s, n)) {
		buf_cut(&w->unit, 0);
		w->unit_column = w->column;
	}
}

static void
new_row(struct wrap *w, struct buf *out)
{
	(void)buf_adds(out, "\r\n");
	begin_row(w);
}

/* What must stay together goes to the next row. */
static void
take_down(struct wrap *w, struct buf *out)
{
	struct buf unit = w->unit;
	int columns = w->column - w->unit_column;

	buf_init(&w->unit, LINE_BYTES);
	(void)buf_addf(out, "\x1b[%dG\x1b[K", w->unit_column + 1);
	new_row(w, out);
	add(w, buf_head(&unit), unit.len, columns, out);
	buf_release(&unit);
}

/* Room for the next cluster; it belongs to the unit. */
static void
make_room(struct wrap *w, int columns, struct buf *out)
{
	int unit = w->column - w->unit_column;

	if (w->column + columns <= w->columns)
		return;
	if (w->unit.len > 0 && w->unit_column > 0 && unit + columns <= w->columns) {
		take_down(w, out);
	} else if (w->unit.len == 0 && w->last == ' ') {
		new_row(w, out);
	} else { /* the terminal wraps */
		w->column = 0;
		w->unit_column = 0;
		buf_cut(&w->unit, 0);
	}
}

/* More of the last cluster: a mark, or the next of a family of emoji. */
static void
grow_cluster(struct wrap *w, const char *s, size_t n, int more, struct buf *out)
{
	more = w->column + more > w->columns ? w->columns - w->column : more;
	add(w, s, n, more, out);
	(void)buf_add(&w->cluster, s, n);
	w->unsure = true;
}

static void
show_blank(struct wrap *w, const char *s, struct buf *out)
{
	int columns = *s == '\t' ? TAB - w->column % TAB : 1;

	for (; columns > 0 && w->column < w->columns; columns--)
		add(w, " ", 1, 1, out);
	w->due = columns > 0;
	buf_cut(&w->unit, 0);
	w->unit_column = w->column;
}

static void
show_cluster(struct wrap *w, const char *s, size_t n, int columns, struct buf *out)
{
	uint32_t code;
	int len = text_char(s, n, &code);

	/* Not sooner: until here it could have grown, and a terminal would not join what comes
	 * after the cursor was moved. */
	if (w->unsure && w->column < w->columns)
		(void)buf_addf(out, "\x1b[%dG", w->column + 1);
	if (*s == '\n') {
		new_row(w, out);
	} else if (*s == ' ' || *s == '\t') {
		show_blank(w, s, out);
	} else {
		if (w->due)
			new_row(w, out);
		if (may_break(w->last, len > 0 ? code : 0)) {
			buf_cut(&w->unit, 0);
			w->unit_column = w->column;
		}
		make_room(w, columns, out);
		add(w, s, n, columns, out);
	}
	w->unsure = len != (int)n;
	w->last = *s == '\n' ? 0 : *s == '\t' ? ' ' : len > 0 ? code : 0xFFFD;
	buf_cut(&w->cluster, 0);
	(void)buf_add(&w->cluster, s, n);
}

static void
show_text(struct wrap *w, const char *s, size_t n, struct buf *out)
{
	size_t before = w->cluster.len, len;
	int columns, had;

	if (n == 0)
		return;
	if (before > 0) { /* what begins the piece may belong to what ended the last */
		(void)width_cluster(buf_head(&w->cluster), before, &had);
		(void)buf_add(&w->cluster, s, n < 64 ? n : 64);
		len = width_cluster(buf_head(&w->cluster), w->cluster.len, &columns);
		buf_cut(&w->cluster, before);
		if (len > before && *s != '\n') {
			grow_cluster(w, s, len - before, columns - had, out);
			s += len - before;
			n -= len - before;
		}
	}
	for (; n > 0; s += len, n -= len) {
		len = width_cluster(s, n, &columns);
		show_cluster(w, s, len, columns, out);
	}
}

static void
show_held(struct wrap *w, struct buf *out)
{
	struct buf held = w->held;

	buf_init(&w->held, HELD_BYTES);
	if (held.len)
		show_text(w, buf_head(&held), held.len, out);
	buf_release(&held);
}

void
wrap_text(struct wrap *w, const char *s, size_t n, struct buf *out)
{
	/* A terminal may not join what comes later to what it has shown already. */
	bool half =
	    n >= sizeof ZWJ - 1 && memcmp(s + n - (sizeof ZWJ - 1), ZWJ, sizeof ZWJ - 1) == 0;

	if (w->held.len == 0 && !half) {
		show_text(w, s, n, out);
	} else if (buf_add(&w->held, s, n)) {
		show_held(w, out);
		show_text(w, s, n, out);
	} else if (!half) {
		show_held(w, out);
	}
}

void
wrap_end(struct wrap *w, struct buf *out)
{
	show_held(w, out);
	if (w->column > 0)
		(void)buf_adds(out, "\r\n");
	w->last = 0;
	begin_row(w);
}

void
wrap_resize(struct wrap *w, int columns)
{
	int column = 0, here;
	size_t len;

	w->columns = columns > 0 ? columns : COLUMNS;
	for (size_t i = 0; i < w->line.len; i += len) {
		len = width_cluster(buf_head(&w->line) + i, w->line.len - i, &here);
		column = column + here > w->columns && column > 0 ? here : column + here;
	}
	w->column = column;
	w->unit_column = column;
	buf_cut(&w->unit, 0);
}
