/* request.c - see request.h. */
#include "wire/request.h"

#include "wire/codec.h"

#include <string.h>
#include <strings.h>

enum { FIELDS_MOST = 100, LENGTH_DIGITS = 18 };
enum { OK = 200, BAD = 400, TOO_LONG = 431, BODY = 413, VERSION = 505 };

/* What is known while the fields are read. */
struct reading {
	struct request *r;
	bool says_close, says_keep, says_upgrade, is_websocket, has_length, is_chunked;
	uint64_t length;
};

bool
slice_is(struct slice a, const char *word)
{
	return a.s && a.n == strlen(word) && memcmp(a.s, word, a.n) == 0;
}

int
request_end(const char *s, size_t n, uint32_t *scanned)
{
	size_t most = n < WIRE_HEAD_BYTES ? n : WIRE_HEAD_BYTES;

	for (size_t i = *scanned; i < most; i++) {
		if (s[i] == '\0' || (s[i] == '\n' && (i == 0 || s[i - 1] != '\r'))) {
			*scanned = (uint32_t)i + 1;
			return -1;
		}
		if (s[i] == '\n' && i >= 3 && s[i - 2] == '\n')
			return (int)i + 1;
	}
	*scanned = (uint32_t)most;
	return n >= WIRE_HEAD_BYTES ? -1 : 0;
}

/* --- characters ------------------------------------------------------------------------------ */

/* RFC 9110 section 5.6.2 */
static bool
is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool
is_token(struct slice a)
{
	for (size_t i = 0; i < a.n; i++)
		if (!is_token_char(a.s[i]))
			return false;
	return a.n > 0;
}

/* Visible ASCII: what a target and a host are made of. */
static bool
is_visible(struct slice a)
{
	for (size_t i = 0; i < a.n; i++)
		if (a.s[i] <= ' ' || a.s[i] > '~')
			return false;
	return a.n > 0;
}

static bool
is_word(struct slice a, const char *word)
{
	return a.n == strlen(word) && strncasecmp(a.s, word, a.n) == 0;
}

static struct slice
trim(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return (struct slice){ s, n };
}

/* Is the word in the list "a, b, c"? */
static bool
has_word(struct slice list, const char *word)
{
	const char *s = list.s, *end = s + list.n;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s)), *next = comma ? comma : end;

		if (is_word(trim(s, (size_t)(next - s)), word))
			return true;
		s = next + 1;
	}
	return false;
}

/* --- the first line -------------------------------------------------------------------------- */

static int
read_version(struct slice v, struct request *r)
{
	if (v.n != 8 || memcmp(v.s, "HTTP/", 5) != 0 || v.s[5] < '0' || v.s[5] > '9' ||
	    v.s[6] != '.' || v.s[7] < '0' || v.s[7] > '9')
		return BAD;
	if (v.s[5] != '1' || v.s[7] > '1')
		return VERSION;
	r->is_one_one = v.s[7] == '1';
	return OK;
}

static int
read_first(const char *s, size_t n, struct request *r)
{
	const char *blank = memchr(s, ' ', n);
	size_t n_method = blank ? (size_t)(blank - s) : 0;
	const char *target = blank ? blank + 1 : s + n;
	const char *second = memchr(target, ' ', n - (size_t)(target - s));
	const struct slice method = { s, n_method };
	const char *query;

	if (second == NULL || !is_token(method))
		return BAD;
	r->path = (struct slice){ target, (size_t)(second - target) };
	r->method = slice_is(method, "GET")    ? REQUEST_GET
		    : slice_is(method, "HEAD") ? REQUEST_HEAD
					       : REQUEST_OTHER;
	if (!is_visible(r->path) || memchr(target, '#', r->path.n))
		return BAD;
	/* Not a path: meant for a proxy, or for the server as a whole. */
	if (*target != '/' && !(r->method == REQUEST_OTHER && slice_is(r->path, "*")))
		return BAD;
	query = memchr(target, '?', r->path.n);
	r->path.n = query ? (size_t)(query - target) : r->path.n;
	return read_version((struct slice){ second + 1, n - (size_t)(second + 1 - s) }, r);
}

/* --- fields ---------------------------------------------------------------------------------- */

