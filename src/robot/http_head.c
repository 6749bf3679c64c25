/* http_head.c - see http_head.h. */
#include "robot/http_head.h"

#include "base/text.h"

#include <string.h>

enum { HEAD_LIMIT = 1 << 20 };

/* "POST /path?query" out of "/path?query#part" */
static void
add_start(struct buf *out, const char *method, const char *path)
{
	(void)buf_addf(
	    out, "%s %s%.*s", method, *path == '/' ? "" : "/", (int)strcspn(path, "#"), path);
}

/* The zone of an address is ours alone: "[fe80::1%25eth0]:80" is "[fe80::1]:80" to the robot
 * (RFC 6874, section 3). */
static void
add_host(struct buf *out, const char *host, size_t n)
{
	const char *zone = *host == '[' ? memchr(host, '%', n) : NULL;
	const char *close = zone ? memchr(zone, ']', n - (size_t)(zone - host)) : NULL;
	size_t n_front = close ? (size_t)(zone - host) : n;

	(void)(buf_add(out, host, n_front) ||
	       (close && buf_add(out, close, n - (size_t)(close - host))));
}

void
http_head_init(struct http_head *h, const struct http_options *o)
{
	const char *host = strstr(o->url, "://") + 3, *path = host + strcspn(host, "/?#");

	h->n_authority = (size_t)(path - o->url);
	buf_init(&h->post, HEAD_LIMIT);
	buf_init(&h->common, HEAD_LIMIT);
	add_start(&h->post, "POST", path);
	(void)buf_adds(&h->common, " HTTP/1.1\r\nHost: ");
	add_host(&h->common, host, (size_t)(path - host));
	(void)buf_addf(&h->common, "\r\nUser-Agent: " HTTP_AGENT "\r\n" HTTP_CONTENT "\r\n%s\r\n",
	    o->stream ? HTTP_ACCEPT_STREAM : HTTP_ACCEPT);
	if (!o->stream)
		(void)buf_adds(&h->common, "Accept-Encoding: gzip\r\n");
	if (o->more_header)
		(void)buf_addf(&h->common, "%s\r\n", o->more_header);
}

void
http_head_release(struct http_head *h)
{
	buf_release(&h->post);
	buf_release(&h->common);
}

void
http_head_get(const struct http_head *h, const char *url, struct buf *out)
{
	add_start(out, "GET", url + h->n_authority);
}

/* The header lines of this request alone. Returns their length, at most 96. */
static size_t
own_lines(uint64_t id, const struct buf *body, char out[HTTP_HEAD_OWN])
{
	static const char name[] = "X-Request-Id: ", length[] = "\r\nContent-Length: ";
	unsigned char bytes[HTTP_ID_DIGITS / 2];
	char *at = out;

	for (int i = 0; i < HTTP_ID_DIGITS / 2; i++)
		bytes[i] = (unsigned char)(id >> (56 - 8 * i));
	at = mempcpy(at, name, sizeof name - 1);
	text_hex(bytes, sizeof bytes, at);
	at += HTTP_ID_DIGITS;
	if (body) {
		at = mempcpy(at, length, sizeof length - 1);
		at += text_decimal(body->len, at);
	}
	at = mempcpy(at, "\r\n", 2);
	return (size_t)(at - out);
}

static struct iovec
span(const void *bytes, size_t n)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
}

void
http_head_spans(const struct http_head *h, const struct buf *get, const char *header, uint64_t id,
    const struct buf *body, char own[HTTP_HEAD_OWN], struct iovec spans[HTTP_HEAD_SPANS])
{
	const struct buf *start = get->len ? get : &h->post;

	spans[0] = span(buf_head(start), start->len);
	spans[1] = span(buf_head(&h->common), h->common.len);
	spans[2] = span(own, own_lines(id, get->len ? NULL : body, own));
	spans[3] = span(header, header ? strlen(header) : 0);
	spans[4] = span("\r\n\r\n", header ? 4 : 2);
	spans[5] = span(body->bytes, get->len ? 0 : body->len);
	if (body->len)
		spans[5].iov_base = (void *)(uintptr_t)buf_head(body);
}
