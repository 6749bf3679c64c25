/* sock.h - "tcp://[::]:9999", "unix:/run/x", "udp://127.0.0.1:9999" <-> sockets, in one place.
 * For:     listeners of the master, sockets of workers and client.     Callers: any floor.
 * Holds:   every descriptor is non-blocking and close-on-exec. Numeric addresses only: nothing here
 *          asks a name server, so nothing blocks.
 * Memory:  none; the caller owns what is opened. */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

#include "base/err.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

enum sock_kind { SOCK_TCP, SOCK_UDP, SOCK_UNIX };

struct sock_addr {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} u;
	socklen_t len;
};

enum { SOCK_TEXT = 160 }; /* bytes that hold any address text, NUL included */

/* Fill from a numeric address and a port, or from a path (kind SOCK_UNIX). Returns 0 or -1. */
int sock_addr_make(
    struct sock_addr *a, enum sock_kind kind, const char *host, int port, struct err *e);

/* "127.0.0.1:9999", "[::1]:9999", "unix:/run/x" ("unix:" for an unnamed peer). */
void sock_addr_text(const struct sock_addr *a, char out[SOCK_TEXT]);
/* The same with scheme, for listeners: "tcp://[::1]:9999". */
void sock_url(enum sock_kind kind, const struct sock_addr *a, char out[SOCK_TEXT]);

/* Bind, and listen unless it is UDP. TCP over IPv6 takes IPv6 alone, so that both can be bound. An
 * abandoned Unix socket file is replaced, a live one is EADDRINUSE; mode is that of the file.
 * Returns the descriptor (gives), or -1. */
int sock_listen(enum sock_kind kind, const struct sock_addr *a, unsigned mode, struct err *e);

/* A listening (or datagram) socket that somebody else opened: tell kind and url, and give it the
 * options of sock_listen(). Returns 0, or -1 when it is no socket that we can serve. */
int sock_adopt(int fd, enum sock_kind *kind, char url[SOCK_TEXT]);

/* Connect, waiting at most limit_ms (blocks). Returns the descriptor (gives), or -1; errno is
 * ETIMEDOUT when the time was up. */
int sock_connect(enum sock_kind kind, const struct sock_addr *a, int limit_ms, struct err *e);

/* Accept one (errno as accept4) and fill the peer; an IPv4 peer is one, also at a socket that takes
 * both. Returns the descriptor (gives), or -1. */
int sock_accept(int fd, struct sock_addr *peer);
/* Who is at the other end, in the same form. Returns 0 or -1. */
int sock_peer(int fd, struct sock_addr *peer);

#endif
