/* doors.h - the worker's side of the listening sockets: accept, evenly and within bounds.
 * For:     worker.c, which replaces them at a reload.     Callers: worker/.
 * Holds:   the sockets are shared by all workers. They wait in a small epoll of their own with
 *          EPOLLEXCLUSIVE, and are added again every 16 accepts, so that connections spread
 *          (FAULTS M3); who has more chats than another leaves them to it for 2 ms. When
 *          descriptors run out, accepting pauses (M14).
 * Memory:  a door is counted: its list holds one reference, each datagram under way another. */
#ifndef WORKER_DOORS_H
#define WORKER_DOORS_H

#include "base/list.h"
#include "base/sock.h"
#include "conf/conf.h"

#include "base/seldom.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct worker;
struct setup;
struct gate;

struct door {
	struct list link;
	int refs, fd;
	enum sock_kind kind;
	bool stays, moves; /* moves: no door, but the end of the pair that chats come through */
	struct gate *gate; /* what it asks of those who come; NULL: `moves` */
	char url[SOCK_TEXT];
};

struct doors {
	struct worker *w;
	struct list list;
	struct door mover;
	int epoll;
	int n_accepted; /* since the last time they were added */
	struct ev_io ready;
	struct ev_timer pause;
	bool deferred; /* it was left to others for a moment */
	struct seldom complaints;
};

/* Returns 0 or -1. Nobody is let in before doors_open(). */
int doors_init(struct doors *d, struct worker *w, struct err *e);
void doors_open(struct doors *d);
/* Use these descriptors (taken), in the order of conf->listen. What waits at a door that is none of
 * them is accepted first, then that door is closed. */
void doors_use(struct doors *d, const struct setup *s, const int *fds);
/* Stop accepting; closes all. */
void doors_close(struct doors *d);
void door_drop(struct door *d);

#endif
