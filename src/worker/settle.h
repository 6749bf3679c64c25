/* settle.h - a process just forked becomes a worker: its user, its signals, what it may not do.
 * For:     worker.c.
 * Memory:  none. */
#ifndef WORKER_SETTLE_H
#define WORKER_SETTLE_H

#include "base/err.h"
#include "share/boot.h"

/* Become the user; then see to it that nothing of us is dumped and that we go with the master,
 * which both the kernel forgets at a change of user (FAULTS M12). Returns 0 or -1. */
int settle_down(const struct boot *boot, struct err *e);
/* Only TERM means something to a worker; none is blocked. */
void settle_signals(void);

#endif
