/* seal.h - the sealed envelope of Turing robots that have a secret.
 * For:     api_turing.c.
 * Holds:   pure. Source: robot-apis section 1.1, after the vendor's Java demo: AES-128-CBC with a
 *          key from two rounds of MD5 and an IV of zeros. It is what the vendor asks for, and no
 *          more secure than that: whoever wants secrecy wants https.
 * Memory:  texts go into the caller's buffer. */
#ifndef ROBOT_SEAL_H
#define ROBOT_SEAL_H

#include "base/buf.h"

#include <stdint.h>

enum { SEAL_SECRET_BYTES = 16 };

/* Append {"key":...,"timestamp":"MS","data":"..."} around the n bytes of the plain body.
 * Returns 0, or -1: out is full, or the library failed. */
int seal_body(const char *secret, const char *api_key, int64_t wall_ms, const char *plain, size_t n,
    struct buf *out);

#endif
