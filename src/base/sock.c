/* sock.c - see sock.h. */
#include "base/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 4096, SEND_BYTES = 128 * 1024 };

/* A peer may vanish without a word: power or network fails, a firewall forgets the connection. Then
 * a chat that only listens would hold its place until it is told goodbye for being idle, which may
 * be never, and one with an answer on its way until the kernel has sent that again for a quarter of
 * an hour. So the kernel asks after a minute of silence, and four times more: the peer is gone two
 * minutes after its last sign of life, with bytes on their way or without. The kernel's own times
 * are two hours and eleven minutes. A minute also keeps the many firewalls and address translators
 * busy that forget after two to five. A peer that is there answers by its kernel alone, whatever
 * its program does; but one that lets its receive buffer be full for those two minutes counts as
 * gone, too (tcp(7), TCP_USER_TIMEOUT): timeouts.message would have ended it before. */
enum { ALIVE_IDLE_S = 60, ALIVE_EVERY_S = 15, ALIVE_TIMES = 4, ALIVE_MS = 120 * 1000 };

int
sock_addr_make(struct sock_addr *a, enum sock_kind kind, const char *host, int port, struct err *e)
{
	memset(a, 0, sizeof *a);
	if (kind == SOCK_UNIX) {
		if (strlen(host) >= sizeof a->u.un.sun_path)
			return err_set(
			    e, "%s: longer than %zu bytes", host, sizeof a->u.un.sun_path - 1);
		a->u.un.sun_family = AF_UNIX;
		snprintf(a->u.un.sun_path, sizeof a->u.un.sun_path, "%s", host);
		a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(host) + 1);
		return 0;
	}
	if (inet_pton(AF_INET, host, &a->u.in.sin_addr) == 1) {
		a->u.in.sin_family = AF_INET;
		a->u.in.sin_port = htons((uint16_t)port);
		a->len = sizeof a->u.in;
		return 0;
	}
	if (inet_pton(AF_INET6, host, &a->u.in6.sin6_addr) == 1) {
		a->u.in6.sin6_family = AF_INET6;
		a->u.in6.sin6_port = htons((uint16_t)port);
		a->len = sizeof a->u.in6;
		return 0;
	}
	return err_set(e, "\"%s\" is neither an IPv4 nor an IPv6 address", host);
}

void
sock_addr_text(const struct sock_addr *a, char out[SOCK_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	switch (a->u.any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &a->u.in.sin_addr, host, sizeof host);
		snprintf(out, SOCK_TEXT, "%s:%d", host, ntohs(a->u.in.sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, host, sizeof host);
		snprintf(out, SOCK_TEXT, "[%s]:%d", host, ntohs(a->u.in6.sin6_port));
		break;
	default:
		snprintf(out, SOCK_TEXT, "unix:%s",
		    a->len > sizeof(sa_family_t) ? a->u.un.sun_path : "");
	}
}

void
sock_url(enum sock_kind kind, const struct sock_addr *a, char out[SOCK_TEXT])
{
	char text[SOCK_TEXT];

	sock_addr_text(a, text);
	if (kind == SOCK_UNIX)
		memcpy(out, text, SOCK_TEXT);
	else
		snprintf(out, SOCK_TEXT, "%s://%.*s", kind == SOCK_TCP ? "tcp" : "udp",
		    SOCK_TEXT - 7, text);
}

static void
set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

/* Options that accepted sockets inherit. The send buffer is bounded (FAULTS M13): a reader that
 * never reads would else pin megabytes of kernel memory. */
static void
set_options(int fd, enum sock_kind kind, int family)
{
	if (kind != SOCK_UNIX)
		set(fd, SOL_SOCKET, SO_REUSEADDR, kind == SOCK_TCP);
	if (family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, kind == SOCK_UDP);
	} else if (family == AF_INET) {
		set(fd, IPPROTO_IP, IP_PKTINFO, kind == SOCK_UDP);
	}
	if (kind == SOCK_TCP) {
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		set(fd, IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_IDLE_S);
		set(fd, IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_EVERY_S);
		set(fd, IPPROTO_TCP, TCP_KEEPCNT, ALIVE_TIMES);
		set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, ALIVE_MS);
	}
	if (kind != SOCK_UDP)
		set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES);
}

