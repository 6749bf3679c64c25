/* list.h - intrusive doubly linked list.
 * For:     objects that sit in at most one list per link.     Callers: any floor.
 * Holds:   a link that is in no list points at itself, so list_remove() twice is harmless.
 * Memory:  none of its own; the list never owns its members. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define list_item(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
#define list_each(i, head)            for (struct list *i = (head)->next; i != (head); i = i->next)
/* As list_each; the current item may be removed. */
#define list_each_safe(it, head)                                                                   \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head);                  \
	     it = it##_next, it##_next = it->next)

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* The first item's link; the list is not empty. */
#ifdef __clang_analyzer__
/* It does not know that the links of a list fit together, and sees freed items in one that is
 * emptied item by item: it is not told. */
struct list *list_first(const struct list *l);
#else
static inline struct list *
list_first(const struct list *l)
{
	return l->next;
}
#endif

static inline void
list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* All of `more`, in its order, in front of what is in `head`; nothing is left in `more`. */
static inline void
list_put_before(struct list *head, struct list *more)
{
	if (list_is_empty(more))
		return;
	more->prev->next = head->next;
	head->next->prev = more->prev;
	head->next = more->next;
	more->next->prev = head;
	list_init(more);
}

static inline void
list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

#endif
