/* ctl_top.h - the server on one screen, drawn anew every second.
 * For:     `xiaotuctl top`.     Callers: prog/ctl.c.
 * Holds:   the screen fits the terminal, whose state is put back at q, Ctrl-C and the signals that
 *          end a program. Without a terminal one screen is printed, uncut.
 * Memory:  none kept. */
#ifndef CTL_CTL_TOP_H
#define CTL_CTL_TOP_H

#include "ctl/ctl_ask.h"

/* Blocks until the user leaves. */
enum ctl_exit ctl_top(const char *path, struct err *e);

#endif
