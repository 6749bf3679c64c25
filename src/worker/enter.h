/* enter.h - the way from an accepted connection to a chat.
 * For:     doors.c (a new one), conn.c (one on its way).     Callers: worker/.
 * Holds:   in this order: what a trusted proxy says of the address, whether that may come in, TLS,
 *          the token, limits, the greeting. Whoever does not get through in timeouts.message is let
 *          go. Refusals cost no more than that, and ten in ten seconds are logged.
 * Memory:  struct guest is what is unusual about a connection; an ordinary chat has none. */
#ifndef WORKER_ENTER_H
#define WORKER_ENTER_H

#include "worker/conn.h"
#include "worker/gate.h"

enum enter_stage { ENTER_PROXY, ENTER_TLS, ENTER_TOKEN, ENTER_IN };

struct guest {
	enum enter_stage stage;
	struct gate *gate;     /* while it enters */
	struct ssl_st *tls;    /* NULL: none */
	struct sock_addr peer; /* as told by the proxy, or the connection's own */
	bool told;             /* by a proxy */
	struct buf head;       /* of the PROXY header, not whole yet */
};

/* Take a connection (takes fd) that came to a door with this gate. */
void enter_open(struct worker *w, int fd, const struct sock_addr *peer, struct gate *gate);

/* Bytes came for one that is still entering. May free it. */
void enter_go(struct conn *c);

/* It took longer than timeouts.message. Frees it. */
void enter_is_late(struct conn *c);

/* Count somebody who is not let in, and say so in the log: KEY=WHY. He may cause thousands. */
void enter_note_refusal(
    struct worker *w, const struct sock_addr *peer, const char *key, const char *why);

static inline bool
enter_is_on(const struct conn *c)
{
	return c->guest && c->guest->stage != ENTER_IN;
}

/* Must it stay with its worker? */
static inline bool
enter_is_tied(const struct conn *c)
{
	return c->guest && c->guest->tls;
}

/* A chat that was taken over: its peer is this, as a proxy told of it. */
void enter_set_peer(struct conn *c, const struct sock_addr *peer);
/* Who is there: a text for the log, and the key of the tally. */
void enter_peer(const struct conn *c, struct sock_addr *peer);
/* It is a chat: a number, a line in the log, the greeting. */
void enter_begin(struct conn *c, const struct sock_addr *peer);
void guest_free(struct guest *g); /* NULL is fine */

/* In the scoreboard and in the tally of its address. False: a limit is in the way, and it is in
 * neither. NULL limits nothing: one that was let in elsewhere. */
bool enter_count(struct conn *c, uint64_t key, const char **limit);

#endif
