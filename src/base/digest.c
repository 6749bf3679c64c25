/* digest.c - see digest.h. */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

void
digest_sha256(const void *bytes, size_t n, unsigned char out[DIGEST_BYTES])
{
	unsigned int size;

	if (EVP_Digest(bytes, n, out, &size, EVP_sha256(), NULL) != 1)
		abort();
}

bool
digest_is_same(const unsigned char a[DIGEST_BYTES], const unsigned char b[DIGEST_BYTES])
{
	return CRYPTO_memcmp(a, b, DIGEST_BYTES) == 0;
}
