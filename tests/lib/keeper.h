/* keeper.h - cleans up behind a test that died.
 * For:     servers under test: Check leaves a failing test by _exit(2), without teardown.
 * Callers: tests/lib/server.c.
 * Holds:   the keeper is a process of its own session that waits for the end of a pipe. Unless it
 *          was dismissed it prints the end of the log and kills what carries the tag; then it
 *          removes the folder.
 * Memory:  none to free but by keeper_dismiss(). */
#ifndef TESTS_LIB_KEEPER_H
#define TESTS_LIB_KEEPER_H

#include <sys/types.h>

struct keeper {
	pid_t pid;
	int fd; /* write end of the pipe */
};

/* `tag` as in procfs_tagged(); `log` a path. All borrowed: fork gives the keeper its copies. */
void keeper_start(struct keeper *k, const char *folder, const char *log, const char *tag);
/* All went well: it removes the folder and leaves. Waits for it. */
void keeper_dismiss(struct keeper *k);

/* Print the last lines of a log to stderr. */
void keeper_print_log(const char *path);

#endif
