/* conn_io.c - see conn_io.h. */
#include "worker/conn_io.h"

#include "base/tls.h"
#include "worker/enter.h"

#include <errno.h>

enum { GONE = -1, AGAIN = -2 };

static struct ssl_st *
tls_of(const struct conn *c)
{
	return c->guest ? c->guest->tls : NULL;
}

static int
from_tls(int got)
{
	return got == TLS_AGAIN ? AGAIN : got == TLS_GONE ? GONE : got;
}

/* Returns bytes, 0 at the end, AGAIN or GONE. */
static int
take(const struct conn *c, void *bytes, size_t n)
{
	struct ssl_st *tls = tls_of(c);
	ssize_t got;

	if (tls)
		return from_tls(tls_read(tls, bytes, n));
	got = recv(c->io.fd, bytes, n, 0);
	return got >= 0 ? (int)got : errno == EAGAIN || errno == EINTR ? AGAIN : GONE;
}

static int
give(const struct conn *c, const void *bytes, size_t n)
{
	struct ssl_st *tls = tls_of(c);
	ssize_t put;

	if (tls)
		return from_tls(tls_write(tls, bytes, n));
	put = send(c->io.fd, bytes, n, MSG_NOSIGNAL);
	return put >= 0 ? (int)put : errno == EAGAIN || errno == EINTR ? AGAIN : GONE;
}

int
conn_io_flush(struct conn *c)
{
	while (c->out.len) {
		int n = give(c, buf_head(&c->out), c->out.len);

		if (n < 0)
			return n == AGAIN ? 0 : -1;
		buf_eat(&c->out, (size_t)n);
		c->put = true;
	}
	if (conn_io_wants_write(c) && tls_handshake(tls_of(c)) == TLS_GONE)
		return -1;
	return 0;
}

int
conn_io_receive(struct conn *c)
{
	size_t room =
	    c->leave == LEAVE_NOT && !c->deaf ? c->in.limit - c->in.len : WORKER_READ_BYTES;
	int n;

	if (room > WORKER_READ_BYTES)
		room = WORKER_READ_BYTES;
	if (room == 0)
		return 0;
	n = take(c, c->w->scratch, room);
	if (n < 0)
		return n == AGAIN ? 0 : -1;
	if (n == 0) {
		c->in_end = true;
		return 0;
	}
	c->got = true;
	c->quiet_over = false;
	if (c->leave == LEAVE_NOT && !c->deaf)
		(void)buf_add(&c->in, c->w->scratch, (size_t)n);
	return 0;
}

bool
conn_io_has_pending(const struct conn *c)
{
	return tls_of(c) && tls_has_pending(tls_of(c));
}

bool
conn_io_wants_write(const struct conn *c)
{
	return tls_of(c) && tls_wants_write(tls_of(c));
}

int
conn_io_shut(struct conn *c)
{
	if (tls_of(c) && tls_close(tls_of(c)) == TLS_AGAIN)
		return 1;
	return shutdown(c->io.fd, SHUT_WR);
}
