/* conf_listen.h - what makes a door's settings whole: checks, and files they name.
 * For:     conf_load.c, when the rows of a door were taken.
 * Holds:   reads files, so it belongs into the parsing child, unless the source is a dump.
 * Memory:  texts go into the caller's arena. */
#ifndef CONF_CONF_LISTEN_H
#define CONF_CONF_LISTEN_H

#include "conf/conf_robot.h"

#define CONF_TOKEN_MARK "sha256:"
enum { CONF_TOKEN_HEX = 64 };

/* Returns 0, or -1 with "KEY: what". */
int conf_listen_finish(const struct conf_from *from, struct conf_listen *d, struct err *e);

/* Is the same door among the `n` doors before it? */
int conf_listen_check_new(
    const struct conf_listen *doors, const struct conf_listen *d, struct err *e);

#endif
