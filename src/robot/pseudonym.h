/* pseudonym.h - what a robot is told instead of a user's name.
 * For:     APIs that want an id of the user.     Callers: robot/, tests.
 * Holds:   the same for the same name and key, and not to be guessed from the name without the key:
 *          the first half of HMAC-SHA256 of the name (RFC 2104). The key is prepared once.
 * Memory:  pseudonym_new() gives, pseudonym_free() wipes and frees; 14 KiB. */
#ifndef ROBOT_PSEUDONYM_H
#define ROBOT_PSEUDONYM_H

#include <stddef.h>

enum { PSEUDONYM_CHARS = 32 };

struct pseudonym;

struct pseudonym *pseudonym_new(const char *key);
void pseudonym_free(struct pseudonym *p); /* NULL is fine */

/* 32 characters of 0-9a-f, and a NUL. */
void pseudonym_make(struct pseudonym *p, const char *name, size_t n, char out[PSEUDONYM_CHARS + 1]);

#endif
