/* web.c - see web.h. */
#include "lib/web.h"

#include "base/lapse.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { TEXT_BYTES = 1 << 20, HEAD_BYTES = 4096 };

/* RFC 6455 section 1.3 has this pair. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static char text[TEXT_BYTES], head[HEAD_BYTES];

/* Wait until so many bytes were heard. */
static void
need(struct peer *p, size_t n)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;

	while (p->in.len < n) {
		enum peer_got got = peer_fill(p);

		if (got == PEER_END || got == PEER_RESET || lapse_now_ms() > by_ms)
			ck_abort_msg("needed %zu bytes, heard %u and then %s", n, p->in.len,
			    got == PEER_NOTHING ? "silence" : "the end");
		if (got == PEER_NOTHING)
			peer_wait_any(&p, 1, 100);
	}
}

/* Move n bytes of what was heard to `to`, NUL behind them. */
static void
take(struct peer *p, char *to, size_t n, size_t size)
{
	ck_assert_uint_lt(n, size);
	need(p, n);
	memcpy(to, n ? buf_head(&p->in) : "", n);
	to[n] = '\0';
	buf_eat(&p->in, n);
}

/* --- requests -------------------------------------------------------------------------------- */

/* Where the head of an answer ends in what was heard, NULL: not yet. */
static const char *
head_end(const struct peer *p)
{
	const char *end = p->in.len ? memmem(buf_head(&p->in), p->in.len, "\r\n\r\n", 4) : NULL;

	return end ? end + 4 : NULL;
}

static size_t
head_bytes(struct peer *p)
{
	const char *end;

	while ((end = head_end(p)) == NULL)
		need(p, (size_t)p->in.len + 1);
	return (size_t)(end - buf_head(&p->in));
}

int
web_answer(struct peer *p, bool has_body)
{
	const char *length;
	int status;

	take(p, head, head_bytes(p), sizeof head);
	ck_assert_int_eq(sscanf(head, "HTTP/1.1 %d ", &status), 1);
	length = strstr(head, "\r\nContent-Length: ");
	ck_assert_int_eq(length != NULL, status != 101);
	*text = '\0';
	if (length != NULL && has_body)
		take(p, text, (size_t)atol(length + 18), sizeof text);
	return status;
}

int
web_ask(struct peer *p, const char *request)
{
	peer_sendf(p, "%s\r\n", request);
	return web_answer(p, strncmp(request, "HEAD ", 5) != 0);
}

int
web_get(struct peer *p, const char *path)
{
	peer_sendf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	return web_answer(p, true);
}

const char *
web_head(void)
{
	return head;
}

const char *
web_body(void)
{
	return text;
}

/* --- WebSocket ------------------------------------------------------------------------------- */

/* One push: the stream may be gone before the rest of it. */
void
web_knock(struct peer *p, const char *origin, const char *host)
{
	char request[HEAD_BYTES];
	int n = snprintf(request, sizeof request,
	    "GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n%s%s%s%s%s%s\r\n",
	    origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "",
	    host ? "Host: " : "", host ? host : "", host ? "\r\n" : "");

	ck_assert_uint_lt((size_t)n, sizeof request);
	peer_push(p, request, (size_t)n);
}

/* Bytes of the head of the frame that comes next, and in *n those behind it; 0: it is not whole. */
static size_t
frame_head(const struct peer *p, uint64_t *n)
{
	const unsigned char *s = p->in.len >= 2 ? (const unsigned char *)buf_head(&p->in) : NULL;
	size_t n_length = s == NULL ? 0 : s[1] == 127 ? 8 : s[1] == 126 ? 2 : 0;

	if (s == NULL || p->in.len < 2 + n_length)
		return 0;
	*n = n_length ? 0 : s[1];
	for (size_t i = 0; i < n_length; i++)
		*n = *n << 8 | s[2 + i];
	return 2 + n_length;
}

bool
web_has_answer(const struct peer *p)
{
	return head_end(p) != NULL;
}

bool
web_has_frame(const struct peer *p)
{
	uint64_t n = 0;
	size_t n_head = frame_head(p, &n);

	return n_head && p->in.len - n_head >= n;
}

