/* http_unpack.h - a packed body, unpacked as it comes.
 * For:     http_plain.c, when a robot packs although it was not asked to.
 * Holds:   RFC 1952 by zlib. What comes out is handed on in pieces of at most 16 KiB, so that a
 *          small packet cannot become a large one here; whoever takes the pieces bounds their sum.
 * Memory:  http_unpack_new() gives, http_unpack_free() frees; about 40 KiB while it lives. */
#ifndef ROBOT_HTTP_UNPACK_H
#define ROBOT_HTTP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

struct http_unpack;

struct http_unpack *http_unpack_new(void);
void http_unpack_free(struct http_unpack *u); /* NULL is fine */

/* Put packed bytes in (borrowed until the next call of this). */
void http_unpack_put(struct http_unpack *u, const char *bytes, size_t n);
/* Take the next piece (borrowed until the next call). Returns its size; 0: all that was put in is
 * used up; -1: it is not packed as it says. */
int http_unpack_take(struct http_unpack *u, const char **bytes);
/* Did it end where it says it ends? */
bool http_unpack_is_whole(const struct http_unpack *u);

#endif
