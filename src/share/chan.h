/* chan.h - messages between master and worker, descriptors attached.
 * For:     the only way master and worker talk.     Callers: master/, worker/.
 * Holds:   SOCK_SEQPACKET: one message, one send, no framing. End of file means the other is gone.
 * Memory:  none kept; received descriptors belong to the caller, close-on-exec. */
#ifndef SHARE_CHAN_H
#define SHARE_CHAN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHAN_FDS = 80, CHAN_TEXT = 480 };

enum chan_kind {
	CHAN_READY,     /* worker: I serve */
	CHAN_PREPARE,   /* master: number; fds: snapshot, then a listener for each door */
	CHAN_PREPARED,  /* worker: number; could be made real */
	CHAN_REFUSED,   /* worker: number, text: why not */
	CHAN_COMMIT,    /* master: number; use it now */
	CHAN_COMMITTED, /* worker: number; the next message goes by it */
	CHAN_ABORT,     /* master: number; forget it */
	CHAN_LOG,       /* master: number is the level; fd: the log, absent for syslog */
	CHAN_DRAIN,     /* master: finish and leave within number ms */
	CHAN_MOVE,      /* master: hand your chats to the others and leave, within number ms */
	CHAN_SERVE,     /* master: the old master has made way: open your doors */
	CHAN_TIRED,     /* worker: it is time for somebody else */
	CHAN_HELLO,     /* new master: number is the form of chats it can take up */
	CHAN_LIST,      /* master: number; tell your chats */
	CHAN_LISTED,    /* worker: number; fd: sealed memfd, a JSON object a line */
};

struct chan_msg {
	enum chan_kind kind;
	int64_t number;
	int n_fds;
	int fds[CHAN_FDS];
	bool lost_fds; /* of one received: more were sent, but we may have no more descriptors */
	char text[CHAN_TEXT];
};

/* A connected pair, non-blocking and close-on-exec. Returns 0 or -1. */
int chan_pair(int fds[2], struct err *e);

/* Send; borrows the descriptors. Returns 0, or -1 when the peer is gone or its queue is full. */
int chan_send(int fd, const struct chan_msg *m);

/* Receive one. Returns 1, 0 when there is none now, -1 at end of file or on a broken message. */
int chan_receive(int fd, struct chan_msg *m);

#endif
