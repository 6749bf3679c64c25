/* conf_load.h - libconfig text -> struct conf, every error with file, line and key.
 * For:     the master, at start and at reload; workers, which load the canonical dump.
 * Holds:   libconfig may exit or block on a hostile file (FAULTS M1), so a file is parsed only in a
 *          child with a deadline, which hands the canonical dump back; a dump is loaded directly.
 * Memory:  gives snapshots, freed with conf_free(). */
#ifndef CONF_CONF_LOAD_H
#define CONF_CONF_LOAD_H

#include "conf/conf.h"

#include <sys/types.h>

enum { CONF_CHILD_MS = 1500, CONF_FILE_BYTES = 4 << 20 };

/* Parse the file in this process: for the short-lived child and for tests. `path` NULL or missing
 * with `optional`: the built-in defaults. Reads rule files and key files too, refuses a file with
 * secrets that others can read. Returns NULL with the error "file:line: key: what". */
struct conf *conf_load_file(const char *path, bool optional, struct err *e);

/* Load a canonical dump (conf_dump()) of n bytes. */
struct conf *conf_load_dump(const char *text, size_t n, struct err *e);
/* The same from a sealed memfd (borrowed). */
struct conf *conf_load_memfd(int fd, struct err *e);

/* A child that parses: watch for its end, for at most CONF_CHILD_MS, then kill it. */
struct conf_child {
	pid_t pid;
	int memfd; /* the dump, sealed by conf_child_finish() */
};

/* Fork it. Returns 0 or -1. The child never returns from this call; it exits 0 or 1. */
int conf_child_start(struct conf_child *c, const char *path, bool optional, struct err *e);
/* After the child was reaped with `status` (as waitpid(2)): the snapshot, or NULL with the child's
 * error. On success *memfd is the sealed dump (gives). Closes what the child held. */
struct conf *conf_child_finish(struct conf_child *c, int status, int *memfd, struct err *e);
/* All of the above at once; blocks for at most CONF_CHILD_MS. */
struct conf *conf_load_apart(const char *path, bool optional, int *memfd, struct err *e);

#endif
