/* respond.c - see respond.h. */
#include "wire/respond.h"

#include "wire/page.h"

#include <openssl/evp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEY_CHARS = 24, SHA1_BYTES = 20, SHA256_BYTES = 32, POLICY_BYTES = 1024 };

/* What a browser may do with answers that are no page. */
#define NOTHING "default-src 'none'; frame-ancestors 'none'"

static const struct {
	int status;
	const char *reason, *sentence;
} reasons[] = {
	{ 200, "OK", "" },
	{ 400, "Bad Request", "this is no request that can be understood" },
	{ 403, "Forbidden", "this page may not chat here: see `origins` in xiaotud.conf(5)" },
	{ 404, "Not Found",
	    "there is / for people, and /chat, /healthz and /metrics for programs" },
	{ 405, "Method Not Allowed", "only GET and HEAD are" },
	{ 413, "Content Too Large", "no body is taken" },
	{ 426, "Upgrade Required", "this is a WebSocket, version 13" },
	{ 431, "Request Header Fields Too Large", "8 KiB and 100 lines are the most" },
	{ 503, "Service Unavailable", "it is full, or leaving: come back in a moment" },
	{ 505, "HTTP Version Not Supported", "1.0 and 1.1 are" },
	{ 500, "Internal Server Error", "that should not happen" },
};

static size_t
row_of(int status)
{
	size_t i = 0;

	while (i + 1 < sizeof reasons / sizeof *reasons && reasons[i].status != status)
		i++;
	return i;
}

static int
put_date(int64_t now_s, struct buf *out)
{
	time_t t = (time_t)now_s;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm) == 0)
		return 0;
	return buf_adds(out, text);
}

/* An HTTP/1.0 client is told that it may go on, any other that it may not. */
static const char *
connection(const struct request *r)
{
	return !r->keeps       ? "Connection: close\r\n"
	       : r->is_one_one ? ""
			       : "Connection: keep-alive\r\n";
}

static int
put_head(const struct respond *a, const struct request *r, const char *policy, int64_t now_s,
    struct buf *out)
{
	return buf_addf(out, "HTTP/1.1 %d %s\r\n", a->status, reasons[row_of(a->status)].reason) ||
	       put_date(now_s, out) ||
	       buf_addf(out,
		   "Content-Type: %s\r\nContent-Length: %zu\r\n"
		   "Content-Security-Policy: %s\r\n",
		   a->type, a->n, policy) ||
	       buf_adds(out,
		   "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
		   "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
		   "Cross-Origin-Opener-Policy: same-origin\r\nCache-Control: no-store\r\n") ||
	       buf_adds(out, a->more ? a->more : "") || buf_adds(out, connection(r)) ||
	       buf_adds(out, "\r\n");
}

static int
put(const struct respond *a, const struct request *r, const char *policy, int64_t now_s,
    struct buf *out)
{
	if (put_head(a, r, policy, now_s, out))
		return -1;
	return r->method == REQUEST_HEAD ? 0 : buf_add(out, a->body, a->n);
}

int
respond_put(const struct respond *a, const struct request *r, int64_t now_s, struct buf *out)
{
	struct respond plain = *a;
	char body[160];
	size_t row = row_of(a->status);

	if (a->type)
		return put(a, r, NOTHING, now_s, out);
	snprintf(body, sizeof body, "%d %s: %s\n", a->status, reasons[row].reason,
	    reasons[row].sentence);
	plain.type = "text/plain; charset=utf-8";
	plain.body = body;
	plain.n = strlen(body);
	return put(&plain, r, NOTHING, now_s, out);
}

/* --- the page -------------------------------------------------------------------------------- */

/* What stands between the two tags of the page, hashed: "'sha256-...'". */
static void
hash_of(const char *open, const char *close, char *out, size_t size)
{
	const char *s = strstr(page_html, open), *end = s ? strstr(s, close) : NULL;
	unsigned char digest[SHA256_BYTES], text[64] = "";

	if (end) {
		s += strlen(open);
		(void)EVP_Digest(s, (size_t)(end - s), digest, NULL, EVP_sha256(), NULL);
		(void)EVP_EncodeBlock(text, digest, sizeof digest);
	}
	snprintf(out, size, "'sha256-%s'", (const char *)text);
}

/* 'self' is no WebSocket to browsers of some years ago: they are told its address, unless the host
 * holds what would end the word. */
static void
put_sockets(struct slice host, char *out, size_t size)
{
	size_t n = 0;

	while (n < host.n && strchr(";, \"'", host.s[n]) == NULL)
		n++;
	*out = '\0';
	if (host.n && n == host.n && n < 256)
		snprintf(out, size, " ws://%.*s wss://%.*s", (int)n, host.s, (int)n, host.s);
}

int
respond_page(const struct request *r, int64_t now_s, struct buf *out)
{
	const struct respond page = { 200, "text/html; charset=utf-8", NULL, page_html,
		page_html_size };
	char script[80], style[80], sockets[560], policy[POLICY_BYTES];

	hash_of("<script>", "</script>", script, sizeof script);
	hash_of("<style>", "</style>", style, sizeof style);
	put_sockets(r->host, sockets, sizeof sockets);
	snprintf(policy, sizeof policy,
	    "default-src 'none'; script-src %s; style-src %s; img-src data:; "
	    "connect-src 'self'%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    script, style, sockets);
	return put(&page, r, policy, now_s, out);
}

/* --- WebSocket ------------------------------------------------------------------------------- */

bool
respond_is_key(struct slice key)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (key.s == NULL || key.n != KEY_CHARS || memcmp(key.s + KEY_CHARS - 2, "==", 2) != 0)
		return false;
	for (int i = 0; i < KEY_CHARS - 2; i++)
		if (memchr(letters, key.s[i], sizeof letters - 1) == NULL)
			return false;
	return true;
}

int
respond_switch(struct slice key, struct buf *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[SHA1_BYTES], text[32] = "";
	char both[KEY_CHARS + sizeof guid];

	memcpy(both, key.s, KEY_CHARS);
	memcpy(both + KEY_CHARS, guid, sizeof guid);
	if (EVP_Digest(both, KEY_CHARS + sizeof guid - 1, digest, NULL, EVP_sha1(), NULL) != 1)
		return -1;
	(void)EVP_EncodeBlock(text, digest, sizeof digest);
	return buf_addf(out,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    (const char *)text);
}
