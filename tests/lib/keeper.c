/* keeper.c - see keeper.h. */
#include "lib/keeper.h"

#include "lib/procfs.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOWN_BYTES = 8192, TREE_DEPTH = 8, MOST = 64 };

void
keeper_print_log(const char *path)
{
	char bytes[SHOWN_BYTES + 1], *line, *rest;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* it may be a FIFO */
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n =
	    fd < 0 ? -1
		   : pread(fd, bytes, SHOWN_BYTES, size > SHOWN_BYTES ? size - SHOWN_BYTES : 0);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return;
	bytes[n] = '\0';
	fprintf(stderr, "--- end of %s\n", path);
	rest = bytes;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			fprintf(stderr, "  | %s\n", line);
}

static int
on_entry(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	(void)remove(path);
	return 0;
}

/* A server that is just being killed may start one more child, hence the second look. */
static void
kill_tagged(const char *tag)
{
	pid_t pids[MOST];

	for (int round = 0; round < 2; round++) {
		int n = procfs_tagged(tag, pids, MOST);

		for (int i = 0; i < n; i++)
			kill(pids[i], SIGKILL);
	}
}

static _Noreturn void
keep(int fd, const char *folder, const char *log, const char *tag)
{
	char byte;

	setsid();
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	if (dup2(fd, 3) < 0 || close_range(4, ~0U, 0) < 0)
		_exit(1);
	if (read(3, &byte, 1) != 1) {
		keeper_print_log(log);
		kill_tagged(tag);
	}
	(void)nftw(folder, on_entry, TREE_DEPTH, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

void
keeper_start(struct keeper *k, const char *folder, const char *log, const char *tag)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	k->pid = fork();
	ck_assert_int_ge(k->pid, 0);
	if (k->pid == 0)
		keep(ends[0], folder, log, tag);
	close(ends[0]);
	k->fd = ends[1];
}

void
keeper_dismiss(struct keeper *k)
{
	ck_assert_int_eq(write(k->fd, "k", 1), 1);
	close(k->fd);
	waitpid(k->pid, NULL, 0);
}
