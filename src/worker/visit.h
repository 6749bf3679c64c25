/* visit.h - the web door: requests are answered, and some become chats.
 * For:     conn_talk.c, for messages that are no questions.     Callers: worker/.
 * Holds:   a connection to a web door is a visitor: it takes a place among limits.chats and
 *          limits.chats_per_address from the beginning (whoever opens thousands and says nothing
 *          is stopped there), has timeouts.message for every head and between two, moves with its
 *          worker, and is no chat in counts, lists and log until it is a WebSocket.
 * Memory:  none of its own. */
#ifndef WORKER_VISIT_H
#define WORKER_VISIT_H

#include "worker/conn.h"

/* What a door is known by, over reloads and workers; never 0. */
uint32_t visit_door(const char *url);

/* Answer a MSG_REQUEST, MSG_PING or MSG_CLOSE. */
void visit_take(struct conn *c, const struct msg *m);
/* There is no place for this visitor: say so. */
void visit_refuse(struct conn *c);

#endif
