/* proxy.h - the header of the PROXY protocol, versions 1 and 2.
 * For:     connections from a proxy that is trusted.     Callers: worker/, tests, fuzzers.
 * Holds:   pure. A header has at most PROXY_BYTES. Source: HAProxy's proxy-protocol.txt, sections
 *          2.1 (text: "PROXY TCP4 src dst sport dport\r\n") and 2.2 (binary).
 * Memory:  none. */
#ifndef WIRE_PROXY_H
#define WIRE_PROXY_H

#include "base/sock.h"

#include <stdbool.h>

enum { PROXY_BYTES = 4096 };

/* Returns the length of the header that `bytes` begin with; 0: it is not whole yet, and all bytes
 * are its; -1: it is none. *told: *from is the address it names; else the proxy speaks for itself,
 * or does not know. */
int proxy_parse(const char *bytes, size_t n, struct sock_addr *from, bool *told);

#endif
