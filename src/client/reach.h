/* reach.h - a connection to a server: names, addresses, TLS.
 * For:     link.c.
 * Holds:   blocks, at most for ten seconds an address, or for as long as an answer may take.
 * Memory:  gives a descriptor, and with TLS what speaks it, freed by tls_free(). */
#ifndef CLIENT_REACH_H
#define CLIENT_REACH_H

#include "client/link.h"

struct ssl_st;

/* Returns the descriptor, or -1 with the error. *tls is NULL without TLS. */
int reach(
    const struct link_place *p, const struct link_options *o, struct ssl_st **tls, struct err *e);

#endif
