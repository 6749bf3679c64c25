/* tls.c - see tls.h. */
#include "base/tls.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct tls_context {
	SSL_CTX *ctx;
};

const char *
tls_why(void)
{
	unsigned long last = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(last);

	if (ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_WRONG_VERSION_NUMBER)
		return "the other end does not speak TLS";
	return why ? why : "the connection ended";
}

static int
fail(struct err *e, const char *what)
{
	err_set(e, "%s: %s", what, tls_why());
	ERR_clear_error();
	return -1;
}

/* Keys with a passphrase are refused, not asked about. */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
use_cert(SSL_CTX *ctx, const char *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL), *more;
	int good = leaf && SSL_CTX_use_certificate(ctx, leaf) == 1;

	X509_free(leaf);
	while (good && (more = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		good = SSL_CTX_add0_chain_cert(ctx, more) == 1;
	BIO_free(bio);
	if (!good)
		return fail(e, "cert");
	ERR_clear_error(); /* the end of the text is an error to it */
	return 0;
}

static int
use_key(SSL_CTX *ctx, const char *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	int good =
	    key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return good ? 0 : fail(e, "key");
}

static int
use_ca(SSL_CTX *ctx, const char *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	int n = 0, good = 1;
	X509 *ca;

	while (good && (ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
		good = X509_STORE_add_cert(store, ca) == 1 && SSL_CTX_add_client_CA(ctx, ca) == 1;
		X509_free(ca);
		n++;
	}
	BIO_free(bio);
	if (n == 0 || !good)
		return fail(e, "client_ca");
	ERR_clear_error();
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

struct tls_context *
tls_context_new(const char *cert, const char *key, const char *ca, struct err *e)
{
	static const unsigned char session_id[] = "xiaotud";
	struct tls_context *t = mem_zalloc(sizeof *t);

	t->ctx = SSL_CTX_new(TLS_server_method());
	if (t->ctx == NULL)
		abort();
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				     SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(t->ctx, session_id, sizeof session_id - 1);
	if (use_cert(t->ctx, cert, e) || use_key(t->ctx, key, e) ||
	    (*ca && use_ca(t->ctx, ca, e))) {
		tls_context_free(t);
		return NULL;
	}
	return t;
}

struct tls_context *
tls_client_new(const char *ca, const char *cert, const char *key, struct err *e)
{
	struct tls_context *t = mem_zalloc(sizeof *t);

	t->ctx = SSL_CTX_new(TLS_client_method());
	if (t->ctx == NULL)
		abort();
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(
	    t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(t->ctx, no_passphrase);
	if ((*ca ? SSL_CTX_load_verify_locations(t->ctx, ca, NULL)
		 : SSL_CTX_set_default_verify_paths(t->ctx)) != 1)
		fail(e, *ca ? ca : "the system's certificates");
	else if (*cert && SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1)
		fail(e, cert);
	else if (*key && SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1)
		fail(e, key);
	else
		return t;
	tls_context_free(t);
	return NULL;
}

void
tls_context_free(struct tls_context *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

struct ssl_st *
tls_accept(struct tls_context *t, int fd)
{
	SSL *s = SSL_new(t->ctx);

	if (s == NULL || SSL_set_fd(s, fd) != 1)
		abort();
	SSL_set_accept_state(s);
	return s;
}

struct ssl_st *
tls_connect(struct tls_context *t, int fd, const char *host)
{
	SSL *s = SSL_new(t->ctx);
	unsigned char number[16];
	bool is_number =
	    inet_pton(AF_INET, host, number) == 1 || inet_pton(AF_INET6, host, number) == 1;

	if (s == NULL || SSL_set_fd(s, fd) != 1 ||
	    (is_number ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), host)
		       : SSL_set1_host(s, host) && SSL_set_tlsext_host_name(s, host)) != 1)
		abort();
	SSL_set_connect_state(s);
	return s;
}

void
tls_free(struct ssl_st *s)
{
	SSL_free(s);
}

static int
result(const SSL *s, int got)
{
	switch (SSL_get_error(s, got)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_END;
	default:
		return TLS_GONE;
	}
}

int
tls_handshake(struct ssl_st *s)
{
	int got;

	ERR_clear_error();
	got = SSL_do_handshake(s);
	if (got == 1)
		return 1;
	return result(s, got) == TLS_AGAIN ? TLS_AGAIN : TLS_GONE;
}

int
tls_read(struct ssl_st *s, void *bytes, size_t n)
{
	int got;

	ERR_clear_error();
	got = SSL_read(s, bytes, n > INT_MAX ? INT_MAX : (int)n);
	return got > 0 ? got : result(s, got);
}

int
tls_write(struct ssl_st *s, const void *bytes, size_t n)
{
	int got;

	ERR_clear_error();
	got = SSL_write(s, bytes, n > INT_MAX ? INT_MAX : (int)n);
	return got > 0 ? got : result(s, got);
}

int
tls_close(struct ssl_st *s)
{
	int got;

	ERR_clear_error();
	got = SSL_shutdown(s);
	got = got < 0 && result(s, got) == TLS_AGAIN && SSL_want_write(s) ? TLS_AGAIN : TLS_END;
	ERR_clear_error();
	return got;
}

bool
tls_has_pending(const struct ssl_st *s)
{
	return SSL_pending(s) > 0;
}

bool
tls_wants_write(const struct ssl_st *s)
{
	return SSL_in_init(s) && SSL_want_write(s);
}

const char *
tls_certificate_why(const struct ssl_st *s)
{
	long got = SSL_get_verify_result(s);

	return got == X509_V_OK ? NULL : X509_verify_cert_error_string(got);
}

const char *
tls_version(const struct ssl_st *s)
{
	return SSL_get_version(s);
}
