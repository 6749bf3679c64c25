/* fuzz_seal.c - robot/seal: the envelope is JSON, and whoever has the secret reads in it what was
 * put in. The first 16 bytes are the secret, then behind a cut come key and text. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/text.h"
#include "robot/seal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 16 };

static void
md5(const char *bytes, size_t n, unsigned char out[KEY])
{
	FUZZ_CHECK(EVP_Digest(bytes, n, out, NULL, EVP_md5(), NULL) == 1);
}

/* By the vendor's rule, written down a second time. */
static void
make_key(const char *secret, const char *ms, const char *api_key, unsigned char key[KEY])
{
	char hex[2 * KEY + 1], *all;
	int n = asprintf(&all, "%s%s%s", secret, ms, api_key);

	FUZZ_CHECK(n >= 0);
	md5(all, (size_t)n, key);
	for (int i = 0; i < KEY; i++)
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
	md5(hex, 2 * KEY, key);
	free(all);
}

static void
check_opens(
    const unsigned char key[KEY], const char *data, size_t n_data, const char *plain, size_t n)
{
	static const unsigned char iv[KEY];
	unsigned char *sealed = malloc(n_data + 3), *open = malloc(n_data + KEY);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n_sealed, n_open = 0, n_last = 0;

	FUZZ_CHECK(sealed && open && c && n_data % 4 == 0);
	n_sealed = EVP_DecodeBlock(sealed, (const unsigned char *)data, (int)n_data);
	for (size_t i = n_data; i && data[i - 1] == '='; i--)
		n_sealed--;
	FUZZ_CHECK(n_sealed > 0 && n_sealed % KEY == 0);
	FUZZ_CHECK(EVP_DecryptInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv) == 1);
	FUZZ_CHECK(EVP_DecryptUpdate(c, open, &n_open, sealed, n_sealed) == 1);
	FUZZ_CHECK(EVP_DecryptFinal_ex(c, open + n_open, &n_last) == 1);
	FUZZ_CHECK((size_t)(n_open + n_last) == n && memcmp(open, plain, n) == 0);
	EVP_CIPHER_CTX_free(c);
	free(sealed);
	free(open);
}

static void
check_seal(const char *secret, const char *api_key, const char *plain, size_t n)
{
	unsigned char key[KEY];
	struct json_object *o;
	const char *data;
	struct buf out;
	size_t n_data, n_ms;

	buf_init(&out, 16 * FUZZ_BYTES);
	FUZZ_CHECK(seal_body(secret, api_key, (int64_t)n * 1000003, plain, n, &out) == 0);
	o = json_read(buf_head(&out), out.len);
	FUZZ_CHECK(o != NULL);
	data = json_text(o, "data", &n_data);
	FUZZ_CHECK(data != NULL && json_text(o, "timestamp", &n_ms) != NULL);
	make_key(secret, json_text(o, "timestamp", &n_ms), api_key, key);
	check_opens(key, data, n_data, plain, n);
	json_drop(o);
	buf_release(&out);
	buf_init(&out, 16);
	FUZZ_CHECK(seal_body(secret, api_key, 0, plain, n, &out) == -1);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	char *secret, *api_key;
	size_t n_secret, n_key;

	if (n > FUZZ_BYTES / 4)
		return 0;
	secret = fuzz_next(&s, &n, &n_secret);
	api_key = fuzz_next(&s, &n, &n_key);
	if (secret && api_key && text_is_utf8(api_key, strlen(api_key)))
		check_seal(secret, api_key, s, n);
	free(secret);
	free(api_key);
	return 0;
}
