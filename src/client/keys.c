/* keys.c - see keys.h.
 * The sequences are those of xterm and of what behaves like it, which by now is every terminal in
 * use; ECMA-48 section 5.4 gives their shape, so that unknown ones are passed over whole. An ESC
 * that nothing follows for a moment is the key of that name, and means nothing here. */
#include "client/keys.h"
#include "base/text.h"

#include <string.h>

enum { SEQUENCE_BYTES = 32, ESC = 0x1B };

#define PASTE_END "\x1b[201~"

static const uint8_t controls[32] = {
	['A' & 31] = KEY_HOME,
	['B' & 31] = KEY_LEFT,
	['C' & 31] = KEY_CANCEL,
	['D' & 31] = KEY_DELETE_OR_LEAVE,
	['E' & 31] = KEY_END,
	['F' & 31] = KEY_RIGHT,
	['H' & 31] = KEY_BACKSPACE,
	['J' & 31] = KEY_ENTER,
	['K' & 31] = KEY_CUT_END,
	['L' & 31] = KEY_REDRAW,
	['M' & 31] = KEY_ENTER,
	['N' & 31] = KEY_DOWN,
	['P' & 31] = KEY_UP,
	['R' & 31] = KEY_SEARCH,
	['T' & 31] = KEY_SWAP,
	['U' & 31] = KEY_CUT_START,
	['W' & 31] = KEY_CUT_WORD,
	['Y' & 31] = KEY_YANK,
	['Z' & 31] = KEY_SUSPEND,
};

/* What follows ESC. */
static const struct sequence {
	const char *bytes;
	enum key key;
} sequences[] = {
	{ "[A", KEY_UP },
	{ "[B", KEY_DOWN },
	{ "[C", KEY_RIGHT },
	{ "[D", KEY_LEFT },
	{ "[H", KEY_HOME },
	{ "[F", KEY_END },
	{ "OA", KEY_UP },
	{ "OB", KEY_DOWN },
	{ "OC", KEY_RIGHT },
	{ "OD", KEY_LEFT },
	{ "OH", KEY_HOME },
	{ "OF", KEY_END },
	{ "OM", KEY_ENTER },
	{ "[1~", KEY_HOME },
	{ "[7~", KEY_HOME },
	{ "[4~", KEY_END },
	{ "[8~", KEY_END },
	{ "[3~", KEY_DELETE },
	{ "[1;5C", KEY_WORD_RIGHT },
	{ "[1;5D", KEY_WORD_LEFT },
	{ "[1;3C", KEY_WORD_RIGHT },
	{ "[1;3D", KEY_WORD_LEFT },
	{ "b", KEY_WORD_LEFT },
	{ "f", KEY_WORD_RIGHT },
	{ "d", KEY_CUT_WORD_RIGHT },
	{ "\x7f", KEY_CUT_WORD },
	{ "\r", KEY_NEWLINE },
	{ "\n", KEY_NEWLINE },
};

void
keys_init(struct keys *k)
{
	*k = (struct keys){ 0 };
	buf_init(&k->in, KEYS_BYTES);
}

void
keys_release(struct keys *k)
{
	buf_release(&k->in);
}

int
keys_feed(struct keys *k, const char *bytes, size_t n)
{
	return buf_add(&k->in, bytes, n);
}

bool
keys_is_waiting(const struct keys *k)
{
	return k->in.len > 0 && !k->pasting;
}

bool
keys_take_cancel(struct keys *k)
{
	const char *at = k->in.len ? memrchr(buf_head(&k->in), 'C' & 31, k->in.len) : NULL;

	if (at == NULL)
		return false;
	buf_eat(&k->in, (size_t)(at - buf_head(&k->in)) + 1);
	k->pasting = false;
	return true;
}

/* Length of the sequence that s begins with, ESC included; 0: its end is missing. */
static size_t
sequence_length(const char *s, size_t n)
{
	size_t i = 2;

	if (n < 2)
		return 0;
	if (s[1] == 'O')
		return n < 3 ? 0 : 3;
	if (s[1] != '[')
		return 2;
	while (i < n && i < SEQUENCE_BYTES && s[i] >= 0x20 && s[i] <= 0x3F)
		i++;
	return i < n ? i + 1 : i < SEQUENCE_BYTES ? 0 : i;
}

