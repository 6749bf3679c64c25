/* tlspeer.h - a peer that speaks TLS with the server.
 * For:     tests of doors with `tls`.     Callers: tests/e2e.
 * Holds:   a forked process does the TLS and carries plain bytes between the server and the test's
 *          peer (lib/peer.h). What a plain stream cannot show it says as a text of its own:
 *          TLSPEER_REFUSED when there was no handshake, TLSPEER_CUT when the server's stream ended
 *          without a close_notify, TLSPEER_NOT_ANEW when a renegotiation failed. The stream ends
 *          after each. It ends with the test's process.
 * Memory:  as in lib/peer.h. */
#ifndef TESTS_LIB_TLSPEER_H
#define TESTS_LIB_TLSPEER_H

#include "lib/peer.h"

#include <stddef.h>

#define TLSPEER_REFUSED  "[refused]\n"
#define TLSPEER_CUT      "[cut]\n"
#define TLSPEER_NOT_ANEW "[not anew]\n"

enum tlspeer_anew { TLSPEER_NEVER, TLSPEER_RENEGOTIATE, TLSPEER_NEW_KEYS };

/* All zero: whatever certificate the server has, none of ours, any version. */
struct tlspeer {
	const char *ca;         /* its certificate must be signed by one in this file */
	const char *cert, *key; /* ours, files */
	int least, most;        /* versions, as TLS1_2_VERSION */
	const char *first;      /* said before TLS begins */
	int record_bytes;       /* each record that we send has at most so many bytes */
	bool narrow;            /* our socket holds little of what we do not read */
	bool cut;               /* no close_notify when the test half-closes */
	enum tlspeer_anew anew; /* before what the test says is passed on, each time */
	int anew_times;         /* how often at once; 0: once */
};

struct peer *tlspeer_open(const char *address, int port, const struct tlspeer *t);

/* The TCP port on our side of the one opened last. */
int tlspeer_port(void);

/* What a client says first. Returns its length, at most `size`. */
size_t tlspeer_hello(char *bytes, size_t size);

#endif
