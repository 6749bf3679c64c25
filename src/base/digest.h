/* digest.h - SHA-256, and a comparison that tells nothing by its time; OpenSSL.
 * For:     secrets that are kept as digests.     Callers: any floor.
 * Memory:  none. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_BYTES = 32 };

/* Aborts when there is no memory. */
void digest_sha256(const void *bytes, size_t n, unsigned char out[DIGEST_BYTES]);
bool digest_is_same(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES]);

#endif
