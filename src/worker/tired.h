/* tired.h - has a worker done enough?
 * For:     worker.c, which asks to be replaced then (recycle_after, recycle_memory, a sandbox that
 *          is stale).
 * Holds:   slots differ a little, so that not all are tired at once.
 * Memory:  none; a descriptor that was opened before the sandbox. */
#ifndef WORKER_TIRED_H
#define WORKER_TIRED_H

#include "worker/worker.h"

/* Before the sandbox; w->score must be set. */
void tired_init(struct worker *w);
bool tired_is(struct worker *w);

#endif
