/* conf_child.h - a configuration file is parsed apart, in a child with a deadline.
 * For:     the master at start and at reload, and -t, -T, -s.     Callers: master/, prog/.
 * Holds:   libconfig 1.5 ends the process at a read error and blocks on a FIFO; in the child that
 *          costs nothing but the attempt. The child hands the canonical dump back in a memfd.
 * Memory:  gives snapshots, freed with conf_free(), and sealed memfds. */
#ifndef CONF_CONF_CHILD_H
#define CONF_CONF_CHILD_H

#include "conf/conf.h"

#include <sys/types.h>

enum { CONF_CHILD_MS = 1500 };

/* Watch for its end, for at most CONF_CHILD_MS, then kill it. */
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
