/* mem.c - see mem.h. The arena hands out slices of chunks, newest chunk first; a block larger than
 * a chunk gets a chunk of its own. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16384, ALIGN = 16, LARGE_BYTES = 4096, MUCH_BYTES = 8 << 20 };
enum { SOME_BYTES = 256 << 10, SELDOM = 10 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	_Alignas(ALIGN) char bytes[];
};

void
mem_exhausted(void)
{
	fputs("xiaotu: out of memory\n", stderr);
	abort();
}

static void *
checked(void *p)
{
	if (p == NULL)
		mem_exhausted();
	return p;
}

/* glibc's calloc() passes by the cache of its thread, malloc() does not; but it knows which large
 * blocks are fresh, and leaves their pages untouched. */
void *
mem_zalloc(size_t size)
{
	void *p;

	if (size > LARGE_BYTES)
		return checked(calloc(1, size));
	p = checked(malloc(size ? size : 1));
	memset(p, 0, size);
	return p;
}

void *
mem_resize(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		checked(NULL);
	size *= n;
	return checked(realloc(p, size ? size : 1));
}

void
mem_give_back(struct mem_kept *kept)
{
	size_t free_bytes = mallinfo2().fordblks;

	if (free_bytes < kept->bytes)
		kept->bytes = free_bytes;
	if (kept->n_calls < SELDOM)
		kept->n_calls++;
	if (free_bytes < kept->bytes + MUCH_BYTES &&
	    (kept->n_calls < SELDOM || free_bytes < SOME_BYTES))
		return;
	(void)malloc_trim(0);
	kept->bytes = mallinfo2().fordblks; /* its pages are gone, but it counts as free */
	kept->n_calls = 0;
}

char *
mem_ndup(const char *s, size_t n)
{
	char *copy = mem_resize(NULL, n + 1, 1);

	if (n)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
mem_dup(const char *s)
{
	return mem_ndup(s, strlen(s));
}

static struct arena_chunk *
chunk_new(struct arena *a, size_t need)
{
	size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;
	struct arena_chunk *c = mem_zalloc(sizeof *c + size);

	c->used = 0;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (c == NULL || c->size - c->used < size)
		c = chunk_new(a, size);
	p = c->bytes + c->used;
	c->used += size;
	return p;
}

char *
arena_ndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_zalloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *
arena_dup(struct arena *a, const char *s)
{
	return arena_ndup(a, s, strlen(s));
}

void
arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}