static int
read_length(struct reading *g, struct slice value)
{
	if (g->has_length || value.n == 0 || value.n > LENGTH_DIGITS)
		return BAD;
	g->has_length = true;
	for (size_t i = 0; i < value.n; i++) {
		if (value.s[i] < '0' || value.s[i] > '9')
			return BAD;
		g->length = g->length * 10 + (uint64_t)(value.s[i] - '0');
	}
	return OK;
}

/* A field that may be there once. */
static int
read_once(struct slice *to, struct slice value)
{
	if (to->s)
		return BAD;
	*to = value;
	return OK;
}

static int
read_field(struct reading *g, struct slice name, struct slice value)
{
	struct request *r = g->r;

	if (is_word(name, "host"))
		return is_visible(value) ? read_once(&r->host, value) : BAD;
	if (is_word(name, "origin"))
		return read_once(&r->origin, value);
	if (is_word(name, "sec-websocket-key"))
		return read_once(&r->key, value);
	if (is_word(name, "sec-websocket-version"))
		return read_once(&r->version, value);
	if (is_word(name, "content-length"))
		return read_length(g, value);
	if (is_word(name, "transfer-encoding")) {
		g->is_chunked = true;
	} else if (is_word(name, "upgrade")) {
		g->is_websocket |= has_word(value, "websocket");
	} else if (is_word(name, "connection")) {
		g->says_close |= has_word(value, "close");
		g->says_keep |= has_word(value, "keep-alive");
		g->says_upgrade |= has_word(value, "upgrade");
	}
	return OK;
}

/* No control character but tab; bytes above ASCII are nobody's harm. */
static bool
is_value(struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		if (((unsigned char)v.s[i] < ' ' && v.s[i] != '\t') || v.s[i] == 0x7F)
			return false;
	return true;
}

static int
read_line(struct reading *g, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	struct slice name, value;

	if (colon == NULL)
		return BAD;
	name = (struct slice){ s, (size_t)(colon - s) };
	value = trim(colon + 1, n - name.n - 1);
	/* A folded line begins with a blank, which no name holds. */
	if (!is_token(name) || !is_value(value))
		return BAD;
	return read_field(g, name, value);
}

static int
finish(struct reading *g)
{
	struct request *r = g->r;

	if (r->host.s == NULL && r->is_one_one)
		return BAD;
	/* Both, or an encoding in HTTP/1.0: two readers would disagree. */
	if (g->is_chunked && (g->has_length || !r->is_one_one))
		return BAD;
	r->has_body = g->is_chunked || g->length > 0;
	r->keeps = !g->says_close && !r->has_body && (r->is_one_one || g->says_keep);
	r->upgrades = g->says_upgrade && g->is_websocket && r->is_one_one;
	if (r->has_body && r->method != REQUEST_OTHER)
		return g->is_chunked ? BAD : BODY;
	return OK;
}

static int
read_all(const char *s, size_t n, struct reading *g)
{
	const char *end = s + n, *eol = memchr(s, '\n', n);
	int n_fields = 0, status;

	if (eol == NULL || eol == s || eol[-1] != '\r')
		return n >= WIRE_HEAD_BYTES ? TOO_LONG : BAD;
	status = read_first(s, (size_t)(eol - s) - 1, g->r);
	while (status == OK && (s = eol + 1) < end) {
		eol = memchr(s, '\n', (size_t)(end - s));
		if (eol == NULL || eol == s || eol[-1] != '\r')
			return n >= WIRE_HEAD_BYTES ? TOO_LONG : BAD;
		if (eol - s == 1)
			return eol + 1 == end ? finish(g) : BAD;
		status =
		    ++n_fields > FIELDS_MOST ? TOO_LONG : read_line(g, s, (size_t)(eol - s) - 1);
	}
	return status != OK ? status : n >= WIRE_HEAD_BYTES ? TOO_LONG : BAD;
}

int
request_read(const char *s, size_t n, struct request *r)
{
	struct reading g = { .r = r };
	int status;

	memset(r, 0, sizeof *r);
	status = n > WIRE_HEAD_BYTES ? TOO_LONG : read_all(s, n, &g);
	if (status != OK)
		*r = (struct request){ .method = r->method };
	return status;
}
