/* daemon.c - see daemon.h. */
#include "master/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "xiaotud: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The process that was started: wait for the word, or for the end of the daemon. */
static void __attribute__((noreturn)) wait_for(int fd)
{
	unsigned char code = 1;
	ssize_t n;

	do
		n = read(fd, &code, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? code : 1);
}

int
daemon_begin(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0) {
		close(ends[1]);
		wait_for(ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0 || chdir("/") < 0)
		die("setsid");
	return ends[1];
}

void
daemon_let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	close(null);
}

void
daemon_tell(int fd, int code)
{
	unsigned char byte = (unsigned char)code;

	if (fd < 0)
		return;
	(void)!write(fd, &byte, 1);
	close(fd);
}
