/* pseudonym.c - see pseudonym.h. Who talks talks again soon: the ones made last are kept, 14 KiB of
 * them, because one costs as much as all else that is done to a request. */
#include "robot/pseudonym.h"

#include "base/mem.h"
#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN = 256, KNOWN_NAME = 23 };

/* One that was made lately. Longer names are made anew each time. */
struct known {
	unsigned char n;
	char name[KNOWN_NAME], out[PSEUDONYM_CHARS];
};

struct pseudonym {
	EVP_MAC *mac;
	EVP_MAC_CTX *context;
	struct known known[KNOWN]; /* by a hash of the name */
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
	explicit_bzero(p->known, sizeof p->known);
	free(p);
}

static void
make(struct pseudonym *p, const char *name, size_t n, char out[PSEUDONYM_CHARS + 1])
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

/* Where it is kept; -1: its name is too long. */
static int
place_of(const char *name, size_t n)
{
	if (n == 0 || n > KNOWN_NAME)
		return -1;
	return (int)(text_hash(TEXT_HASH_BEGIN, name, n) % KNOWN);
}

void
pseudonym_make(struct pseudonym *p, const char *name, size_t n, char out[PSEUDONYM_CHARS + 1])
{
	int place = place_of(name, n);
	struct known *k = &p->known[place < 0 ? 0 : place];

	if (place >= 0 && k->n == n && memcmp(k->name, name, n) == 0) {
		memcpy(out, k->out, PSEUDONYM_CHARS);
		out[PSEUDONYM_CHARS] = '\0';
		return;
	}
	make(p, name, n, out);
	if (place < 0)
		return;
	k->n = (unsigned char)n;
	memcpy(k->name, name, n);
	memcpy(k->out, out, PSEUDONYM_CHARS);
}
