/* buf.h - a byte queue with a hard limit.
 * For:     every descriptor we read or write, and every text we build.     Callers: any floor; one
 *          owner.
 * Holds:   len <= limit always; order kept; never NUL-terminated. A zeroed struct has limit 0:
 *          call buf_init() first.
 * Memory:  grows by doubling up to the limit; released as soon as it is drained, so an idle chat
 *          holds none. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	char *bytes;
	uint32_t start; /* first unread byte */
	uint32_t len;   /* unread bytes */
	uint32_t size;  /* allocated bytes */
	uint32_t limit; /* bytes it may ever hold */
};

void buf_init(struct buf *b, uint32_t limit);
void buf_release(struct buf *b);

/* The head of an empty buffer; of a size that compilers do not know, lest they warn of every
 * buf_head(b)[b->len - 1]. */
extern const char buf_nothing[];

/* The unread bytes, "" when there are none. Valid until the next call that changes the buffer. */
static inline const char *
buf_head(const struct buf *b)
{
	return b->len ? b->bytes + b->start : buf_nothing;
}

/* Append n bytes (0 is fine). Borrows `bytes` for the call.
 * Returns 0, or -1 if len + n would pass the limit; then nothing was added. */
int buf_add(struct buf *b, const void *bytes, size_t n);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for up to `want` more bytes, fewer near the limit: *room says how many (0 when full).
 * Returns where to write them; buf_grow() then makes the first n of them part of the queue. */
char *buf_reserve(struct buf *b, size_t want, size_t *room);
void buf_grow(struct buf *b, size_t n);

/* Drop n bytes from byte `at` on; the rest moves up. */
void buf_drop(struct buf *b, size_t at, size_t n);

/* Drop n bytes (at most len) from the front, or all but the first n from the end. */
void buf_eat(struct buf *b, size_t n);
void buf_cut(struct buf *b, size_t n);

#endif