/* An old socket file that nobody serves any more is in the way of bind(2): remove it. */
static void
unlink_abandoned(const struct sock_addr *a)
{
	struct stat st;
	int fd, refused;

	if (lstat(a->u.un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	refused = connect(fd, &a->u.any, a->len) < 0 && errno == ECONNREFUSED;
	close(fd);
	if (refused)
		unlink(a->u.un.sun_path);
}

int
sock_listen(enum sock_kind kind, const struct sock_addr *a, unsigned mode, struct err *e)
{
	int type = (kind == SOCK_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(a->u.any.sa_family, type, 0);
	char text[SOCK_TEXT];

	sock_url(kind, a, text);
	if (fd < 0)
		return err_errno(e, "%s: socket", text);
	set_options(fd, kind, a->u.any.sa_family);
	if (kind == SOCK_UNIX)
		unlink_abandoned(a);
	if (bind(fd, &a->u.any, a->len) < 0) {
		err_errno(e, "%s: bind: %s", text, errno == EADDRINUSE ? "EADDRINUSE" : "failed");
		goto fail;
	}
	if (kind == SOCK_UNIX && chmod(a->u.un.sun_path, mode) < 0) {
		err_errno(e, "%s: chmod", text);
		goto fail;
	}
	if (kind != SOCK_UDP && listen(fd, BACKLOG) < 0) {
		err_errno(e, "%s: listen: %s", text, errno == EADDRINUSE ? "EADDRINUSE" : "failed");
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

int
sock_adopt(int fd, enum sock_kind *kind, char url[SOCK_TEXT])
{
	int type = option_of(fd, SO_TYPE), family = option_of(fd, SO_DOMAIN);
	struct sock_addr a;

	memset(&a, 0, sizeof a);
	a.len = sizeof a.u;
	if (getsockname(fd, &a.u.any, &a.len) < 0)
		return -1;
	if (type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 &&
	    (family == AF_INET || family == AF_INET6))
		*kind = SOCK_TCP;
	else if (type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 && family == AF_UNIX)
		*kind = SOCK_UNIX;
	else if (type == SOCK_DGRAM && (family == AF_INET || family == AF_INET6))
		*kind = SOCK_UDP;
	else
		return -1;
	sock_url(*kind, &a, url);
	set_options(fd, *kind, family);
	return fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) ? -1 : 0;
}

/* Wait for a connect under way. Returns 0, or -1 with errno. */
static int
await_connect(int fd, int limit_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int why = 0, n;
	socklen_t size = sizeof why;

	do
		n = poll(&p, 1, limit_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
	errno = why;
	return why ? -1 : 0;
}

int
sock_connect(enum sock_kind kind, const struct sock_addr *a, int limit_ms, struct err *e)
{
	int type = (kind == SOCK_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(a->u.any.sa_family, type, 0), saved;
	char text[SOCK_TEXT];

	sock_addr_text(a, text);
	if (fd < 0)
		return err_errno(e, "%s: socket", text);
	if (kind == SOCK_TCP)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, &a->u.any, a->len) == 0)
		return fd;
	if ((errno == EINPROGRESS || errno == EAGAIN) && await_connect(fd, limit_ms) == 0)
		return fd;
	saved = errno;
	err_errno(e, "%s", text);
	close(fd);
	errno = saved;
	return -1;
}

/* ::ffff:192.0.2.1 is the IPv4 address 192.0.2.1 at a socket that takes both (RFC 4291, 2.5.5.2):
 * limits that go by address must not take all of IPv4 for one /64. */
static void
unmap(struct sock_addr *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (a->u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		return;
	in.sin_port = a->u.in6.sin6_port;
	memcpy(&in.sin_addr, a->u.in6.sin6_addr.s6_addr + 12, sizeof in.sin_addr);
	a->u.in = in;
	a->len = sizeof in;
}

int
sock_peer(int fd, struct sock_addr *peer)
{
	peer->len = sizeof peer->u;
	if (getpeername(fd, &peer->u.any, &peer->len) < 0)
		return -1;
	unmap(peer);
	return 0;
}

int
sock_accept(int fd, struct sock_addr *peer)
{
	int taken;

	peer->len = sizeof peer->u;
	taken = accept4(fd, &peer->u.any, &peer->len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (taken >= 0)
		unmap(peer);
	return taken;
}
