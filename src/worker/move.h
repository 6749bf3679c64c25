/* move.h - a live chat, its descriptor and its state, to another worker and back into a chat.
 * For:     workers that leave while others stay: a smaller pool, recycling, an upgrade.
 *          Callers: worker.c, doors.c, conn.c.
 * Holds:   one chat is one message of a SOCK_SEQPACKET pair that all workers share, of this master
 *          and of the one that an upgrade starts: whoever is free takes it up. The message begins
 *          with its version; fields that a reader does not know are passed over unless they are
 *          marked as indispensable. A chat is moved between two answers, with what it has asked,
 *          what it has heard, and what it is still to be sent. Nobody in the chat notices.
 * Memory:  one buffer for each batch, no longer. */
#ifndef WORKER_MOVE_H
#define WORKER_MOVE_H

#include "worker/conn.h"

enum { MOVE_BYTES = 192 * 1024 }; /* of one chat; the version is in share/boot.h */

/* Append the chat as one message. Returns 0, or -1: it is too large for one. */
int move_pack(const struct conn *c, struct buf *out);

/* Make a chat of a message, with the descriptor (takes it in any case). NULL with the error. */
struct conn *move_unpack(struct worker *w, int fd, const char *bytes, size_t n, struct err *e);

/* This worker leaves: every chat moves as soon as it can, beginning now. */
void move_all(struct worker *w);
/* The chat can move: it waits in line for that, and does nothing else any more. */
void move_enqueue(struct conn *c);
/* Nobody moves any more, they say goodbye here. */
void move_stop(struct worker *w);

/* Take up at most `most` chats from the pair. Returns how many, or -1: there is one, but no
 * descriptor free for it. */
int move_receive(struct worker *w, int most);

#endif
