/* tally.h - how many chats each address has, summed over all workers.
 * For:     limits.chats_per_address.     Callers: worker/; master/ when a slot gets a new owner.
 * Holds:   a slot is written by its worker alone. IPv4 counts by address, IPv6 by /64, because one
 *          subscriber has a /64 (RFC 6177); Unix sockets are not counted. An address that finds its
 *          bucket full is not counted either: the limit may then be passed, never undercut.
 * Memory:  one anonymous shared mapping, made before the first fork; pages in use only. */
#ifndef SHARE_TALLY_H
#define SHARE_TALLY_H

#include "base/sock.h"

#include <stdint.h>

struct tally;

/* NULL when there is no memory. */
struct tally *tally_new(int n_slots);
/* A slot gets a new owner: it has no chats. */
void tally_reset(struct tally *t, int slot);

/* The key of an address, 0 for one that is not counted. */
uint64_t tally_key(const struct sock_addr *a);
/* Chats of the key over all slots. */
int64_t tally_count(struct tally *t, uint64_t key);
/* One chat more (1) or fewer (-1). Returns 1 when it was counted, else 0: then it must not be
 * taken back. */
int tally_add(struct tally *t, int slot, uint64_t key, int n);

#endif
