/* peer.c - see peer.h. */
#include "lib/peer.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "base/sock.h"
#include "lib/oracle.h"

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 65536, IN_BYTES = 64 << 20, SHOWN_BYTES = 400 };

static struct peer *all;

static struct peer *
peer_new(int fd)
{
	struct peer *p = mem_zalloc(sizeof *p);
	int on = 1;

	p->fd = fd;
	p->next = all;
	all = p;
	buf_init(&p->in, IN_BYTES);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return p;
}

static int
open_socket(enum sock_kind kind, const char *host, int port, struct err *e)
{
	struct sock_addr a;

	if (sock_addr_make(&a, kind, host, port, e))
		return -1;
	return sock_connect(kind, &a, PEER_MS, e);
}

static struct peer *
open_or_fail(enum sock_kind kind, const char *host, int port)
{
	struct err e = { .text = "" };
	int fd = open_socket(kind, host, port, &e);

	if (fd < 0)
		ck_abort_msg("cannot connect to %s port %d: %s", host, port, e.text);
	return peer_new(fd);
}

struct peer *
peer_open(const char *address, int port)
{
	return open_or_fail(SOCK_TCP, address, port);
}

struct peer *
peer_open_unix(const char *path)
{
	return open_or_fail(SOCK_UNIX, path, 0);
}

struct peer *
peer_open_udp(const char *address, int port)
{
	return open_or_fail(SOCK_UDP, address, port);
}

struct peer *
peer_try(const char *address, int port)
{
	struct err e;
	int fd = open_socket(SOCK_TCP, address, port, &e);

	return fd < 0 ? NULL : peer_new(fd);
}

static struct peer *
open_from(enum sock_kind kind, const char *source, const char *address, int port)
{
	int type = kind == SOCK_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct sock_addr from, to;
	struct err e;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_addr_make(&from, kind, source, 0, &e), 0);
	ck_assert_int_eq(sock_addr_make(&to, kind, address, port, &e), 0);
	ck_assert_int_eq(bind(fd, &from.u.any, from.len), 0);
	ck_assert_int_eq(connect(fd, &to.u.any, to.len), 0);
	return peer_new(fd);
}

struct peer *
peer_open_from(const char *source, const char *address, int port)
{
	return open_from(SOCK_TCP, source, address, port);
}

struct peer *
peer_open_udp_from(const char *source, const char *address, int port)
{
	return open_from(SOCK_UDP, source, address, port);
}

struct peer *
peer_from(int fd)
{
	return peer_new(fd);
}

int
peer_port(const struct peer *p)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof a;

	ck_assert_int_eq(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin6_port); /* at the same place for both families */
}

/* --- saying ---------------------------------------------------------------------------------- */

