/* ctl_ask.c - see ctl_ask.h. */
#include "ctl/ctl_ask.h"

#include "base/lapse.h"
#include "base/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, READ_BYTES = 65536 };

/* Until something can be done. Returns 0, or -1: the time is up. */
static int
await(int fd, short events, int64_t by_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do {
		int64_t left_ms = by_ms < 0 ? -1 : by_ms - lapse_now_ms();

		if (by_ms >= 0 && left_ms <= 0)
			return -1;
		n = poll(&p, 1, (int)left_ms);
	} while (n <= 0 && (n == 0 || errno == EINTR));
	return n > 0 ? 0 : -1;
}

/* A server that refuses us may close before it heard everything: what it says counts. */
static void
say(int fd, const char *command)
{
	char line[256];
	size_t n = (size_t)snprintf(line, sizeof line, "%s\n", command);

	(void)send(fd, line, n, MSG_NOSIGNAL);
}

static int
hear(int fd, int64_t by_ms, struct buf *out, struct err *e)
{
	for (;;) {
		size_t room;
		char *at = buf_reserve(out, READ_BYTES, &room);
		ssize_t n = room ? recv(fd, at, room, 0) : -1;

		if (room <= 1)
			return err_set(e, "the answer is too long");
		if (n > 0)
			buf_grow(out, (size_t)n);
		else if (n == 0 || errno == ECONNRESET)
			break;
		else if (errno != EAGAIN && errno != EINTR)
			return err_errno(e, "the answer did not come");
		else if (await(fd, POLLIN, by_ms))
			return err_set(e, "no answer: the server hangs or is stopped");
	}
	if (out->len == 0)
		return err_set(e, "the server closed without an answer");
	(void)buf_add(out, "", 1);
	out->len--;
	return 0;
}

enum ctl_exit
ctl_ask(const char *path, const char *command, int limit_ms, struct buf *out, struct err *e)
{
	int64_t by_ms = limit_ms < 0 ? -1 : lapse_now_ms() + limit_ms;
	struct sock_addr a;
	int fd, bad;

	if (sock_addr_make(&a, SOCK_UNIX, path, 0, e))
		return CTL_FAILED;
	fd = sock_connect(SOCK_UNIX, &a, CONNECT_MS, e);
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED)) {
		err_set(
		    e, "nobody runs, or with another `control` than %s (-c FILE, -s SOCKET)", path);
		return CTL_NOBODY;
	}
	if (fd < 0)
		return CTL_FAILED;
	say(fd, command);
	bad = hear(fd, by_ms, out, e);
	close(fd);
	return bad ? CTL_FAILED : CTL_DONE;
}
