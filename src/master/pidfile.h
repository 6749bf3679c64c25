/* pidfile.h - the file with the master's process id.
 * For:     -s, service managers.     Callers: master/, prog/.
 * Holds:   written beside and renamed into place, so nobody reads half of it and a symbolic link is
 *          replaced, not followed. The master holds a lock (fcntl) on it while it runs: a process
 *          id without the lock is stale, whoever has that id now.
 * Memory:  one descriptor. */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include "base/err.h"

#include <sys/types.h>

/* Returns the descriptor that holds the lock (gives), or -1. */
int pidfile_write(const char *path, struct err *e);
/* Remove it, if it is still ours. */
void pidfile_remove(const char *path, int fd);
/* The process that holds the lock; 0: nobody runs; -1 with an error. */
pid_t pidfile_owner(const char *path, struct err *e);

#endif
