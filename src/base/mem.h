/* mem.h - allocation that never fails, and an arena.
 * For:     every floor.     Callers: any.
 * Holds:   a returned pointer is never NULL. Every size a peer controls has a limit elsewhere, so
 *          exhaustion is our own failure: the process aborts and the master replaces it.
 * Memory:  plain malloc with one owner; free() releases what mem_* gave. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed block of `size` bytes (0 is treated as 1). Gives; aborts when memory is exhausted. */
void *mem_zalloc(size_t size);

/* Like realloc(3), for n * size bytes; aborts on overflow and on exhaustion. Gives. */
void *mem_resize(void *p, size_t n, size_t size);

/* Memory is exhausted, as a library found that has a milder word for it: abort. */
_Noreturn void mem_exhausted(void);

/* NUL-terminated copies. mem_ndup copies exactly n bytes and adds a NUL. Give. */
char *mem_dup(const char *s);
char *mem_ndup(const char *s, size_t n);

/* An arena: many small blocks, one release. A zeroed struct is a valid empty arena. */
struct arena {
	struct arena_chunk *chunks;
};

/* Zeroed block that lives until arena_release(); aligned for any type. */
void *arena_zalloc(struct arena *a, size_t size);
char *arena_dup(struct arena *a, const char *s);
char *arena_ndup(struct arena *a, const char *s, size_t n);
void arena_release(struct arena *a);

/* What was free after the last time, and how often it was looked at since; 0 at first. */
struct mem_kept {
	size_t bytes;
	int n_calls;
};

/* Once a second: give free memory back to the system. A rush that is over leaves none behind, and
 * every ten seconds neither does what happens every day: a heap that is full of holes would grow
 * with the worst moment of each day. */
void mem_give_back(struct mem_kept *kept);

#endif