int
web_try(struct peer *p, const char *origin, const char *host)
{
	int status;

	web_knock(p, origin, host);
	status = web_answer(p, true);
	if (status == 101)
		ck_assert_ptr_nonnull(strstr(head, "\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"));
	return status;
}

struct peer *
web_open(const char *address, int port)
{
	struct peer *p = peer_open(address, port);
	char origin[64];

	snprintf(origin, sizeof origin, "http://%s:%d", address, port);
	ck_assert_int_eq(web_try(p, origin, origin + 7), 101);
	return p;
}

struct peer *
web_chat(const char *address, int port)
{
	struct peer *p = web_open(address, port);

	web_expect(p, "{\"greeting\":\"Welcome\\n\"}");
	return p;
}

static const unsigned char mask[4] = { 0x37, 0xFA, 0x21, 0x3D };

void
web_begin(struct peer *p, unsigned first, unsigned second, int n_length, uint64_t length)
{
	unsigned char bytes[10] = { (unsigned char)first, (unsigned char)second };

	for (int i = 0; i < n_length; i++)
		bytes[2 + i] = (unsigned char)(length >> 8 * (n_length - 1 - i));
	peer_push(p, bytes, 2 + (size_t)n_length);
}

void
web_frame(struct peer *p, unsigned first, const void *bytes, size_t n)
{
	int n_length = n < 126 ? 0 : n < 65536 ? 2 : 8;
	char *masked = mem_ndup("", 0);

	masked = mem_resize(masked, n + sizeof mask, 1);
	memcpy(masked, mask, sizeof mask);
	for (size_t i = 0; i < n; i++)
		masked[sizeof mask + i] = (char)(((const unsigned char *)bytes)[i] ^ mask[i % 4]);
	web_begin(p, first,
	    0x80 | (n_length == 0      ? (unsigned)n
		       : n_length == 2 ? 126
				       : 127),
	    n_length, n);
	peer_push(p, masked, n + sizeof mask);
	free(masked);
}

void
web_say(struct peer *p, const char *what)
{
	web_frame(p, WEB_FIN | WEB_TEXT, what, strlen(what));
}

unsigned
web_hear_frame(struct peer *p, const char **bytes, size_t *n)
{
	unsigned char start[2];
	uint64_t length = 0;
	size_t n_head;

	while ((n_head = frame_head(p, &length)) == 0)
		need(p, (size_t)p->in.len + 1);
	memcpy(start, buf_head(&p->in), sizeof start);
	ck_assert_uint_lt(start[1], 0x80); /* a server does not mask */
	if (n_head > 2)
		ck_assert_uint_ge(length, n_head == 4 ? 126 : 65536);
	buf_eat(&p->in, n_head);
	*n = (size_t)length;
	take(p, text, *n, sizeof text);
	*bytes = text;
	return start[0];
}

const char *
web_hear(struct peer *p)
{
	const char *bytes;
	size_t n;
	unsigned first = web_hear_frame(p, &bytes, &n);

	if (first != (WEB_FIN | WEB_TEXT))
		ck_abort_msg("expected a text, heard a frame %02x of %zu bytes: %d", first, n,
		    n >= 2 ? (unsigned char)bytes[0] << 8 | (unsigned char)bytes[1] : 0);
	return bytes;
}

void
web_expect(struct peer *p, const char *what)
{
	ck_assert_str_eq(web_hear(p), what);
}

void
web_expect_prefix(struct peer *p, const char *prefix)
{
	const char *got = web_hear(p);

	if (strncmp(got, prefix, strlen(prefix)) != 0)
		ck_abort_msg("expected \"%s...\", heard \"%s\"", prefix, got);
}

void
web_expect_close(struct peer *p, int code)
{
	const char *bytes;
	size_t n;
	unsigned first = web_hear_frame(p, &bytes, &n);

	ck_assert_uint_eq(first, WEB_FIN | WEB_CLOSE);
	ck_assert_uint_eq(n, code == WEB_NO_CODE ? 0 : 2);
	if (n == 2)
		ck_assert_int_eq((unsigned char)bytes[0] << 8 | (unsigned char)bytes[1], code);
	peer_eof(p);
}
