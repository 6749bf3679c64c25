/* jail.h - what a worker cannot do any more, whoever speaks through it.
 * For:     worker.c, once everything is open and before the first byte of a client.
 * Holds:   three walls, the last of them last: no capabilities, files by Landlock (jail_files.c),
 *          system calls by seccomp (jail_calls.c). None of them can be taken down again; threads of
 *          the resolver inherit them. A kernel without one of the walls gets the others, and the
 *          log says so.
 * Memory:  struct jail is embedded; nothing to release. */
#ifndef WORKER_JAIL_H
#define WORKER_JAIL_H

#include "base/err.h"
#include "share/score.h"

#include <stdbool.h>
#include <sys/types.h>

enum { JAIL_WATCHED = 4 };

struct jail {
	int landlock; /* ABI in force, 0: none */
	bool seccomp;
	struct jail_file {
		dev_t device;
		ino_t inode; /* 0: there is no such file */
	} watched[JAIL_WATCHED];
};

/* Go in, unless `on` is false. The log tells once for all workers of `score`. Returns 0, or -1 when
 * something failed that never fails on a kernel that has it. */
int jail_enter(struct jail *j, bool on, struct score *score, struct err *e);
/* Has the resolver's configuration been replaced by a file we may not read? Landlock knows files,
 * not names. Then only a new worker can read it. Does not block; four stat() at most. */
bool jail_is_stale(struct jail *j);

/* --- the walls: for jail.c alone -------------------------------------------------------------- */

/* Returns the ABI in force; 0 with the reason when the kernel has none, -1 when it failed. */
int jail_files_close(struct err *why);
/* Returns 1; 0 with the reason when the kernel has none, -1 when it failed. */
int jail_calls_close(struct err *why);
/* The names that jail_is_stale() watches. */
extern const char *const jail_files_watched[JAIL_WATCHED];

#endif
