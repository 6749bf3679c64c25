/* inherit.h - listening sockets that somebody else opened: socket activation, sd_listen_fds(3).
 * For:     LISTEN_FDS of systemd and the like.     Callers: master.c, at the start only.
 * Holds:   a door takes the socket of its name, or else the one of its address; nobody's socket is
 *          closed and told of. A door keeps the address of the configuration, whatever the socket's
 *          is, so a reload finds it again; the file of a Unix socket is not ours to remove. The
 *          variables are for us alone: no child has them.
 * Memory:  descriptors, until inherit_give() has given them all away. */
#ifndef MASTER_INHERIT_H
#define MASTER_INHERIT_H

#include "base/sock.h"
#include "master/listen.h"

#include <stdbool.h>

enum { INHERIT_NAME = 256 };

struct inherited {
	int fd;
	bool is_door; /* it can be served; then kind and url are set */
	enum sock_kind kind;
	char name[INHERIT_NAME]; /* "": it has none */
	char url[SOCK_TEXT];
};

struct inherit {
	int n;
	struct inherited at[CHAN_FDS];
	int n_more; /* for which there was no room */
};

/* Take LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. Before anything else is opened or forks. */
void inherit_take(struct inherit *in);
/* Add the sockets that doors of `c` want to `have`, for listen_open(); close the others. */
void inherit_give(struct inherit *in, const struct conf *c, struct listen_set *have);

#endif
