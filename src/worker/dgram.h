/* dgram.h - one question in a datagram, one answer in a datagram.
 * For:     doors.c.     Callers: worker/.
 * Holds:   no greeting, no memory, no order. At most WORKER_DATAGRAMS are under way in a worker;
 *          more get ERR busy. The answer leaves from the address that was asked.
 * Memory:  freed by itself with the answer; holds the door meanwhile. */
#ifndef WORKER_DGRAM_H
#define WORKER_DGRAM_H

#include "worker/worker.h"

/* Take at most `most` datagrams that wait at the door. */
void dgram_receive(struct worker *w, struct door *door, int most);
/* The time is up: forget all that are under way. */
void dgram_kick_all(struct worker *w);

#endif
