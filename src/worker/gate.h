/* gate.h - what a door asks of those who come: a settled form of struct conf_listen.
 * For:     doors.c and enter.c.     Callers: worker/.
 * Holds:   never changes; a reload makes new ones. Who is entering goes by the one he came to.
 * Memory:  counted: gate_new() gives one reference, the last gate_drop() frees it. */
#ifndef WORKER_GATE_H
#define WORKER_GATE_H

#include "base/net.h"
#include "base/tls.h"
#include "conf/conf.h"

struct gate {
	int refs;
	struct net *allow, *deny, *proxies;
	int n_allow, n_deny, n_proxies;
	unsigned char (*tokens)[32]; /* SHA-256 of each */
	int n_tokens;
	struct tls_context *tls; /* NULL: none */
	uint32_t web;            /* of a web door: visit_door(); 0: it is none */
};

/* NULL with the error. */
struct gate *gate_new(const struct conf_listen *d, struct err *e);
struct gate *gate_keep(struct gate *g);
void gate_drop(struct gate *g); /* NULL is fine */

/* May this address come in? */
bool gate_admits(const struct gate *g, const struct sock_addr *a);
/* Is it a proxy, whose first bytes are a header? */
bool gate_is_proxy(const struct gate *g, const struct sock_addr *a);
/* Is there nothing more to be asked, once an address is admitted? */
bool gate_is_open(const struct gate *g);
/* Is that one of its secrets? Takes the same time whether it is or not. */
bool gate_knows(const struct gate *g, const char *secret, size_t n);

#endif
