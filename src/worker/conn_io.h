/* conn_io.h - a chat's bytes in and out of its socket, through TLS or not.
 * For:     conn.c and enter.c.     Callers: those alone.
 * Holds:   nothing blocks; one read at a time, so that no chat keeps the others waiting.
 * Memory:  what is read goes into c->in, what is written comes from c->out. */
#ifndef WORKER_CONN_IO_H
#define WORKER_CONN_IO_H

#include "worker/conn.h"

/* Write what the socket takes. Returns 0, or -1: the peer is gone. */
int conn_io_flush(struct conn *c);
/* One read. Returns 0, or -1: the peer is gone. */
int conn_io_receive(struct conn *c);
/* Are there bytes that no event will tell of? */
bool conn_io_has_pending(const struct conn *c);
/* Is a TLS record half out? Then it waits to write, whatever c->out holds. */
bool conn_io_wants_write(const struct conn *c);
/* Say that no more comes. Returns 0, -1, or 1: the socket is full, try again. */
int conn_io_shut(struct conn *c);

#endif
