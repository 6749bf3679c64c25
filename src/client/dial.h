/* dial.h - connecting without making the person wait.
 * For:     coming back to a server in the middle of a chat.     Callers: client/chat.c.
 * Holds:   link_open() in a thread of its own, because resolving names and waiting for the first
 *          words block. One dial is one try.
 * Memory:  dial_start() gives a dial, freed by dial_finish() or dial_drop(). */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

#include "client/link.h"

struct dial;

/* Keeps the options. Never NULL. */
struct dial *dial_start(const struct link_place *p, const struct link_options *o);
/* For poll(2): readable when the try is over. */
int dial_fd(const struct dial *d);
/* How it ended (blocks until then): the link (gives), or NULL. */
struct link *dial_finish(struct dial *d, struct err *e);
/* Nobody waits for it any more: it ends by itself, its link is closed. NULL is fine. */
void dial_drop(struct dial *d);

#endif
