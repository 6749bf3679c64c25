/* store.h - who said what: the last turns of every chat.
 * For:     robots that hold no conversation.     Callers: worker/turn.c.
 * Holds:   per chat at most `max_turns` turns and STORE_CHAT_BYTES bytes; the oldest go first, and
 *          of a longer answer its end. The chat's key is its number in this worker.
 * Memory:  store_open() gives; nothing is kept for a chat that never spoke. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { STORE_CHAT_BYTES = 65536, STORE_MAX_TURNS = 100 };

struct store;

struct store_turn {
	const char *question, *answer;
	size_t n_question, n_answer;
};

struct store_ops {
	const char *kind;
	struct store *(*open)(struct err *e);
	/* Remember one turn; borrows the texts. */
	void (*append)(struct store *s, uint64_t chat, int max_turns, const struct store_turn *t);
	/* The last turns, oldest first, at most `max` into out. Borrowed until the next change of
	 * this chat. Returns how many. */
	int (*recent)(struct store *s, uint64_t chat, int max, struct store_turn *out);
	void (*forget)(struct store *s, uint64_t chat);
	void (*close)(struct store *s);
};

extern const struct store_ops store_mem;

#endif
