/* seal.c - see seal.h. */
#include "robot/seal.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 16, BLOCK_BYTES = 16, HEX_BYTES = 2 * KEY_BYTES };

static int
md5(const char *bytes, size_t n, unsigned char out[KEY_BYTES])
{
	return EVP_Digest(bytes, n, out, NULL, EVP_md5(), NULL) == 1 ? 0 : -1;
}

/* MD5 of the hexadecimal text of MD5(secret timestamp key). */
static int
make_key(
    const char *secret, const char *timestamp, const char *api_key, unsigned char key[KEY_BYTES])
{
	unsigned char first[KEY_BYTES];
	char hex[HEX_BYTES + 1];
	struct buf b;
	int bad;

	buf_init(&b, 1 << 16);
	bad = buf_adds(&b, secret) || buf_adds(&b, timestamp) || buf_adds(&b, api_key) ||
	      md5(buf_head(&b), b.len, first);
	buf_release(&b);
	if (bad)
		return -1;
	text_hex(first, KEY_BYTES, hex);
	return md5(hex, HEX_BYTES, key);
}

/* AES-128-CBC with PKCS#7 padding. Returns the length, or -1. */
static int
encrypt(const unsigned char key[KEY_BYTES], const char *plain, size_t n, unsigned char *out)
{
	static const unsigned char iv[BLOCK_BYTES];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n_out = 0, n_last = 0, good;

	good = c && EVP_EncryptInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv) == 1 &&
	       EVP_EncryptUpdate(c, out, &n_out, (const unsigned char *)plain, (int)n) == 1 &&
	       EVP_EncryptFinal_ex(c, out + n_out, &n_last) == 1;
	EVP_CIPHER_CTX_free(c);
	return good ? n_out + n_last : -1;
}

int
seal_body(const char *secret, const char *api_key, int64_t wall_ms, const char *plain, size_t n,
    struct buf *out)
{
	unsigned char key[KEY_BYTES], *sealed = mem_zalloc(n + BLOCK_BYTES);
	char timestamp[32], *text = NULL;
	int n_sealed, bad = -1;

	snprintf(timestamp, sizeof timestamp, "%" PRId64, wall_ms);
	if (make_key(secret, timestamp, api_key, key) == 0 &&
	    (n_sealed = encrypt(key, plain, n, sealed)) >= 0) {
		text = mem_zalloc(4 * ((size_t)n_sealed + 2) / 3 + 4);
		EVP_EncodeBlock((unsigned char *)text, sealed, n_sealed);
		bad = buf_adds(out, "{\"key\":") || json_write(api_key, strlen(api_key), out) ||
		      buf_addf(out, ",\"timestamp\":\"%s\",\"data\":\"%s\"}", timestamp, text);
	}
	free(text);
	free(sealed);
	return bad ? -1 : 0;
}
