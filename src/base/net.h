/* net.h - networks: "10.0.0.0/8", "2001:db8::/32", "192.0.2.7".
 * For:     who may connect, and whose word on an address counts.     Callers: any floor.
 * Holds:   an address without a length is one host. Bits behind the length must be zero: somebody
 *          who writes 10.1.2.3/8 may mean something else (as nginx and NSD warn).
 *          An IPv4 address inside IPv6 (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2) counts as IPv4.
 *          A peer of a Unix socket is in no network.
 * Memory:  none. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/sock.h"

#include <stdbool.h>

struct net {
	int family; /* AF_INET or AF_INET6 */
	int bits;
	unsigned char address[16];
};

/* Returns 0 or -1. */
int net_parse(struct net *n, const char *text, struct err *e);

bool net_has(const struct net *n, const struct sock_addr *a);
bool net_any_has(const struct net *nets, int n_nets, const struct sock_addr *a);

#endif
