/* vt.c - see vt.h. The sequences are those of ECMA-48: CHA, CUU, ED, EL, SGR. */
#include "lib/vt.h"

#include "base/mem.h"
#include "base/width.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vt *
vt_new(int columns)
{
	struct vt *v = mem_zalloc(sizeof *v);

	ck_assert_int_le(columns, VT_COLUMNS);
	v->columns = columns;
	return v;
}

void
vt_free(struct vt *v)
{
	free(v);
}

static void
wipe(struct vt *v, int row, int from, int to)
{
	for (int i = from; i < to; i++)
		v->cells[row][i][0] = '\0';
	/* Half of a wide one is none. */
	if (from > 0 && from < v->columns && v->cells[row][from - 1][0] > 1) {
		int columns;
		const char *s = v->cells[row][from - 1];

		(void)width_cluster(s, strlen(s), &columns);
		if (columns == 2)
			v->cells[row][from - 1][0] = '\0';
	}
	if (to < v->columns && v->cells[row][to][0] == 1)
		v->cells[row][to][0] = '\0';
}

static void
put(struct vt *v, const char *s, size_t n)
{
	int columns;

	ck_assert_uint_eq(width_cluster(s, n, &columns), n);
	if (v->full || v->column + columns > v->columns) {
		v->row++;
		v->column = 0;
		v->full = false;
	}
	ck_assert_int_lt(v->row, VT_ROWS);
	ck_assert_uint_lt(n, VT_CELL);
	ck_assert_int_gt(columns, 0);
	wipe(v, v->row, v->column, v->column + columns);
	memcpy(v->cells[v->row][v->column], s, n);
	v->cells[v->row][v->column][n] = '\0';
	for (int i = 1; i < columns && v->column + i < v->columns; i++)
		strcpy(v->cells[v->row][v->column + i], "\x01");
	v->column += columns;
	if (v->column >= v->columns) {
		v->column = v->columns - 1;
		v->full = true;
	}
}

static size_t
sequence(struct vt *v, const char *s, size_t n)
{
	int number = 0, given = 0;
	size_t i = 2;

	ck_assert(n >= 3 && s[1] == '[');
	for (; i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == ';'); i++) {
		number = s[i] == ';' ? 0 : number * 10 + s[i] - '0';
		given = 1;
	}
	ck_assert_uint_lt(i, n);
	switch (s[i]) {
	case 'A':
		v->row -= number;
		ck_assert_int_ge(v->row, 0);
		v->full = false;
		break;
	case 'G':
		ck_assert(number >= 1 && number <= v->columns);
		v->column = number - 1;
		v->full = false;
		break;
	case 'J':
		ck_assert_msg(!v->full, "ED in the margin");
		wipe(v, v->row, v->column, v->columns);
		for (int row = v->row + 1; row < VT_ROWS; row++)
			wipe(v, row, 0, v->columns);
		break;
	case 'K':
		ck_assert_msg(!v->full && !given, "EL in the margin");
		wipe(v, v->row, v->column, v->columns);
		break;
	case 'm':
		break;
	default:
		ck_abort_msg("unknown sequence: ESC %.*s", (int)i, s + 1);
	}
	return i + 1;
}

void
vt_feed(struct vt *v, struct buf *bytes)
{
	const char *s = bytes->len ? buf_head(bytes) : "";
	int columns;

	for (size_t n = bytes->len, used; n > 0; s += used, n -= used) {
		used = 1;
		if (*s == '\x1b') {
			used = sequence(v, s, n);
		} else if (*s == '\r') {
			v->column = 0;
			v->full = false;
		} else if (*s == '\n') {
			v->row++;
			v->full = false;
		} else {
			ck_assert_msg((unsigned char)*s >= 0x20, "control %02x", *s);
			used = width_cluster(s, n, &columns);
			put(v, s, used);
		}
	}
	buf_cut(bytes, 0);
}

const char *
vt_row(const struct vt *v, int row)
{
	static char text[VT_COLUMNS * VT_CELL];
	size_t n = 0, end = 0;

	for (int i = 0; i < v->columns; i++) {
		const char *cell = v->cells[row][i];

		if (*cell == 1)
			continue;
		n += (size_t)snprintf(text + n, sizeof text - n, "%s", *cell ? cell : " ");
		if (*cell && strcmp(cell, " ") != 0)
			end = n;
	}
	text[end] = '\0';
	return text;
}

int
vt_rows(const struct vt *v)
{
	for (int row = VT_ROWS; row > 0; row--)
		if (*vt_row(v, row - 1))
			return row;
	return 0;
}
