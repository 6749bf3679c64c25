/* http_dial.h - a connection to a robot, made by libcurl and handed over.
 * For:     http_plain.c.
 * Holds:   libcurl resolves the name without blocking, tries the addresses in turn (RFC 8305) and
 *          keeps to connect_ms; then the socket is ours alone, and libcurl forgets it. `done` is
 *          called after the turn, once, never after http_dial_cancel().
 * Memory:  http_dialer_open() gives, http_dialer_close() frees when no dial is under way. */
#ifndef ROBOT_HTTP_DIAL_H
#define ROBOT_HTTP_DIAL_H

#include "robot/robot_http.h"

struct http_dialer;
struct http_dial;

/* fd: takes it, -1: no connection, and `why`; `end` (borrow) has what libcurl says of it. The dial
 * is gone by then. */
typedef void http_dial_done(void *arg, int fd, enum why why, const struct http_end *end);

struct http_dialer *http_dialer_open(
    const struct http_options *o, const struct robot_env *env, http_dial_done *done);
void http_dialer_close(struct http_dialer *d);

struct http_dial *http_dial_start(struct http_dialer *d, void *arg);
void http_dial_cancel(struct http_dial *dial);

#endif
