/* control_show.h - documents that need nobody's help: what the master and the shared memory know.
 * For:     the command table of control.c.     Callers: control.c.
 * Holds:   each appends a document and a newline; secrets are masked.
 * Memory:  texts go into the caller's buffer. Return 0, or -1 when it is full. */
#ifndef MASTER_CONTROL_SHOW_H
#define MASTER_CONTROL_SHOW_H

#include "base/buf.h"

struct master;

int control_show_status(const struct master *m, struct buf *out);
int control_show_workers(const struct master *m, struct buf *out);
int control_show_robots(const struct master *m, struct buf *out);
int control_show_config(const struct master *m, struct buf *out);
/* Prometheus' text. */
int control_show_metrics(const struct master *m, struct buf *out);

#endif
