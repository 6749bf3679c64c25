/* store_mem.c - the store in this process's memory: a hash table of chats, a list of turns each. */
#include "store/store.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

struct turn_item {
	struct list link;
	size_t n_question, n_answer;
	char bytes[]; /* question, then answer */
};

struct chat_item {
	struct chat_item *next;
	uint64_t chat;
	struct list turns;
	int n_turns;
	size_t n_bytes;
};

struct store {
	struct chat_item *buckets[BUCKETS];
};

static struct store *
mem_open(struct err *e)
{
	(void)e;
	return mem_zalloc(sizeof(struct store));
}

/* The link that points at the chat, or at the end of its bucket. */
static struct chat_item **
find(struct store *s, uint64_t chat)
{
	struct chat_item **at = &s->buckets[chat % BUCKETS];

	while (*at && (*at)->chat != chat)
		at = &(*at)->next;
	return at;
}

static void
drop_oldest(struct chat_item *c)
{
	struct turn_item *t = list_item(list_first(&c->turns), struct turn_item, link);

	list_remove(&t->link);
	c->n_turns--;
	c->n_bytes -= t->n_question + t->n_answer;
	free(t);
}

static void
mem_append(struct store *s, uint64_t chat, int max_turns, const struct store_turn *said)
{
	struct chat_item **at = find(s, chat), *c = *at;
	struct turn_item *t;
	size_t n_answer, n;

	if (max_turns < 1 || said->n_question >= STORE_CHAT_BYTES)
		return;
	/* Of a long answer the beginning is better than nothing. */
	n_answer =
	    text_cut_bytes(said->answer, said->n_answer, STORE_CHAT_BYTES - said->n_question);
	n = said->n_question + n_answer;
	if (c == NULL) {
		c = *at = mem_zalloc(sizeof *c);
		c->chat = chat;
		list_init(&c->turns);
	}
	while (c->n_turns && (c->n_turns >= max_turns || c->n_bytes + n > STORE_CHAT_BYTES))
		drop_oldest(c);
	t = mem_zalloc(sizeof *t + n);
	t->n_question = said->n_question;
	t->n_answer = n_answer;
	memcpy(t->bytes, said->question, said->n_question);
	memcpy(t->bytes + said->n_question, said->answer, n_answer);
	list_append(&c->turns, &t->link);
	c->n_turns++;
	c->n_bytes += n;
}

static int
mem_recent(struct store *s, uint64_t chat, int max, struct store_turn *out)
{
	struct chat_item *c = *find(s, chat);
	int n = 0, skip;

	if (c == NULL)
		return 0;
	skip = c->n_turns - max;
	list_each (it, &c->turns) {
		struct turn_item *t = list_item(it, struct turn_item, link);

		if (skip-- > 0)
			continue;
		out[n++] = (struct store_turn){ t->bytes, t->bytes + t->n_question, t->n_question,
			t->n_answer };
	}
	return n;
}

static void
mem_forget(struct store *s, uint64_t chat)
{
	struct chat_item **at = find(s, chat), *c = *at;

	if (c == NULL)
		return;
	*at = c->next;
	while (c->n_turns)
		drop_oldest(c);
	free(c);
}

static void
mem_close(struct store *s)
{
	for (int i = 0; i < BUCKETS; i++)
		while (s->buckets[i])
			mem_forget(s, s->buckets[i]->chat);
	free(s);
}

const struct store_ops store_mem = { "mem", mem_open, mem_append, mem_recent, mem_forget,
	mem_close };
