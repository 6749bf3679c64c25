/* shim.c - torture.so: see lib/torture.h. Preloaded, it stands before the allocator of libc and
 * lets it fail. Freeing is left alone. */
#include "lib/torture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The same functions of glibc under names that nobody stands before. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static struct torture_page *page;
static bool is_new;

static void
on_fork(void)
{
	is_new = atomic_load(&page->who) == TORTURE_NEW;
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv(TORTURE_VARIABLE);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	page = map;
	(void)pthread_atfork(NULL, NULL, on_fork);
}

static bool
fails(void)
{
	int who = page ? atomic_load(&page->who) : TORTURE_NOBODY;
	int64_t nth, first, every;

	if (who == TORTURE_NOBODY || (who == TORTURE_NEW && !is_new) ||
	    (who == TORTURE_ONE && atomic_load(&page->pid) != (int)getpid()))
		return false;
	nth = atomic_fetch_add(&page->count, 1) + 1;
	first = atomic_load(&page->first);
	every = atomic_load(&page->every);
	if (nth != first && (every == 0 || nth < first || (nth - first) % every != 0))
		return false;
	atomic_fetch_add(&page->failed, 1);
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
