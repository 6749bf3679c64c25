/* text.c - see text.h. */
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
text_char(const char *s, size_t n, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)s;
	uint32_t c = b[0];
	int len = c < 0x80 ? 1 : c < 0xC2 ? -1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : -1;

	if (len > 1)
		c &= 0x7FU >> len;
	for (int i = 1; i < len; i++) {
		if ((size_t)i == n)
			return 0;
		if ((b[i] & 0xC0) != 0x80)
			return -1;
		c = c << 6 | (b[i] & 0x3FU);
		/* Overlong forms, surrogates and values beyond the end show in the second byte. */
		if (i == 1 && ((len == 3 && (c < 0x20 || (c >= 0x360 && c <= 0x37F))) ||
				  (len == 4 && (c < 0x10 || c > 0x10F))))
			return -1;
	}
	if (len > 0 && c < least[len])
		return -1;
	if (len > 0 && code)
		*code = c;
	return len;
}

bool
text_is_utf8(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		int len = (unsigned char)s[i] < 0x80 ? 1 : text_char(s + i, n - i, NULL);

		if (len <= 0)
			return false;
		i += (size_t)len;
	}
	return true;
}

size_t
text_cut_bytes(const char *s, size_t n, size_t limit)
{
	if (n <= limit)
		return n;
	while (limit > 0 && ((unsigned char)s[limit] & 0xC0) == 0x80)
		limit--;
	return limit;
}

size_t
text_cut_chars(const char *s, size_t n, size_t limit)
{
	size_t i = 0;

	for (; i < n && limit > 0; limit--) {
		i++;
		while (i < n && ((unsigned char)s[i] & 0xC0) == 0x80)
			i++;
	}
	return i;
}

size_t
text_count_chars(const char *s, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xC0) != 0x80;
	return chars;
}

bool
text_is_control(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F) ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* How many bytes of s, which does not begin with a character, one U+FFFD stands for: the longest
 * beginning of a character, or one byte (Unicode 15, section 3.9, "maximal subpart"). */
static int
broken_length(const char *s, size_t n)
{
	int len = 1;

	while (len < 3 && (size_t)len < n && text_char(s, (size_t)len + 1, NULL) == 0)
		len++;
	return len;
}

/* Take one character from s, which holds n > 0 bytes; append its clean form.
 * Returns the bytes used, 0 when the character is incomplete, -1 when out is full. */
static int
clean_one(const char *s, size_t n, struct buf *out)
{
	uint32_t code = 0;
	int len = text_char(s, n, &code);

	if (len == 0)
		return 0;
	if (len < 0)
		return buf_adds(out, "\xEF\xBF\xBD") ? -1 : broken_length(s, n);
	if (text_is_control(code))
		return len;
	return buf_add(out, s, (size_t)len) ? -1 : len;
}

/* Finish the character that the last piece left incomplete. Returns the bytes of s used, or -1. */
static int
clean_part(struct text_clean *c, const char *s, size_t n, struct buf *out)
{
	size_t used = 0;

	while (c->n_part && used < n) {
		int len;

		assert(c->n_part < sizeof c->part);
		c->part[c->n_part++] = s[used++];
		len = clean_one(c->part, c->n_part, out);
		if (len < 0)
			return -1;
		if (len == 0)
			continue;
		/* The byte that broke a sequence is looked at again. */
		if (len < c->n_part)
			used--;
		c->n_part = 0;
	}
	return (int)used;
}

/* How many bytes from s on are printable ASCII, which needs no second look. */
static size_t
plain_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && ((s[i] >= 0x20 && s[i] < 0x7F) || s[i] == '\n' || s[i] == '\t'))
		i++;
	return i;
}

int
text_clean(struct text_clean *c, const char *s, size_t n, struct buf *out)
{
	int used = clean_part(c, s, n, out);
	size_t i;

	if (used < 0)
		return -1;
	i = (size_t)used;
	while (i < n) {
		size_t run = plain_run(s + i, n - i);
		int len;

		if (run) {
			if (buf_add(out, s + i, run))
				return -1;
			i += run;
			continue;
		}
		len = clean_one(s + i, n - i, out);
		if (len < 0)
			return -1;
		if (len == 0) {
			memcpy(c->part, s + i, n - i);
			c->n_part = (uint8_t)(n - i);
			return 0;
		}
		i += (size_t)len;
	}
	return 0;
}

int
text_clean_end(struct text_clean *c, struct buf *out)
{
	if (c->n_part == 0)
		return 0;
	c->n_part = 0;
	return buf_adds(out, "\xEF\xBF\xBD");
}

int
text_to_int(const char *s, int64_t *value)
{
	char *end;
	long long v;

	if (strchr("+-0123456789", *s) == NULL) /* strtoll() would pass over white space */
		return -1;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || end == s)
		return -1;
	*value = v;
	return 0;
}

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

int
text_to_ms(const char *s, int64_t *ms)
{
	size_t digits = strspn(s, "0123456789.");
	int64_t unit_ms = s[digits] ? 0 : 1000;
	char *end;
	double v;

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(s + digits, units[i].name) == 0)
			unit_ms = units[i].ms;
	v = strtod(s, &end);
	if (digits == 0 || end != s + digits || unit_ms == 0 || v * (double)unit_ms > 9e15)
		return -1;
	*ms = (int64_t)llround(v * (double)unit_ms);
	return 0;
}

void
text_from_ms(int64_t ms, char *out, size_t size)
{
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	if (ms == 0)
		i = 3;
	snprintf(out, size, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

static int
quote_one(unsigned char c, struct buf *out)
{
	switch (c) {
	case '"':
	case '\\':
		return buf_addf(out, "\\%c", c);
	case '\n':
		return buf_adds(out, "\\n");
	case '\r':
		return buf_adds(out, "\\r");
	case '\t':
		return buf_adds(out, "\\t");
	default:
		return buf_addf(out, "\\x%02X", c);
	}
}

int
text_quote(const char *s, size_t n, struct buf *out)
{
	size_t i = 0;
	int bad = buf_adds(out, "\"");

	while (i < n && !bad) {
		uint32_t code = 0;
		int len = text_char(s + i, n - i, &code);

		if (len <= 0 || text_is_control(code) || code == 0x2028 || code == 0x2029 ||
		    strchr("\"\\\n\t", s[i])) {
			/* A control character of several bytes is escaped byte by byte. */
			for (int k = 0; k < (len < 1 ? 1 : len) && !bad; k++)
				bad = quote_one((unsigned char)s[i + (size_t)k], out);
		} else {
			bad = buf_add(out, s + i, (size_t)len);
		}
		i += len < 1 ? 1 : (size_t)len;
	}
	return bad ? -1 : buf_adds(out, "\"");
}

/* Levenshtein distance, for words shorter than 64 bytes; longer ones count as far away. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[64], na = strlen(a), nb = strlen(b);

	if (na >= 64 || nb >= 64)
		return 64;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

int
text_nearest(const char *s, const char *const *words)
{
	size_t best = strlen(s) / 3 + 2;
	int found = -1;

	for (int i = 0; words[i]; i++) {
		size_t d = distance(s, words[i]);

		if (d < best) {
			best = d;
			found = i;
		}
	}
	return found;
}

void
text_hex(const void *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

size_t
text_decimal(uint64_t value, char out[TEXT_DECIMAL])
{
	char digits[TEXT_DECIMAL];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	out[n] = '\0';
	return n;
}

uint64_t
text_hash(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ b[i]) * 0x100000001B3ULL;
	return hash;
}
