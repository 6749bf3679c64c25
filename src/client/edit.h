/* edit.h - the line being typed: its text and the place of the cursor.
 * For:     editing on a terminal.     Callers: client/chat.c, client/screen.c, its tests.
 * Holds:   the text is clean UTF-8 and may hold newlines; the cursor is always between two
 *          clusters (base/width.h), never within one. At most EDIT_BYTES.
 * Memory:  embedded; edit_release() frees. */
#ifndef CLIENT_EDIT_H
#define CLIENT_EDIT_H

#include "base/buf.h"
#include "client/keys.h"

#include <stdbool.h>

enum { EDIT_BYTES = 1 << 16 };

struct edit {
	struct buf text;
	size_t cursor;     /* bytes before it */
	struct buf killed; /* what was cut last */
};

void edit_init(struct edit *e);
void edit_release(struct edit *e);

/* The text (borrow it; never NULL, not NUL-terminated). */
const char *edit_text(const struct edit *e, size_t *n);
/* Replace all of it; the cursor is then at its end. */
void edit_set(struct edit *e, const char *s, size_t n);
/* Put clean text where the cursor is. Returns 0, or -1: too long; then nothing was added. */
int edit_insert(struct edit *e, const char *s, size_t n);
/* Do what the key means for the text. Returns false when it means nothing here or to nobody. */
bool edit_key(struct edit *e, enum key key);
/* Nothing but blanks and newlines? */
bool edit_is_blank(const struct edit *e);

#endif
