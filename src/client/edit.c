/* edit.c - see edit.h.
 * Everything moves by clusters, so that a letter with its accent or a family of emoji goes as one.
 * Where a cluster ends depends on all before it, hence the walks from the start of the text: a
 * message is short. What is a word: letters and digits of one kind, Chinese being a kind. */
#include "client/edit.h"
#include "base/text.h"
#include "base/width.h"

#include <string.h>

void
edit_init(struct edit *e)
{
	*e = (struct edit){ 0 };
	buf_init(&e->text, EDIT_BYTES);
	buf_init(&e->killed, EDIT_BYTES);
}

void
edit_release(struct edit *e)
{
	buf_release(&e->text);
	buf_release(&e->killed);
}

const char *
edit_text(const struct edit *e, size_t *n)
{
	*n = e->text.len;
	return *n ? buf_head(&e->text) : "";
}

void
edit_set(struct edit *e, const char *s, size_t n)
{
	n = text_cut_bytes(s, n, EDIT_BYTES);
	buf_cut(&e->text, 0);
	(void)buf_add(&e->text, s, n);
	e->cursor = n;
}

/* The start of the cluster that holds byte `at`, or `at` when it is between two. */
static size_t
floor_of(const struct edit *e, size_t at)
{
	size_t n, i = 0, len = 0;
	const char *s = edit_text(e, &n);
	int columns;

	while (i < at) {
		len = width_cluster(s + i, n - i, &columns);
		if (i + len > at)
			break;
		i += len;
	}
	return i;
}

/* The same, upwards. */
static size_t
ceiling_of(const struct edit *e, size_t at)
{
	size_t n, i = 0;
	const char *s = edit_text(e, &n);
	int columns;

	while (i < at)
		i += width_cluster(s + i, n - i, &columns);
	return i;
}

int
edit_insert(struct edit *e, const char *s, size_t n)
{
	size_t old = e->text.len;
	char *bytes;

	if (n == 0)
		return 0;
	if (buf_add(&e->text, s, n))
		return -1;
	bytes = e->text.bytes + e->text.start;
	memmove(bytes + e->cursor + n, bytes + e->cursor, old - e->cursor);
	memcpy(bytes + e->cursor, s, n);
	/* What was put in may have grown together with what follows. */
	e->cursor = ceiling_of(e, e->cursor + n);
	return 0;
}

/* --- places ---------------------------------------------------------------------------------- */

static size_t
left(const struct edit *e, size_t at)
{
	size_t n;
	const char *s = edit_text(e, &n);

	return at - width_last_cluster(s, at);
}

static size_t
right(const struct edit *e, size_t at)
{
	size_t n;
	const char *s = edit_text(e, &n);
	int columns;

	return at < n ? at + width_cluster(s + at, n - at, &columns) : n;
}

enum kind { KIND_BLANK, KIND_PUNCTUATION, KIND_LETTER, KIND_WIDE };

static enum kind
kind_at(const struct edit *e, size_t at)
{
	size_t n;
	const char *s = edit_text(e, &n);
	uint32_t c = 0;

	(void)text_char(s + at, n - at, &c);
	if (c == ' ' || c == '\t' || c == '\n' || c == 0x3000)
		return KIND_BLANK;
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
			   ? KIND_LETTER
			   : KIND_PUNCTUATION;
	if ((c >= 0x2000 && c <= 0x206F) || (c >= 0x3001 && c <= 0x303F) ||
	    (c >= 0xFF01 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20))
		return KIND_PUNCTUATION;
	return width_of(c) == 2 ? KIND_WIDE : KIND_LETTER;
}

static bool
is_word(enum kind kind)
{
	return kind == KIND_LETTER || kind == KIND_WIDE;
}

static size_t
word_left(const struct edit *e, size_t at)
{
	enum kind kind, before = KIND_BLANK;
	size_t start = 0;

	for (size_t i = 0; i < at; i = right(e, i), before = kind) {
		kind = kind_at(e, i);
		if (is_word(kind) && kind != before)
			start = i;
	}
	return start;
}

