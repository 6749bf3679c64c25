/* echo.c - see echo.h. The listener is added to the epoll again now and then, because the process
 * that added it first is woken first: so connections spread as evenly as those of xiaotud. */
#include "bench/echo.h"

#include "bench/tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 256, ADD_AGAIN = 16, BYTES = 4096 };

static void
watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		tool_die("epoll_ctl");
}

static void
take(int epoll, int door)
{
	static int n_taken;
	int one = 1, fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	watch(epoll, fd, EPOLLIN);
	if (++n_taken % ADD_AGAIN == 0) {
		epoll_ctl(epoll, EPOLL_CTL_DEL, door, NULL);
		watch(epoll, door, EPOLLIN | EPOLLEXCLUSIVE);
	}
}

static void
echo(int fd)
{
	char bytes[BYTES];
	ssize_t n = read(fd, bytes, sizeof bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || write(fd, bytes, (size_t)n) != n)
		close(fd);
}

static _Noreturn void
serve(int door)
{
	struct epoll_event got[AT_ONCE];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		tool_die("epoll_create1");
	tool_die_with_parent();
	watch(epoll, door, EPOLLIN | EPOLLEXCLUSIVE);
	for (;;) {
		int n = epoll_wait(epoll, got, AT_ONCE, -1);

		for (int i = 0; i < n; i++)
			if (got[i].data.fd == door)
				take(epoll, door);
			else
				echo(got[i].data.fd);
	}
}

void
echo_run(int port, int n_processes)
{
	int door = tool_listen(port);

	tool_raise_limit();
	for (int i = 0; i < n_processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			tool_die("fork");
		if (pid == 0)
			serve(door);
	}
	puts("serves");
	fflush(stdout);
	while (wait(NULL) > 0)
		continue;
}
