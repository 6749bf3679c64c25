/* roster.h - a list of the chats of this worker, for the operator.
 * For:     the control command `chats`: the master asks with CHAN_LIST.     Callers: worker.c,
 *          conn.c.
 * Holds:   a memfd with one JSON object a line, sealed, goes back with CHAN_LISTED. It is made some
 *          chats a turn, so thousands of them stop nobody; one list at a time, a new request takes
 *          the place of the one before. Names are free of control characters.
 * Memory:  one small struct and the memfd while a list is being made. */
#ifndef WORKER_ROSTER_H
#define WORKER_ROSTER_H

#include "worker/conn.h"

void roster_start(struct worker *w, int64_t number);
/* A chat leaves its list. */
void roster_on_gone(struct conn *c);
/* Forget what is being made, if anything is. */
void roster_stop(struct worker *w);

#endif
