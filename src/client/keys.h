/* keys.h - the bytes a terminal sends -> keys and texts.
 * For:     editing a line.     Callers: client/chat.c, its tests.
 * Holds:   texts are clean UTF-8 (base/text.h); a paste in brackets is one text, its ends of lines
 *          are newlines. Sequences nobody knows are no keys. Pure: no descriptor, no clock.
 * Memory:  embedded; keys_release() frees. At most KEYS_BYTES wait. */
#ifndef CLIENT_KEYS_H
#define CLIENT_KEYS_H

#include "base/buf.h"

#include <stdbool.h>

enum { KEYS_BYTES = 1 << 20, KEYS_ESCAPE_MS = 50 };

enum key {
	KEY_NONE, /* nothing whole has come yet */
	KEY_UNKNOWN,
	KEY_TEXT,  /* typed; the text says what */
	KEY_PASTE, /* the same from a paste, which may hold newlines */
	KEY_ENTER,
	KEY_NEWLINE, /* a newline in the text: Alt-Enter */
	KEY_LEFT,
	KEY_RIGHT,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_UP,
	KEY_DOWN,
	KEY_SEARCH,
	KEY_BACKSPACE,
	KEY_DELETE,
	KEY_DELETE_OR_LEAVE, /* Ctrl-D */
	KEY_CUT_WORD,
	KEY_CUT_WORD_RIGHT,
	KEY_CUT_START,
	KEY_CUT_END,
	KEY_YANK,
	KEY_SWAP,
	KEY_CANCEL,
	KEY_REDRAW,
	KEY_SUSPEND,
};

struct keys {
	struct buf in;
	bool pasting;
	bool after_cr; /* a newline now is the rest of an end of line */
};

void keys_init(struct keys *k);
void keys_release(struct keys *k);
/* Returns 0, or -1: too much waits; then nothing was added. */
int keys_feed(struct keys *k, const char *bytes, size_t n);
/* The next key; `text` is emptied and gets that of KEY_TEXT and KEY_PASTE. `quiet`: nothing came
 * for KEYS_ESCAPE_MS, so what looks like the begin of a sequence is none. */
enum key keys_next(struct keys *k, bool quiet, struct buf *text);
/* Does the rest look like the begin of something? Then ask again, `quiet`, after KEYS_ESCAPE_MS. */
bool keys_is_waiting(const struct keys *k);
/* If Ctrl-C is among what waits, drop it and all before it. */
bool keys_take_cancel(struct keys *k);

#endif