/* Returns the bytes sent; fewer than n when the peer is gone or takes nothing for PEER_MS. */
static size_t
send_all(struct peer *p, const char *bytes, size_t n)
{
	struct pollfd w = { .fd = p->fd, .events = POLLOUT };
	size_t sent = 0;

	while (sent < n) {
		ssize_t k = send(p->fd, bytes + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (k >= 0)
			sent += (size_t)k;
		else if (errno != EAGAIN && errno != EINTR)
			break;
		else if (poll(&w, 1, PEER_MS) == 0)
			break;
	}
	return sent;
}

void
peer_send_bytes(struct peer *p, const void *bytes, size_t n)
{
	size_t sent = send_all(p, bytes, n);

	if (sent < n)
		ck_abort_msg("sent only %zu of %zu bytes: %s", sent, n, strerror(errno));
}

void
peer_send(struct peer *p, const char *text)
{
	peer_send_bytes(p, text, strlen(text));
}

void
peer_sendf(struct peer *p, const char *format, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	ck_assert_int_ge(n, 0);
	peer_send_bytes(p, text, (size_t)n);
	free(text);
}

void
peer_push(struct peer *p, const void *bytes, size_t n)
{
	(void)send_all(p, bytes, n);
}

/* --- hearing --------------------------------------------------------------------------------- */

/* No secret in the n bytes just heard, nor where they join what came before. */
static void
check_heard(const struct peer *p, size_t n)
{
	size_t more = n + oracle_secret_bytes();

	more = more < p->in.len ? more : p->in.len;
	oracle_check_bytes("what a chat heard", buf_head(&p->in) + p->in.len - more, more);
}

enum peer_got
peer_fill(struct peer *p)
{
	size_t room;
	char *at = buf_reserve(&p->in, READ_BYTES, &room);
	ssize_t n = p->ended ? 0 : recv(p->fd, at, room, MSG_DONTWAIT);

	if (n > 0) {
		buf_grow(&p->in, (size_t)n);
		check_heard(p, (size_t)n);
		return PEER_BYTES;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PEER_NOTHING;
	p->ended = true;
	return n < 0 ? PEER_RESET : PEER_END;
}

/* Wait for bytes until `by_ms`; PEER_NOTHING means that the time is over. */
static enum peer_got
hear(struct peer *p, int64_t by_ms)
{
	struct pollfd r = { .fd = p->fd, .events = POLLIN };
	enum peer_got got;

	while ((got = peer_fill(p)) == PEER_NOTHING) {
		int64_t left = by_ms - lapse_now_ms();

		if (left <= 0)
			return PEER_NOTHING;
		(void)poll(&r, 1, (int)left);
	}
	return got;
}

static const char *
got_text(enum peer_got got)
{
	switch (got) {
	case PEER_BYTES:
		return "more";
	case PEER_NOTHING:
		return "silence";
	case PEER_END:
		return "the end of the stream";
	case PEER_RESET:
		return "a reset";
	}
	return "?";
}

/* What was heard and not taken; never NULL. */
static const char *
heard(const struct peer *p)
{
	return p->in.len ? buf_head(&p->in) : "";
}

static int
shown(const struct peer *p)
{
	return p->in.len < SHOWN_BYTES ? (int)p->in.len : SHOWN_BYTES;
}

void
peer_expect(struct peer *p, const char *text)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	enum peer_got got = PEER_BYTES;
	size_t n = strlen(text);

	while (p->in.len < n && memcmp(heard(p), text, p->in.len) == 0 && got == PEER_BYTES)
		got = hear(p, by_ms);
	if (p->in.len < n || memcmp(heard(p), text, n) != 0)
		ck_abort_msg("expected \"%s\", heard \"%.*s\" and then %s", text, shown(p),
		    heard(p), got_text(got));
	buf_eat(&p->in, n);
}

const char *
peer_take_line(struct peer *p)
{
	const char *head = heard(p), *end = memchr(head, '\n', p->in.len);

	if (end == NULL)
		return NULL;
	free(p->line);
	p->line = mem_ndup(head, (size_t)(end - head));
	buf_eat(&p->in, (size_t)(end - head) + 1);
	return p->line;
}

const char *
peer_line(struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	enum peer_got got = PEER_BYTES;
	const char *line;

	while ((line = peer_take_line(p)) == NULL && got == PEER_BYTES)
		got = hear(p, by_ms);
	if (line == NULL)
		ck_abort_msg("expected a line, heard \"%.*s\" and then %s", shown(p), heard(p),
		    got_text(got));
	return line;
}

void
peer_expect_prefix(struct peer *p, const char *prefix)
{
	const char *line = peer_line(p);

	if (strncmp(line, prefix, strlen(prefix)) != 0)
		ck_abort_msg("expected a line that begins with \"%s\", heard \"%.*s\"", prefix,
		    SHOWN_BYTES, line);
}

void
peer_eof(struct peer *p)
{
	enum peer_got got = p->in.len ? PEER_BYTES : hear(p, lapse_now_ms() + PEER_MS);

	if (got != PEER_END)
		ck_abort_msg("expected the end of the stream, heard \"%.*s\" and then %s", shown(p),
		    heard(p), got_text(got));
}

void
peer_drop(struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	enum peer_got got;

	do {
		buf_eat(&p->in, p->in.len);
		got = hear(p, by_ms);
	} while (got == PEER_BYTES);
	if (got == PEER_NOTHING)
		ck_abort_msg("expected the stream to end, it stays open");
}

const char *
peer_rest(struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	enum peer_got got;

	while ((got = hear(p, by_ms)) == PEER_BYTES)
		continue;
	if (got != PEER_END)
		ck_abort_msg("expected the end of the stream after \"%.*s\", got %s", shown(p),
		    heard(p), got_text(got));
	ck_assert_int_eq(buf_add(&p->in, "", 1), 0);
	return buf_head(&p->in);
}

size_t
peer_datagram(struct peer *p, char *bytes, size_t size)
{
	struct pollfd r = { .fd = p->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&r, 1, PEER_MS) != 1)
		ck_abort_msg("expected a datagram, none came");
	n = recv(p->fd, bytes, size - 1, MSG_DONTWAIT);
	if (n < 0)
		ck_abort_msg("expected a datagram: %s", strerror(errno));
	bytes[n] = '\0';
	return (size_t)n;
}

void
peer_wait_any(struct peer **peers, int n, int limit_ms)
{
	struct pollfd *set = mem_zalloc((size_t)n * sizeof *set);

	for (int i = 0; i < n; i++)
		set[i] =
		    (struct pollfd){ .fd = peers[i]->ended ? -1 : peers[i]->fd, .events = POLLIN };
	(void)poll(set, (nfds_t)n, limit_ms);
	free(set);
}

/* --- leaving --------------------------------------------------------------------------------- */

void
peer_half_close(struct peer *p)
{
	ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
}

void
peer_vanish(struct peer *p)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog filter = { .len = 1, .filter = &nothing };

	ck_assert_int_eq(
	    setsockopt(p->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
}

void
peer_reset(struct peer *p)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	ck_assert_int_eq(setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
	peer_close(p);
}

void
peer_close(struct peer *p)
{
	struct peer **at = &all;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	close(p->fd);
	buf_release(&p->in);
	free(p->line);
	free(p);
}

void
peer_close_all(void)
{
	while (all != NULL)
		peer_close(all);
}
