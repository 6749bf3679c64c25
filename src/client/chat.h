/* chat.h - a person's chat on a terminal.
 * For:     the terminal client.     Callers: prog/client.c; one thread, and those of client/dial.c.
 * Holds:   the terminal is as it was before when chat_talk() returns, or when a signal ends it.
 * Memory:  all of it is freed at the end. */
#ifndef CLIENT_CHAT_H
#define CLIENT_CHAT_H

#include "client/link.h"
#include "client/status.h"

/* Talk until the person leaves (blocks). Takes the link, borrows the rest; both descriptors are the
 * terminal, for which tty_is_able() holds. */
enum status chat_talk(struct link *link, const struct link_place *place,
    const struct link_options *options, int in, int out);

#endif
