/* procfs.h - what /proc tells about processes under test.
 * For:     the oracle after each end-to-end test.     Callers: tests/lib/server.c, tests/e2e.
 * Holds:   only looks; nothing here signals or reaps. A process that ended but was not reaped is
 *          gone, except in procfs_children(), which counts it as a zombie.
 * Memory:  none; the caller's arrays. */
#ifndef TESTS_LIB_PROCFS_H
#define TESTS_LIB_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The living children of `parent`, at most `max`; *zombies (may be NULL) the others. */
int procfs_children(pid_t parent, pid_t *pids, int max, int *zombies);

/* The living processes whose environment holds `tag`, at most `max`. */
int procfs_tagged(const char *tag, pid_t *pids, int max);

/* Open descriptors of a process, -1 when they cannot be read. */
int procfs_descriptors(pid_t pid);

/* Do the bytes of /proc/PID/NAME hold the text? */
bool procfs_holds(pid_t pid, const char *name, const char *text);
/* What can be had of it; valid until the next. "" when it is gone. */
const char *procfs_read(pid_t pid, const char *name, size_t *n);

/* Processor time used so far, ms; 0 when it is gone. */
int64_t procfs_cpu_ms(pid_t pid);

/* The same in ns, as exact as the scheduler is; -1 when nobody tells. */
int64_t procfs_cpu_ns(pid_t pid);

/* Does it wait for something, with nothing left to do? So does one that is gone. */
bool procfs_sleeps(pid_t pid);

/* A size in /proc/PID/status, in KiB: "VmRSS:", "VmHWM:" (the most so far); -1 without it. */
int64_t procfs_memory_kib(pid_t pid, const char *name);

/* KiB that are this process's alone and written to; -1 when nobody tells. */
int64_t procfs_own_kib(pid_t pid);

/* Wait (blocks) until the process has ended; false when that takes longer. */
bool procfs_wait_gone(pid_t pid, int limit_ms);

/* Wait (blocks) for a few ms: only for conditions nobody announces, within a bounded loop. */
void procfs_tick(void);

#endif
