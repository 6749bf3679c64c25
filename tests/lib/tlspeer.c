/* tlspeer.c - see tlspeer.h. The carrier blocks wherever it likes: a test that does not read makes
 * it stop reading, too. */
#include "lib/tlspeer.h"

#include "base/mem.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CARRY_BYTES = 65536 };

static int last_port;
static pid_t *carriers;
static size_t n_carriers;

struct carrier {
	const struct tlspeer *t;
	SSL *ssl;
	int server, test;
	bool said_end; /* the test will say no more */
};

/* --- the carrier's process ------------------------------------------------------------------- */

static void
put(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, bytes, n);

		if (k <= 0)
			_exit(0);
		bytes += k;
		n -= (size_t)k;
	}
}

static _Noreturn void
end(struct carrier *c, const char *why)
{
	put(c->test, why, strlen(why));
	_exit(0);
}

static SSL_CTX *
context(const struct tlspeer *t)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	/* What it may speak is the test's to say, not the system's. */
	if (ctx == NULL || SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0") != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, t->least) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, t->most) != 1)
		abort();
	if (t->ca != NULL) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		if (SSL_CTX_load_verify_locations(ctx, t->ca, NULL) != 1)
			abort();
	}
	if (t->cert != NULL && (SSL_CTX_use_certificate_chain_file(ctx, t->cert) != 1 ||
				   SSL_CTX_use_PrivateKey_file(ctx, t->key, SSL_FILETYPE_PEM) != 1))
		abort();
	return ctx;
}

/* Returns whether the server went along. */
static bool
anew(const struct carrier *c)
{
	int times = c->t->anew_times ? c->t->anew_times : 1;

	for (int i = 0; i < times; i++) {
		if (c->t->anew == TLSPEER_NEW_KEYS &&
		    SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
			return false;
		if (c->t->anew == TLSPEER_RENEGOTIATE && SSL_renegotiate(c->ssl) != 1)
			return false;
		if (c->t->anew != TLSPEER_NEVER && SSL_do_handshake(c->ssl) != 1)
			return false;
	}
	return true;
}

static void
carry_to_server(struct carrier *c)
{
	static char bytes[CARRY_BYTES];
	int most = c->t->record_bytes ? c->t->record_bytes : CARRY_BYTES;
	ssize_t n = read(c->test, bytes, sizeof bytes);

	if (n <= 0) {
		c->said_end = true;
		if (!c->t->cut)
			(void)SSL_shutdown(c->ssl);
		(void)shutdown(c->server, SHUT_WR);
		return;
	}
	if (!anew(c))
		end(c, TLSPEER_NOT_ANEW);
	for (ssize_t at = 0; at < n; at += most)
		(void)SSL_write(c->ssl, bytes + at, n - at < most ? (int)(n - at) : most);
}

static void
carry_to_test(struct carrier *c)
{
	static char bytes[CARRY_BYTES];

	do {
		int n = SSL_read(c->ssl, bytes, sizeof bytes);

		if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
			return;
		if (n <= 0)
			end(c,
			    SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN ? "" : TLSPEER_CUT);
		put(c->test, bytes, (size_t)n);
	} while (SSL_pending(c->ssl) > 0);
}

static _Noreturn void
carry(struct carrier *c)
{
	int little = 4096;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->t->narrow)
		(void)setsockopt(c->server, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	(void)signal(SIGPIPE, SIG_IGN);
	if (c->t->first != NULL)
		put(c->server, c->t->first, strlen(c->t->first));
	c->ssl = SSL_new(context(c->t));
	/* Not to wait for text behind a message of TLS itself. */
	(void)SSL_clear_mode(c->ssl, SSL_MODE_AUTO_RETRY);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->server) != 1)
		abort();
	if (SSL_connect(c->ssl) != 1)
		end(c, TLSPEER_REFUSED);
	for (;;) {
		struct pollfd set[2] = { { .fd = c->said_end ? -1 : c->test, .events = POLLIN },
			{ .fd = c->server, .events = POLLIN } };

		if (poll(set, 2, -1) < 0)
			continue;
		if (set[1].revents)
			carry_to_test(c);
		if (set[0].revents)
			carry_to_server(c);
	}
}

/* --- the test's process ---------------------------------------------------------------------- */

/* The carrier holds no other end of anything open; and it may block. */
static _Noreturn void
become_carrier(const struct tlspeer *t, int server, int test)
{
	struct carrier c = { .t = t, .server = 3, .test = 4 };

	server = fcntl(server, F_DUPFD, 5);
	test = fcntl(test, F_DUPFD, 5);
	if (dup2(server, c.server) < 0 || dup2(test, c.test) < 0 || close_range(5, ~0U, 0) ||
	    fcntl(c.server, F_SETFL, O_RDWR))
		abort();
	carry(&c);
}

/* Those that ended leave nothing behind, in tests that open thousands. */
static void
reap(void)
{
	for (size_t i = n_carriers; i-- > 0;)
		if (waitpid(carriers[i], NULL, WNOHANG) != 0)
			carriers[i] = carriers[--n_carriers];
}

static void
remember(pid_t pid)
{
	carriers = mem_resize(carriers, n_carriers + 1, sizeof *carriers);
	carriers[n_carriers++] = pid;
}

struct peer *
tlspeer_open(const char *address, int port, const struct tlspeer *t)
{
	struct peer *to = peer_open(address, port);
	int pair[2], server = dup(to->fd);
	pid_t pid;

	ck_assert_int_ge(server, 0);
	last_port = peer_port(to);
	peer_close(to);
	reap();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		become_carrier(t, server, pair[1]);
	close(server);
	close(pair[1]);
	remember(pid);
	return peer_from(pair[0]);
}

int
tlspeer_port(void)
{
	return last_port;
}

size_t
tlspeer_hello(char *bytes, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *out = BIO_new(BIO_s_mem());
	int n;

	ck_assert(ssl != NULL && out != NULL);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
	ck_assert_int_ne(SSL_connect(ssl), 1);
	n = BIO_read(out, bytes, (int)size);
	ck_assert_int_gt(n, 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (size_t)n;
}