static enum key
take_sequence(struct keys *k, bool quiet)
{
	const char *s = buf_head(&k->in);
	size_t n = sequence_length(s, k->in.len);
	enum key key = KEY_UNKNOWN;

	if (n == 0 && !quiet)
		return KEY_NONE;
	if (n == 0)
		n = 1;
	for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
		if (strlen(sequences[i].bytes) == n - 1 &&
		    memcmp(sequences[i].bytes, s + 1, n - 1) == 0)
			key = sequences[i].key;
	k->pasting = n == 6 && memcmp(s, "\x1b[200~", 6) == 0;
	/* Of ESC and a character only ESC is nothing: the rest of it may have more bytes. */
	if (key == KEY_UNKNOWN && n == 2 && s[1] != '[' && s[1] != 'O')
		n = 1;
	buf_eat(&k->in, n);
	return key;
}

/* Append pasted bytes; CR and CR LF become a newline. */
static void
add_lines(struct keys *k, const char *s, size_t n, struct text_clean *clean, struct buf *text)
{
	for (size_t i = 0, begin = 0; i <= n; i++) {
		if (i < n && s[i] != '\r' && !(s[i] == '\n' && k->after_cr)) {
			k->after_cr = false;
			continue;
		}
		(void)text_clean(clean, s + begin, i - begin, text);
		if (i < n && s[i] == '\r')
			(void)buf_adds(text, "\n");
		k->after_cr = i < n ? s[i] == '\r' : k->after_cr;
		begin = i + 1;
	}
}

static enum key
take_paste(struct keys *k, struct buf *text)
{
	const char *s = k->in.len ? buf_head(&k->in) : "";
	const char *end = memmem(s, k->in.len, PASTE_END, sizeof PASTE_END - 1);
	struct text_clean clean = { 0 };
	size_t n = end ? (size_t)(end - s) : k->in.len;

	/* Without its end it waits, unless it is more than may wait. */
	if (end == NULL && k->in.len < KEYS_BYTES - KEYS_BYTES / 8)
		return KEY_NONE;
	if (end == NULL)
		n = text_cut_bytes(s, k->in.len, k->in.len - SEQUENCE_BYTES);
	add_lines(k, s, n, &clean, text);
	(void)text_clean_end(&clean, text);
	buf_eat(&k->in, end ? n + sizeof PASTE_END - 1 : n);
	if (end) {
		k->pasting = false;
		k->after_cr = false;
	}
	return KEY_PASTE;
}

static bool
is_text(char c)
{
	return ((unsigned char)c >= 0x20 && c != 0x7F) || c == '\t';
}

/* As much text as is there; a character that is cut off waits for its rest. */
static enum key
take_text(struct keys *k, bool quiet, struct buf *text)
{
	const char *s = buf_head(&k->in);
	struct text_clean clean = { 0 };
	size_t n = 0;

	while (n < k->in.len && is_text(s[n]))
		n++;
	if (n == k->in.len && !quiet)
		for (size_t back = 1; back < 4 && back <= n; back++)
			if (text_char(s + n - back, back, NULL) == 0) {
				n -= back;
				break;
			}
	if (n == 0)
		return KEY_NONE;
	(void)text_clean(&clean, s, n, text);
	(void)text_clean_end(&clean, text);
	buf_eat(&k->in, n);
	return KEY_TEXT;
}

enum key
keys_next(struct keys *k, bool quiet, struct buf *text)
{
	enum key key;
	char c;

	buf_cut(text, 0);
	if (k->pasting)
		return take_paste(k, text);
	if (k->in.len == 0)
		return KEY_NONE;
	c = *buf_head(&k->in);
	if (c == ESC) {
		key = take_sequence(k, quiet);
		return k->pasting ? keys_next(k, quiet, text) : key;
	}
	if (is_text(c))
		return take_text(k, quiet, text);
	buf_eat(&k->in, 1);
	key = c == 0x7F ? KEY_BACKSPACE : (enum key)controls[(unsigned char)c];
	return key == KEY_NONE ? KEY_UNKNOWN : key;
}
