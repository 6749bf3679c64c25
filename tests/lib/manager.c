/* manager.c - see manager.h. */
#include "lib/manager.h"

#include "base/lapse.h"
#include "base/sock.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, OUT_OF_THE_WAY = 100 };

/* --- in the server's process, before it is the server ---------------------------------------- */

static void
set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
}

static void
pass_sockets(const struct manager *m)
{
	int fds[MANAGER_SOCKETS];
	char text[16];

	for (int i = 0; i < m->n_sockets; i++)
		fds[i] = fcntl(m->sockets[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	for (int i = 0; i < m->n_sockets; i++)
		(void)dup2(fds[i], FIRST + i);
	snprintf(text, sizeof text, "%d", m->n_sockets);
	set("LISTEN_FDS", text);
	snprintf(text, sizeof text, "%d", m->for_another ? 1 : (int)getpid());
	set("LISTEN_PID", text);
	set("LISTEN_FDNAMES", m->names);
}

static void
prepare(void *arg)
{
	const struct manager *m = arg;

	set("NOTIFY_SOCKET", *m->path ? m->path : NULL);
	set("WATCHDOG_USEC", m->watchdog_us);
	set("WATCHDOG_PID", m->watchdog_pid);
	if (m->n_sockets)
		pass_sockets(m);
}

/* --- in the test ----------------------------------------------------------------------------- */

void
manager_open(struct manager *m, struct server *s, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof a;

	*m = (struct manager){ .fd = -1 };
	s->prepare = prepare;
	s->prepare_arg = m;
	if (path == NULL)
		return;
	snprintf(m->path, sizeof m->path, "%s", path);
	memcpy(a.sun_path, m->path, sizeof a.sun_path);
	if (*path == '@') {
		a.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(m->fd, 0);
	ck_assert_int_eq(bind(m->fd, (const struct sockaddr *)&a, len), 0);
}

static void
pass(struct manager *m, enum sock_kind kind, const char *host, int port)
{
	struct sock_addr a;
	struct err e = { "" };
	int fd;

	ck_assert_int_eq(sock_addr_make(&a, kind, host, port, &e), 0);
	fd = sock_listen(kind, &a, 0600, &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	ck_assert_int_lt(m->n_sockets, MANAGER_SOCKETS);
	m->sockets[m->n_sockets++] = fd;
}

void
manager_pass_tcp(struct manager *m, const char *address, int port)
{
	pass(m, SOCK_TCP, address, port);
}

void
manager_pass_unix(struct manager *m, const char *path)
{
	pass(m, SOCK_UNIX, path, 0);
}

const char *
manager_hear(struct manager *m, int limit_ms)
{
	struct pollfd p = { .fd = m->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, limit_ms < 0 ? 0 : limit_ms) != 1)
		return NULL;
	n = recv(m->fd, m->text, sizeof m->text - 1, 0);
	ck_assert_int_ge(n, 0);
	m->text[n] = '\0';
	return m->text;
}

const char *
manager_wait(struct manager *m, const char *text)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	const char *got;

	while ((got = manager_hear(m, (int)(by_ms - lapse_now_ms()))) != NULL)
		if (strstr(got, text))
			return got;
	ck_abort_msg("the service manager was not told \"%s\"", text);
	return NULL;
}

int
manager_count(struct manager *m, const char *text, int during_ms)
{
	int64_t by_ms = lapse_now_ms() + during_ms;
	const char *got;
	int n = 0;

	while ((got = manager_hear(m, (int)(by_ms - lapse_now_ms()))) != NULL)
		n += strstr(got, text) != NULL;
	return n;
}

void
manager_close(struct manager *m)
{
	if (m->fd >= 0)
		close(m->fd);
	if (*m->path == '/')
		unlink(m->path);
	for (int i = 0; i < m->n_sockets; i++)
		close(m->sockets[i]);
}
