/* reach.c - see reach.h. */
#include "client/reach.h"

#include "base/lapse.h"
#include "base/tls.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS = 10000 };

static int
connect_unix(const struct link_place *p, int limit_ms, struct err *e)
{
	struct sock_addr a;

	if (sock_addr_make(&a, SOCK_UNIX, p->host, 0, e))
		return -1;
	return sock_connect(SOCK_UNIX, &a, limit_ms, e);
}

/* Try every address of the name in turn; the error is that of the last. */
static int
connect_tcp(const struct link_place *p, int limit_ms, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char port[8];
	int fd = -1, why;

	snprintf(port, sizeof port, "%d", p->port);
	why = getaddrinfo(p->host, port, &hints, &found);
	if (why)
		return err_set(e, "%s: %s", p->host, gai_strerror(why));
	for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next) {
		struct sock_addr a = { .len = i->ai_addrlen };

		memcpy(&a.u, i->ai_addr, i->ai_addrlen);
		fd = sock_connect(SOCK_TCP, &a, limit_ms, e);
	}
	freeaddrinfo(found);
	return fd;
}

/* Returns 0, or -1: it cannot be had, or not in time. */
static int
handshake(struct ssl_st *tls, int fd, int64_t by_ms, struct err *e)
{
	int got;

	while ((got = tls_handshake(tls)) == TLS_AGAIN) {
		struct pollfd p = { .fd = fd, .events = tls_wants_write(tls) ? POLLOUT : POLLIN };
		int64_t left_ms = by_ms - lapse_now_ms();

		if (left_ms <= 0)
			return err_set(e, "TLS: no answer in time");
		(void)poll(&p, 1, (int)left_ms);
	}
	if (got == 1)
		return 0;
	return err_set(
	    e, "TLS: %s", tls_certificate_why(tls) ? tls_certificate_why(tls) : tls_why());
}

static struct ssl_st *
shake_hands(
    int fd, const struct link_place *p, const struct link_options *o, int limit_ms, struct err *e)
{
	struct tls_context *t = tls_client_new(o->ca_file, o->cert_file, o->key_file, e);
	const char *host = p->kind == SOCK_UNIX ? "localhost" : p->host;
	struct ssl_st *tls;

	if (t == NULL)
		return NULL;
	tls = tls_connect(t, fd, host);
	tls_context_free(t);
	if (handshake(tls, fd, lapse_now_ms() + limit_ms, e) == 0)
		return tls;
	tls_free(tls);
	err_add(e, "%s", p->host);
	return NULL;
}

int
reach(const struct link_place *p, const struct link_options *o, struct ssl_st **tls, struct err *e)
{
	int limit_ms = o->answer_ms < CONNECT_MS ? o->answer_ms : CONNECT_MS;
	int fd = p->kind == SOCK_UNIX ? connect_unix(p, limit_ms, e) : connect_tcp(p, limit_ms, e);

	*tls = NULL;
	if (fd >= 0 && o->tls && (*tls = shake_hands(fd, p, o, limit_ms, e)) == NULL) {
		close(fd);
		fd = -1;
	}
	return fd;
}
