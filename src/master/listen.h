/* listen.h - the listening sockets: opened by the master, shared by all workers.
 * For:     start and reload.     Callers: master/.
 * Holds:   a door that stays keeps its socket: equal texts of conf_listen_url() are the same door.
 *          A set holds a descriptor for each entry of conf->listen, in that order.
 * Memory:  descriptors belong to the set; a door in two sets is in both with the same number. */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

#include "conf/conf.h"
#include "share/chan.h"

struct listen_set {
	int n;
	int fds[CHAN_FDS];
	char urls[CHAN_FDS][160];
	char paths[CHAN_FDS][108]; /* of our Unix sockets, to be removed when the door closes */
};

/* Open the doors of `c`; those that `have` holds (NULL: none) are taken over. On an error nothing
 * changed and nothing new is open. Returns 0 or -1. */
int listen_open(
    struct listen_set *s, const struct conf *c, const struct listen_set *have, struct err *e);
/* Close what is in `s` but not in `keep` (NULL: nothing is kept). */
void listen_close(struct listen_set *s, const struct listen_set *keep);
/* Take out of `s` what is in `taken`, too, and belongs to that one now. */
void listen_forget(struct listen_set *s, const struct listen_set *taken);
/* Close all, but the files of Unix sockets stay: somebody else serves there. */
void listen_leave(struct listen_set *s);
/* "tcp://127.0.0.1:9999,unix:/run/x", cut to size. */
void listen_text(const struct listen_set *s, char *out, size_t size);

#endif
