/* tls.h - TLS on a socket that does not block; OpenSSL.
 * For:     doors with `tls`, and the client.     Callers: conf/ (is it good?), worker/, client/.
 * Holds:   TLS 1.2 and up, no renegotiation, no compression, no early data. Nothing blocks: what
 *          cannot go on says TLS_AGAIN, and tls_wants_write() what for. An end of the stream
 *          without a close_notify may have been cut off by anybody: it is TLS_GONE, never TLS_END
 *          (RFC 8446, section 6.1).
 * Memory:  contexts are counted by OpenSSL: a connection keeps the one it began with. */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct ssl_st;

enum tls_result { TLS_AGAIN = -1, TLS_END = 0, TLS_GONE = -2 };

/* Certificate (with its chain) and key as PEM texts; ca: certificates that sign those which clients
 * must show, "": none is asked for. Gives, or NULL with the error. */
struct tls_context *tls_context_new(
    const char *cert, const char *key, const char *ca, struct err *e);
void tls_context_free(struct tls_context *t); /* NULL is fine */

/* The client's side. Files in PEM; ca: who signs servers, "": the system's; cert and key: our own,
 * "": none. Gives, or NULL with the error. */
struct tls_context *tls_client_new(
    const char *ca, const char *cert, const char *key, struct err *e);

/* Begin on a connected socket (borrowed until tls_free()). tls_connect(): the server's certificate
 * must be one for this host, a name or a numeric address. */
struct ssl_st *tls_accept(struct tls_context *t, int fd);
struct ssl_st *tls_connect(struct tls_context *t, int fd, const char *host);
void tls_free(struct ssl_st *s);

/* Go on with the handshake. Returns 1 when it is done, TLS_AGAIN, or TLS_GONE. */
int tls_handshake(struct ssl_st *s);
/* Bytes read or written, TLS_AGAIN, TLS_GONE; tls_read() also TLS_END. */
int tls_read(struct ssl_st *s, void *bytes, size_t n);
int tls_write(struct ssl_st *s, const void *bytes, size_t n);
/* Say close_notify. TLS_AGAIN: the socket is full, try again; or TLS_END. */
int tls_close(struct ssl_st *s);
/* Bytes that were read from the socket already. */
bool tls_has_pending(const struct ssl_st *s);
/* Has TLS itself something to say that did not fit into the socket? Go on with tls_handshake(). */
bool tls_wants_write(const struct ssl_st *s);
/* What is wrong with the other side's certificate; NULL: nothing. */
const char *tls_certificate_why(const struct ssl_st *s);
/* "TLSv1.3", and why it failed last. */
const char *tls_version(const struct ssl_st *s);
const char *tls_why(void);

#endif
