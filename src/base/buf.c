/* buf.c - see buf.h. */
#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 256 };
const char buf_nothing[] = "";

void
buf_init(struct buf *b, uint32_t limit)
{
	*b = (struct buf){ .limit = limit };
}

void
buf_release(struct buf *b)
{
	free(b->bytes);
	buf_init(b, b->limit);
}

/* Make sure `n` more bytes fit behind the unread ones; the caller has checked the limit. */
static void
make_room(struct buf *b, size_t n)
{
	size_t size = b->size ? b->size : FIRST_BYTES;

	if (b->bytes && b->size - b->start - b->len >= n)
		return;
	if (b->bytes && b->start) {
		memmove(b->bytes, b->bytes + b->start, b->len);
		b->start = 0;
	}
	while (size < b->len + n)
		size *= 2;
	if (size != b->size) {
		b->bytes = mem_resize(b->bytes, size, 1);
		b->size = (uint32_t)size;
	}
}

int
buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n > b->limit - b->len)
		return -1;
	if (n == 0)
		return 0;
	make_room(b, n);
	memcpy(b->bytes + b->start + b->len, bytes, n);
	b->len += (uint32_t)n;
	return 0;
}

int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addf(struct buf *b, const char *format, ...)
{
	va_list ap;
	size_t room;
	int n;

	make_room(b, 1);
	room = b->size - b->start - b->len;
	va_start(ap, format);
	n = vsnprintf(b->bytes + b->start + b->len, room, format, ap);
	va_end(ap);
	assert(n >= 0);
	if ((size_t)n > b->limit - b->len) {
		buf_cut(b, b->len); /* releases one that is empty */
		return -1;
	}
	if ((size_t)n >= room) {
		make_room(b, (size_t)n + 1);
		va_start(ap, format);
		vsnprintf(b->bytes + b->start + b->len, (size_t)n + 1, format, ap);
		va_end(ap);
	}
	return buf_grow(b, (size_t)n), 0;
}

char *
buf_reserve(struct buf *b, size_t want, size_t *room)
{
	if (want > b->limit - b->len)
		want = b->limit - b->len;
	*room = want;
	if (want)
		make_room(b, want);
	return b->bytes + b->start + b->len;
}

void
buf_grow(struct buf *b, size_t n)
{
	assert(b->start + b->len + n <= b->size);
	b->len += (uint32_t)n;
	if (b->len == 0)
		buf_release(b);
}

void
buf_eat(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->start += (uint32_t)n;
	b->len -= (uint32_t)n;
	if (b->len == 0)
		buf_release(b);
}

void
buf_drop(struct buf *b, size_t at, size_t n)
{
	char *s = b->bytes + b->start + at;

	assert(at + n <= b->len);
	memmove(s, s + n, b->len - at - n);
	buf_cut(b, b->len - n);
}

void
buf_cut(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len = (uint32_t)n;
	if (b->len == 0)
		buf_release(b);
}
