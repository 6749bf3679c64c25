/* ctl_ask.h - a command over the control socket, and its document.
 * For:     xiaotuctl.     Callers: ctl/, prog/ctl.c.
 * Holds:   blocks until the document is whole; that of a reload comes when the reload is over, that
 *          of a stop ends when the server does.
 * Memory:  the document goes into the caller's buffer, NUL behind it. */
#ifndef CTL_CTL_ASK_H
#define CTL_CTL_ASK_H

#include "base/buf.h"
#include "base/err.h"

enum ctl_exit { CTL_DONE, CTL_FAILED, CTL_USAGE, CTL_NOBODY = 7 };

enum { CTL_BYTES = 96 << 20 };

/* Within limit_ms (-1: no limit). Returns CTL_DONE with the document in `out` (initialised), its
 * NUL not counted; else the error. */
enum ctl_exit ctl_ask(
    const char *path, const char *command, int limit_ms, struct buf *out, struct err *e);

#endif
