/* tool.c - see tool.h. */
#include "bench/tool.h"

#include "base/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int64_t
tool_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

void
tool_die(const char *what)
{
	fprintf(stderr, "bench: ");
	perror(what);
	exit(1);
}

int
tool_raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		tool_die("getrlimit");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		tool_die("setrlimit");
	return r.rlim_cur > 1000000 ? 1000000 : (int)r.rlim_cur;
}

int
tool_listen(int port)
{
	struct sock_addr a;
	struct err e;
	int fd = sock_addr_make(&a, SOCK_TCP, "127.0.0.1", port, &e);

	if (fd == 0)
		fd = sock_listen(SOCK_TCP, &a, 0, &e);
	if (fd < 0) {
		fprintf(stderr, "bench: port %d: %s\n", port, e.text);
		exit(1);
	}
	return fd;
}

int
tool_connect(int port, unsigned part, unsigned x)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000u | part % 256 << 8 | (1 + x % 200)) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
	    (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

void
tool_die_with_parent(void)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		exit(1);
}
