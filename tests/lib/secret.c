/* secret.c - what secrets look like, see oracle.h: plain, percent-encoded, and the part of their
 * base64 (RFC 4648, both alphabets) that does not depend on what stands before and behind them, for
 * each of the three places where they may begin. */
#include "lib/oracle.h"

#include "base/buf.h"
#include "base/mem.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 8, LOOK_BYTES = 1 << 16 };

static struct {
	char *text;
	size_t n;
} looks[ORACLE_SECRETS];

static int n_looks;
static size_t longest;

static void
add_look(const char *text, size_t n)
{
	if (n < SECRET_BYTES) /* too short to be told from anything else */
		return;
	for (int i = 0; i < n_looks; i++)
		if (looks[i].n == n && memcmp(looks[i].text, text, n) == 0)
			return;
	ck_assert_int_lt(n_looks, ORACLE_SECRETS);
	looks[n_looks].text = mem_ndup(text, n);
	looks[n_looks++].n = n;
	longest = n > longest ? n : longest;
}

/* Upper or lower case digits; RFC 3986, 2.3 says what stays as it is. */
static void
add_percent(const char *s, size_t n, bool upper)
{
	struct buf out;

	buf_init(&out, LOOK_BYTES);
	for (size_t i = 0; i < n; i++)
		if (isalnum((unsigned char)s[i]) || strchr("-._~", s[i]) != NULL)
			(void)buf_add(&out, s + i, 1);
		else
			(void)buf_addf(&out, upper ? "%%%02X" : "%%%02x", (unsigned char)s[i]);
	add_look(buf_head(&out), out.len);
	buf_release(&out);
}

static void
add_base64(const char *s, size_t n, size_t before, const char *last)
{
	static const char most[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t first = (8 * before + 5) / 6, end = 8 * (before + n) / 6;
	char *out = mem_zalloc(end + 1);

	for (size_t k = first; k < end; k++) {
		size_t bit = 6 * k - 8 * before, at = bit / 8;
		unsigned pair = (unsigned)(unsigned char)s[at] << 8 |
				(at + 1 < n ? (unsigned char)s[at + 1] : 0U);
		unsigned six = pair >> (10 - bit % 8) & 63;

		out[k - first] = six < 62 ? most[six] : last[six - 62];
	}
	add_look(out, end - first);
	free(out);
}

static void
add_secret(const char *s, size_t n)
{
	if (n < SECRET_BYTES)
		return;
	add_look(s, n);
	add_percent(s, n, true);
	add_percent(s, n, false);
	for (size_t before = 0; before < 3; before++) {
		add_base64(s, n, before, "+/");
		add_base64(s, n, before, "-_");
	}
}

void
oracle_note_secrets(const char *config)
{
	const char *at = config, *end, *quote;

	while ((at = strstr(at, "api_key =")) != NULL) {
		end = strchrnul(at, ';');
		while ((at = strchr(at, '"')) != NULL && at < end) {
			quote = strchrnul(++at, '"');
			add_secret(at, (size_t)(quote - at));
			at = *quote != '\0' ? quote + 1 : quote;
		}
		at = end;
	}
}

size_t
oracle_secret_bytes(void)
{
	return longest;
}

void
oracle_check_bytes(const char *what, const char *bytes, size_t n)
{
	for (int i = 0; i < n_looks; i++)
		if (memmem(bytes, n, looks[i].text, looks[i].n) != NULL)
			ck_abort_msg("an API key is in %s", what);
}
