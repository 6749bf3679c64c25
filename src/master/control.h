/* control.h - the socket of the operator: one line in, one document out.
 * For:     xiaotuctl.     Callers: master/.
 * Holds:   root and the master's own user alone are served. A client has a few seconds to say its
 *          line and to take its document, no deadline while a reload or an upgrade is awaited for
 *          it; there are at most 16. Nothing here blocks. Documents are JSON but for `metrics`;
 *          what failed has a member "error". No document holds a secret.
 * Memory:  control_open() gives; every function takes NULL for "there is none". */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include "base/buf.h"
#include "base/err.h"
#include "share/chan.h"

#include <stdbool.h>
#include <stdint.h>

struct master;
struct control;

/* Bind conf->control, or take `fd` (-1: none), which an older master bound there. *out is NULL when
 * none is wanted, or when the default one cannot be had, which is logged. Returns 0 or -1. */
int control_open(struct control **out, struct master *m, int fd, struct err *e);
/* From now on clients are served. */
void control_start(struct control *c);
/* keep: the socket is another master's now, so its file stays. */
void control_close(struct control *c, bool keep);
/* In a new child: close every descriptor. */
void control_let_go(struct control *c);
/* The listening socket, -1: none. Borrowed. */
int control_fd(const struct control *c);

/* The reload of this number (reload.begun) is over. `why` is NULL when it succeeded; `changes` is a
 * JSON list without its brackets. */
void control_on_reload(
    struct control *c, int64_t number, const char *why, const struct buf *changes);
/* So is the upgrade. */
void control_on_upgrade(struct control *c, const char *why);
/* A worker told its chats (CHAN_LISTED; borrowed). */
void control_on_listed(struct control *c, int slot, const struct chan_msg *msg);

#endif
