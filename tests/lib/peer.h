/* peer.h - the other side of a chat: what a test says and what it hears.
 * For:     tests that read as dialogue: peer_send(p, "ann::hi\n"); peer_expect(p, "Hello, hi!\n");
 * Callers: tests/e2e.
 * Holds:   everything waits at most PEER_MS and then fails the test, saying what came instead.
 * Memory:  peers are kept in one list; peer_close_all() frees those the test forgot. */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { PEER_MS = 10000 };

enum peer_got { PEER_BYTES, PEER_NOTHING, PEER_END, PEER_RESET };

struct peer {
	struct peer *next;
	int fd;
	bool ended;    /* nothing more will come */
	struct buf in; /* heard, not yet taken */
	char *line;    /* of peer_line() */
};

/* Connect (numeric IPv4 or IPv6 address). Fails the test when refused. */
struct peer *peer_open(const char *address, int port);
/* The same from a source address of its own. */
struct peer *peer_open_from(const char *source, const char *address, int port);
struct peer *peer_open_unix(const char *path);
struct peer *peer_open_udp(const char *address, int port);
struct peer *peer_open_udp_from(const char *source, const char *address, int port);
/* A connected socket of the caller's (takes fd). */
struct peer *peer_from(int fd);
/* May be refused: NULL then. */
struct peer *peer_try(const char *address, int port);
/* The port on our side, as the server's log shows it. */
int peer_port(const struct peer *p);

/* Say it; fails the test when the stream is gone. */
void peer_send(struct peer *p, const char *text);
void peer_send_bytes(struct peer *p, const void *bytes, size_t n);
void peer_sendf(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Say as much as the other side takes; it may hang up meanwhile. */
void peer_push(struct peer *p, const void *bytes, size_t n);

/* The next bytes are exactly these. */
void peer_expect(struct peer *p, const char *text);
/* The next line, without its newline; valid until the next one. */
const char *peer_line(struct peer *p);
/* The next line begins so. */
void peer_expect_prefix(struct peer *p, const char *prefix);
/* Nothing more: the stream ends in order, not by a reset. */
void peer_eof(struct peer *p);
/* The stream ends, no matter how and what comes before. */
void peer_drop(struct peer *p);
/* The next whole datagram, NUL behind it. Returns its length. */
size_t peer_datagram(struct peer *p, char *bytes, size_t size);
/* Everything until the end of the stream, NUL behind it; valid until the peer hears more. */
const char *peer_rest(struct peer *p);

/* Take what is there without waiting; and a line that is whole, or NULL. For many peers at once. */
enum peer_got peer_fill(struct peer *p);
const char *peer_take_line(struct peer *p);
/* Wait until one of n peers can be read, or the time is over. */
void peer_wait_any(struct peer **peers, int n, int limit_ms);

void peer_half_close(struct peer *p);
/* From now on whatever comes for this TCP socket is lost before the kernel looks at it, so that
 * nobody is told that it came, nor that nobody is there: as behind a cable that was cut. */
void peer_vanish(struct peer *p);
/* Away at once, with a reset. Frees the peer, as peer_close() does. */
void peer_reset(struct peer *p);
void peer_close(struct peer *p);
void peer_close_all(void);

#endif
