/* fuzz_http1.c - robot/http1: head, body and end of a reply are the same however it is cut. The
 * first byte says if the stream ends behind it: 1, or goes on: 0. */
#include "fuzz/fuzz.h"

#include "robot/http1.h"

#include <string.h>

struct reading {
	struct http1 http;
	struct buf out;
	enum http1_got last;
};

static void
note_head(struct reading *r)
{
	const struct http1 *h = &r->http;

	FUZZ_CHECK(h->hints.status >= 200 && h->hints.status <= 999);
	FUZZ_CHECK(memchr(h->type, 0, sizeof h->type) != NULL);
	FUZZ_CHECK(
	    buf_addf(&r->out, "%ld <%s> %d\n", h->hints.status, h->type, (int)h->packed) == 0);
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;
	const char *at = s, *end = s + n, *body;
	size_t n_body;

	(void)quiet;
	while (r->last != HTTP1_END && r->last != HTTP1_BROKEN) {
		const char *before = at;

		r->last = http1_next(&r->http, &at, end, &body, &n_body);
		FUZZ_CHECK(at >= before && at <= end);
		if (r->last == HTTP1_HEAD)
			note_head(r);
		if (r->last == HTTP1_BODY) {
			FUZZ_CHECK(n_body > 0 && body >= s && body + n_body <= end);
			FUZZ_CHECK(buf_add(&r->out, body, n_body) == 0);
		}
		if (r->last == HTTP1_MORE) {
			FUZZ_CHECK(at == end);
			return;
		}
	}
}

static void
read_in(const char *s, size_t n, enum fuzz_way way, int ends, struct reading *r)
{
	*r = (struct reading){ .last = HTTP1_MORE };
	http1_init(&r->http);
	buf_init(&r->out, 2 * FUZZ_BYTES);
	fuzz_feed(s, n, way, on_piece, r);
	if (ends && r->last == HTTP1_MORE)
		r->last = http1_close(&r->http);
	FUZZ_CHECK(buf_addf(&r->out, "\n%d", (int)r->last) == 0);
	if (r->last == HTTP1_END)
		FUZZ_CHECK(buf_addf(&r->out, " %d", http1_keeps(&r->http)) == 0);
	http1_release(&r->http);
}

/* A line in one piece is not carried over, so it may be longer: no line is as long as that. */
enum { LINE = 16384 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reading r[FUZZ_WAYS];

	if (n == 0 || n > LINE)
		return 0;
	for (int way = 0; way < FUZZ_WAYS; way++) {
		read_in((const char *)data + 1, n - 1, (enum fuzz_way)way, data[0] & 1, &r[way]);
		FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&r[way].out);
	return 0;
}
