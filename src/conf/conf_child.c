/* conf_child.c - see conf_child.h. The child writes either the canonical dump or one line of error
 * into the memfd; its exit code says which. */
#include "conf/conf_child.h"

#include "conf/conf_load.h"
#include "conf/conf_show.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DUMP_BYTES = 64 << 20 };

static void
write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t put = write(fd, bytes, n);

		if (put <= 0)
			_exit(3);
		bytes += put;
		n -= (size_t)put;
	}
}

/* The child's whole life. Output of libconfig's own failures goes nowhere. */
static void __attribute__((noreturn)) child_run(int memfd, const char *path, bool optional)
{
	struct err e = { "" };
	struct rlimit memory = { 1UL << 30, 1UL << 30 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct conf *c;
	struct buf out;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__)
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	dup2(null, STDERR_FILENO);
	c = conf_load_file(path, optional, &e);
	if (c == NULL) {
		write_all(memfd, e.text, strlen(e.text));
		_exit(1);
	}
	buf_init(&out, DUMP_BYTES);
	if (conf_dump(c, CONF_WHOLE, &out)) {
		write_all(memfd, "configuration is too large", 26);
		_exit(1);
	}
	write_all(memfd, buf_head(&out), out.len);
	_exit(0);
}

int
conf_child_start(struct conf_child *c, const char *path, bool optional, struct err *e)
{
	c->memfd = memfd_create("xiaotud.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->memfd < 0)
		return err_errno(e, "memfd_create");
	c->pid = fork();
	if (c->pid == 0)
		child_run(c->memfd, path, optional);
	if (c->pid < 0) {
		err_errno(e, "fork");
		close(c->memfd);
		return -1;
	}
	return 0;
}

/* What the child wrote before it exited 1. */
static void
read_error(int memfd, struct err *e)
{
	ssize_t n = pread(memfd, e->text, sizeof e->text - 1, 0);

	e->text[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		err_set(e, "the configuration cannot be read");
}

struct conf *
conf_child_finish(struct conf_child *c, int status, int *memfd, struct err *e)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	struct conf *conf = NULL;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		err_set(e, "the configuration was not read within %d ms", CONF_CHILD_MS);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		read_error(c->memfd, e);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		err_set(e, "the configuration cannot be read (parser gave up)");
	else if (fcntl(c->memfd, F_ADD_SEALS, seals) < 0)
		err_errno(e, "sealing the snapshot");
	else
		conf = conf_load_memfd(c->memfd, e);
	if (conf) {
		*memfd = c->memfd;
	} else {
		close(c->memfd);
	}
	c->pid = 0;
	c->memfd = -1;
	return conf;
}

/* Wait until the other end of the pipe, which the child alone holds, is closed. */
static bool
ends_in_time(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, CONF_CHILD_MS) < 0 && errno == EINTR)
		continue;
	return p.revents != 0;
}

struct conf *
conf_load_apart(const char *path, bool optional, int *memfd, struct err *e)
{
	struct conf_child c = { .memfd = -1 };
	int status = W_EXITCODE(2, 0), lives[2]; /* should nobody tell of the end */

	if (pipe2(lives, O_CLOEXEC) < 0) {
		err_errno(e, "pipe");
		return NULL;
	}
	if (conf_child_start(&c, path, optional, e)) {
		close(lives[0]);
		close(lives[1]);
		return NULL;
	}
	close(lives[1]);
	if (!ends_in_time(lives[0]))
		kill(c.pid, SIGKILL);
	close(lives[0]);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return conf_child_finish(&c, status, memfd, e);
}
