/* pseudonym.c - see pseudonym.h. */
#include "robot/pseudonym.h"

#include "base/mem.h"
#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

struct pseudonym {
	EVP_MAC *mac;
	EVP_MAC_CTX *context;
};

struct pseudonym *
pseudonym_new(const char *key)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					  OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	struct pseudonym *p = mem_zalloc(sizeof *p);

	p->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	p->context = p->mac ? EVP_MAC_CTX_new(p->mac) : NULL;
	if (p->context == NULL ||
	    !EVP_MAC_init(p->context, (const unsigned char *)key, strlen(key), params))
		abort();
	return p;
}

void
pseudonym_free(struct pseudonym *p)
{
	if (p == NULL)
		return;
	EVP_MAC_CTX_free(p->context);
	EVP_MAC_free(p->mac);
	free(p);
}

void
pseudonym_make(struct pseudonym *p, const char *name, size_t n, char out[PSEUDONYM_CHARS + 1])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t size = 0;

	/* Without a key it begins anew with the one it has. */
	if (!EVP_MAC_init(p->context, NULL, 0, NULL) ||
	    !EVP_MAC_update(p->context, (const unsigned char *)name, n) ||
	    !EVP_MAC_final(p->context, mac, &size, sizeof mac))
		abort();
	text_hex(mac, PSEUDONYM_CHARS / 2, out);
}