static size_t
word_right(const struct edit *e, size_t at)
{
	enum kind kind;

	while (at < e->text.len && !is_word(kind_at(e, at)))
		at = right(e, at);
	if (at == e->text.len)
		return at;
	kind = kind_at(e, at);
	while (at < e->text.len && kind_at(e, at) == kind)
		at = right(e, at);
	return at;
}

/* Of a text of several lines the one with the cursor. */
static size_t
line_start(const struct edit *e)
{
	size_t n;
	const char *s = edit_text(e, &n), *newline = memrchr(s, '\n', e->cursor);

	return newline ? (size_t)(newline - s) + 1 : 0;
}

static size_t
line_end(const struct edit *e)
{
	size_t n;
	const char *s = edit_text(e, &n), *newline = memchr(s + e->cursor, '\n', n - e->cursor);

	return newline ? (size_t)(newline - s) : n;
}

/* --- keys ------------------------------------------------------------------------------------ */

static bool
move(struct edit *e, size_t to)
{
	e->cursor = to;
	return true;
}

/* Take out what is between the two, one of which is the cursor. */
static bool
take_out(struct edit *e, size_t from, size_t to, bool keep)
{
	size_t n;
	const char *s = edit_text(e, &n);

	if (keep && to > from) {
		buf_cut(&e->killed, 0);
		(void)buf_add(&e->killed, s + from, to - from);
	}
	if (to > from)
		buf_drop(&e->text, from, to - from);
	e->cursor = floor_of(e, from);
	return true;
}

/* The clusters on both sides of the cursor change places; at the end the last two. */
static bool
swap(struct edit *e)
{
	size_t middle = e->cursor == e->text.len ? left(e, e->cursor) : e->cursor;
	size_t from = left(e, middle), to = right(e, middle);
	char *s;

	if (from == middle || to == middle)
		return false;
	s = e->text.bytes + e->text.start;
	buf_cut(&e->killed, 0);
	(void)buf_add(&e->killed, s + from, middle - from);
	memmove(s + from, s + middle, to - middle);
	memcpy(s + from + (to - middle), buf_head(&e->killed), middle - from);
	buf_cut(&e->killed, 0);
	return move(e, ceiling_of(e, to));
}

bool
edit_key(struct edit *e, enum key key)
{
	size_t at = e->cursor;

	switch ((int)key) {
	case KEY_LEFT:
		return move(e, left(e, at));
	case KEY_RIGHT:
		return move(e, right(e, at));
	case KEY_WORD_LEFT:
		return move(e, word_left(e, at));
	case KEY_WORD_RIGHT:
		return move(e, word_right(e, at));
	case KEY_HOME:
		return move(e, line_start(e));
	case KEY_END:
		return move(e, line_end(e));
	case KEY_BACKSPACE:
		return take_out(e, left(e, at), at, false);
	case KEY_DELETE:
	case KEY_DELETE_OR_LEAVE:
		return take_out(e, at, right(e, at), false);
	case KEY_CUT_WORD:
		return take_out(e, word_left(e, at), at, true);
	case KEY_CUT_WORD_RIGHT:
		return take_out(e, at, word_right(e, at), true);
	case KEY_CUT_START:
		return take_out(e, line_start(e), at, true);
	case KEY_CUT_END:
		return take_out(e, at, line_end(e), true);
	case KEY_NEWLINE:
		return edit_insert(e, "\n", 1) == 0;
	case KEY_YANK:
		return e->killed.len && edit_insert(e, buf_head(&e->killed), e->killed.len) == 0;
	case KEY_SWAP:
		return swap(e);
	default:
		return false;
	}
}

bool
edit_is_blank(const struct edit *e)
{
	for (size_t i = 0; i < e->text.len; i++)
		if (strchr(" \t\n", buf_head(&e->text)[i]) == NULL)
			return false;
	return true;
}
