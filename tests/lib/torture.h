/* torture.h - a server whose allocations fail when the test says so.
 * For:     running out of memory anywhere (FAULTS E11).     Callers: tests/e2e, torture/shim.c.
 * Holds:   torture.so, preloaded into the server, looks at a page that it shares with the test at
 *          every malloc, calloc and realloc. Not for programs built with sanitizers, which have
 *          their own allocator.
 * Memory:  torture_new() gives, torture_free() frees; the file goes with the server's folder. */
#ifndef TESTS_LIB_TORTURE_H
#define TESTS_LIB_TORTURE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#define TORTURE_VARIABLE "XIAOTU_TORTURE"

enum torture_who {
	TORTURE_NOBODY,
	TORTURE_ONE, /* this process */
	TORTURE_NEW, /* those forked since: the child that parses, a worker that starts */
};

struct torture_page {
	_Atomic int who, pid;
	_Atomic int64_t first; /* this allocation since then fails */
	_Atomic int64_t every; /* and after that each so many; 0: no more */
	_Atomic int64_t count, failed;
};

struct server;
struct torture;

/* For a server that does not run yet. */
struct torture *torture_new(struct server *s);
void torture_free(struct torture *t);

/* From now on; `pid` is that of TORTURE_ONE. */
void torture_begin(
    struct torture *t, enum torture_who who, pid_t pid, int64_t first, int64_t every);
/* Memory is back. Returns how many allocations failed. */
int64_t torture_end(struct torture *t);

#endif
