/* fakebot_link.c - see fakebot_robot.h: the robot's bytes on a socket, with TLS or without. */
#include "lib/fakebot_robot.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small, so that the count of bytes sent tells what the reader took, not what the kernel keeps. */
enum { KEPT_BYTES = 1 << 16 };

void
fakebot_link_open(struct link *l, int fd, struct ssl_ctx_st *tls)
{
	int on = 1, kept = KEPT_BYTES;

	*l = (struct link){ .fd = fd };
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kept, sizeof kept);
	if (tls == NULL)
		return;
	l->ssl = SSL_new(tls);
	SSL_set_fd(l->ssl, fd);
	SSL_set_accept_state(l->ssl);
}

/* The outcome n of a read or write, in the words of recv(2) and send(2). */
static ssize_t
outcome(struct link *l, int n)
{
	int why = SSL_get_error(l->ssl, n);

	l->wants_out = why == SSL_ERROR_WANT_WRITE;
	if (n > 0)
		return n;
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
	return -1;
}

ssize_t
fakebot_link_recv(struct link *l, void *bytes, size_t n)
{
	if (l->ssl == NULL)
		return recv(l->fd, bytes, n, 0);
	ERR_clear_error();
	return outcome(l, SSL_read(l->ssl, bytes, (int)n));
}

ssize_t
fakebot_link_send(struct link *l, const void *bytes, size_t n)
{
	if (l->ssl == NULL)
		return send(l->fd, bytes, n, MSG_NOSIGNAL);
	ERR_clear_error();
	return outcome(l, SSL_write(l->ssl, bytes, (int)n));
}

void
fakebot_link_close(struct link *l, bool reset)
{
	struct linger at_once = { .l_onoff = 1 };

	if (reset)
		(void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else if (l->ssl != NULL && SSL_is_init_finished(l->ssl))
		(void)SSL_shutdown(l->ssl);
	SSL_free(l->ssl);
	close(l->fd);
}
