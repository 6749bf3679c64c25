/* kinds.h - what can be the matter with a chat between two answers.
 * For:     tests of moving.     Callers: tests/unit/worker.
 * Memory:  none; each changes the chat it is given. */
#ifndef UNIT_WORKER_KINDS_H
#define UNIT_WORKER_KINDS_H

#include "worker/conn.h"

enum { KIND_LINE, KINDS = 17 };

/* Make a fresh chat one of this kind; KIND_LINE is one in `line` that waits for nothing. */
extern void (*const kinds[KINDS])(struct conn *c);

#endif
