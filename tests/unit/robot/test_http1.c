/* test_http1.c - replies of HTTP/1.1, whole, byte by byte and at every cut: what they say, where
 * they end, and which are none; and the
 * bytes of a request. */
#include "unit/robot/suites.h"

#include "base/mem.h"
#include "robot/http1.h"
#include "robot/http_head.h"
#include "robot/http_unpack.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = 1 << 16 };

#define OK "HTTP/1.1 200 OK\r\n"

struct result {
	enum http1_got got;
	long status;
	bool keeps;
	size_t n_left; /* bytes behind the end */
	int n_heads;
	char type[64];
	enum http1_packed packed;
	struct http_end hints;
	struct buf body;
};

/* Feed some bytes; returns whether there is more to come. */
static bool
feed(struct http1 *h, const char *bytes, size_t n, struct result *r)
{
	char *copy = mem_zalloc(n); /* of the exact size, for the sanitizers */
	const char *at = copy, *body;
	size_t n_body;

	memcpy(copy, bytes, n);
	for (;;) {
		r->got = http1_next(h, &at, copy + n, &body, &n_body);
		if (r->got == HTTP1_BODY)
			ck_assert_int_eq(buf_add(&r->body, body, n_body), 0);
		else if (r->got == HTTP1_HEAD)
			r->n_heads++;
		else
			break;
	}
	r->n_left += r->got == HTTP1_END ? (size_t)(copy + n - at) : 0;
	free(copy);
	return r->got == HTTP1_MORE;
}

/* Read it in pieces that end at a and b. Bytes behind an end that came early count as left. */
static struct result
read_cut(const char *bytes, size_t n, size_t a, size_t b)
{
	struct result r = { .got = HTTP1_MORE };
	size_t cuts[] = { 0, a, b, n };
	struct http1 h;

	http1_init(&h);
	buf_init(&r.body, BODY_BYTES);
	for (int i = 0; i < 3; i++) {
		if (r.got == HTTP1_MORE)
			(void)feed(&h, bytes + cuts[i], cuts[i + 1] - cuts[i], &r);
		else if (r.got == HTTP1_END)
			r.n_left += cuts[i + 1] - cuts[i];
	}
	if (r.got == HTTP1_MORE)
		r.got = http1_close(&h);
	r.status = h.hints.status;
	r.keeps = http1_keeps(&h);
	r.packed = h.packed;
	r.hints = h.hints;
	memcpy(r.type, h.type, sizeof r.type);
	http1_release(&h);
	return r;
}

static void
same(const struct result *a, const struct result *b, const char *bytes)
{
	ck_assert_msg(a->got == b->got && a->status == b->status && a->keeps == b->keeps &&
			  a->n_left == b->n_left && a->n_heads == b->n_heads &&
			  a->packed == b->packed && a->hints.wait_ms == b->hints.wait_ms &&
			  strcmp(a->type, b->type) == 0 && a->body.len == b->body.len &&
			  (a->body.len == 0 ||
			      memcmp(buf_head(&a->body), buf_head(&b->body), a->body.len) == 0),
	    "%s", bytes);
}

/* Whole, and the same at every cut, and with two cuts around every byte. */
static struct result
read_all(const char *bytes, size_t n)
{
	struct result whole = read_cut(bytes, n, 0, n);

	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < 2 && i + k <= n; k++) {
			struct result cut = read_cut(bytes, n, i, i + k);

			if (whole.got != HTTP1_BROKEN || cut.got != HTTP1_BROKEN)
				same(&whole, &cut, bytes);
			buf_release(&cut.body);
		}
	return whole;
}

static const struct {
	const char *bytes, *body;
	long status;
	size_t n_left;
	bool keeps;
} replies[] = {
	{ OK "Content-Length: 2\r\n\r\nhi", "hi", 200, 0, true },
	{ OK "content-length:2 \t\r\n\r\nhi", "hi", 200, 0, true },
	{ OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "hi", 200, 0, true },
	{ OK "Content-Length: 0\r\n\r\n", "", 200, 0, true },
	{ OK "Content-Length: 2\r\n\r\nhi and more", "hi", 200, 9, true },
	{ "HTTP/1.1 200\nContent-Length: 2\n\nhi", "hi", 200, 0, true },
	{ OK "Content-Length: 2\r\nConnection: Keep-Alive, CLOSE\r\n\r\nhi", "hi", 200, 0, false },
	{ OK "Connection: closed\r\nContent-Length: 2\r\n\r\nhi", "hi", 200, 0, true },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", 200, 0, false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "hi", 200, 0,
	    true },
	{ OK "\r\nto the end", "to the end", 200, 0, false },
	{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi", 200, 0, true },
	{ OK "Transfer-Encoding: Chunked\r\n\r\n1;x=y\r\nh\r\n00a \r\n0123456789\r\n0\r\nX: y\r\n"
	     "\r\nmore",
	    "h0123456789", 200, 4, true },
	/* Whoever sends both means one of them: the chunks, but not twice on one connection. */
	{ OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi",
	    200, 0, false },
	{ "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 7\r\n\r\n" OK
	  "Content-Length: 2\r\n\r\nhi",
	    "hi", 200, 0, true },
	{ "HTTP/1.1 204 No\r\n\r\n", "", 204, 0, true },
	{ "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n", "", 304, 0, true },
	{ "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", "no", 503, 0, true },
};

START_TEST(reply_is_read_the_same_however_it_is_cut)
{
	struct result r = read_all(replies[_i].bytes, strlen(replies[_i].bytes));

	ck_assert_msg(r.got == HTTP1_END, "%s", replies[_i].bytes);
	ck_assert_int_eq(r.n_heads, 1);
	ck_assert_int_eq(r.status, replies[_i].status);
	ck_assert_int_eq(r.keeps, replies[_i].keeps);
	ck_assert_uint_eq(r.n_left, replies[_i].n_left);
	ck_assert_uint_eq(r.body.len, strlen(replies[_i].body));
	ck_assert(r.body.len == 0 || memcmp(buf_head(&r.body), replies[_i].body, r.body.len) == 0);
	buf_release(&r.body);
}
END_TEST

static const char *const broken[] = {
	"",
	"hello",
	"HTTP/0.9 200 OK\r\n\r\n",
	"HTTP/2 200\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 2000 OK\r\n\r\n",
	"HTTP/1.1  200 OK\r\n\r\n",
	"HTTP/1.1 000 OK\r\n\r\n",
	"HTTP/1.1 101 Switching\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	OK,
	OK "Content-Length: 2\r\n",
	OK "Content-Length: 3\r\n\r\nhi",
	OK "Content-Length: -1\r\n\r\n",
	OK "Content-Length: +1\r\n\r\n",
	OK "Content-Length: 1, 1\r\n\r\n",
	OK "Content-Length: \r\n\r\n",
	OK "Content-Length: 0x1\r\n\r\n",
	OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
	OK "Content-Length: 99999999999999999999\r\n\r\n",
	OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	OK "Transfer-Encoding: identity\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\n2\r\nh",
	OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\n\r\n0\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\n2x\r\nhi\r\n0\r\n\r\n",
	OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhi\r\n0\r\n\r\n",
	OK "no colon\r\n\r\n",
	OK ": no name\r\n\r\n",
	OK "X: y\r\n folded\r\n\r\n",
	OK "Content-Length : 2\r\n\r\nhi",
};

START_TEST(what_is_no_reply_is_broken_at_every_cut)
{
	struct result r = read_all(broken[_i], strlen(broken[_i]));

	ck_assert_msg(r.got == HTTP1_BROKEN, "%s", broken[_i]);
	ck_assert(!r.keeps);
	buf_release(&r.body);
}
END_TEST

START_TEST(nul_in_the_head_is_broken)
{
	static const char bytes[] = OK "X: a\0b\r\nContent-Length: 0\r\n\r\n";
	struct result r = read_all(bytes, sizeof bytes - 1);

	ck_assert_int_eq(r.got, HTTP1_BROKEN);
	buf_release(&r.body);
}
END_TEST

/* Lines, heads, trailers and interim replies without an end. */
START_TEST(head_without_end_is_broken_within_its_limit)
{
	static const char *const starts[] = { OK "X: ", OK, "",
		OK "Transfer-Encoding: chunked\r\n\r\n0\r\n",
		OK "Transfer-Encoding: chunked\r\n\r\n" };
	static const char *const repeats[] = { "yyyyyyyyyyyyyyyy", "X: y\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n", "X: y\r\n", "00000000" };
	struct result r = { .got = HTTP1_MORE };
	struct http1 h;
	size_t n = 0;

	http1_init(&h);
	buf_init(&r.body, BODY_BYTES);
	(void)feed(&h, starts[_i], strlen(starts[_i]), &r);
	while (r.got == HTTP1_MORE && n < 100000) {
		(void)feed(&h, repeats[_i], strlen(repeats[_i]), &r);
		n += strlen(repeats[_i]);
	}
	ck_assert_int_eq(r.got, HTTP1_BROKEN);
	ck_assert_uint_le(n, 65536 + 64);
	http1_release(&h);
}
END_TEST

START_TEST(head_tells_type_packing_and_what_an_error_wants)
{
	static const char bytes[] =
	    "HTTP/1.1 429 Slow\r\nContent-Type:  text/event-stream; charset=utf-8 \r\n"
	    "Content-Encoding: GZIP\r\nRetry-After: 7\r\nRetry-After-Ms: 1500\r\nRetry-After: 9\r\n"
	    "X-Should-Retry: true\r\nContent-Length: 0\r\n\r\n";
	struct result r = read_all(bytes, sizeof bytes - 1);

	ck_assert_str_eq(r.type, "text/event-stream; charset=utf-8");
	ck_assert_int_eq(r.packed, HTTP1_GZIP);
	ck_assert_int_eq(r.hints.wait_ms, 1500);
	ck_assert_int_eq(r.hints.should_retry, 1);
}
END_TEST

/* In whole seconds, in parts of them as some vendors have it, or as a date; else it is no hint. */
START_TEST(time_to_wait_is_read_in_each_of_its_forms)
{
	static const struct {
		const char *name, *value;
		int64_t wait_ms;
	} hints[] = { { "Retry-After", "7", 7000 }, { "retry-after", "0", 0 },
		{ "Retry-After", "1.5", 1500 }, { "Retry-After", "30.0", 30000 },
		{ "Retry-After", "0.0625", 62 }, { "Retry-After", "2.", 2000 },
		{ "Retry-After", "999999", 999999000 }, { "Retry-After", "1000000", -1 },
		{ "Retry-After", "99999999999999999999.5", -1 }, { "Retry-After", ".5", -1 },
		{ "Retry-After", "-1", -1 }, { "Retry-After", "7s", -1 },
		{ "Retry-After", "1.5.2", -1 }, { "Retry-After", "1e3", -1 },
		{ "Retry-After", "Fri, 01 Jan 1999 00:00:00 GMT", -1 },
		{ "Retry-After-Ms", "1500", 1500 }, { "Retry-After-Ms", "1500.75", 1500 },
		{ "Retry-After-Ms", "soon", -1 } };

	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		struct http_end end = HTTP_END_NONE;

		http_end_hint(&end, hints[i].name, strlen(hints[i].name), hints[i].value,
		    strlen(hints[i].value));
		ck_assert_msg(end.wait_ms == hints[i].wait_ms, "%s: %s: %lld", hints[i].name,
		    hints[i].value, (long long)end.wait_ms);
	}
}
END_TEST

START_TEST(packings_but_one_gzip_are_unknown)
{
	static const struct {
		const char *headers;
		enum http1_packed packed;
	} cases[] = { { "", HTTP1_AS_IS }, { "Content-Encoding: identity\r\n", HTTP1_AS_IS },
		{ "Content-Encoding: x-gzip\r\n", HTTP1_GZIP },
		{ "Content-Encoding: gzip, gzip\r\n", HTTP1_UNKNOWN },
		{ "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", HTTP1_UNKNOWN },
		{ "Content-Encoding: br\r\nContent-Encoding: gzip\r\n", HTTP1_UNKNOWN },
		{ "Content-Encoding: br\r\n", HTTP1_UNKNOWN } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct result r;
		struct buf b;

		buf_init(&b, 1024);
		ck_assert_int_eq(
		    buf_addf(&b, OK "%sContent-Length: 0\r\n\r\n", cases[i].headers), 0);
		r = read_all(buf_head(&b), b.len);
		ck_assert_int_eq(r.packed, cases[i].packed);
		buf_release(&b);
	}
}
END_TEST

/* "hello hello hello hello\n" by gzip(1). Members may follow each other. */
static const char packed[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x00\x88"
    "\x59\x0b\x18\x00\x00\x00";

static size_t
unpack(struct http_unpack *u, const char *bytes, size_t n, struct buf *out)
{
	const char *piece;
	int size;

	http_unpack_put(u, bytes, n);
	while ((size = http_unpack_take(u, &piece)) > 0)
		ck_assert_int_eq(buf_add(out, piece, (size_t)size), 0);
	return size < 0 ? 1 : 0;
}

#define HELLO "hello hello hello hello\n"

START_TEST(packed_body_is_unpacked_however_it_is_cut)
{
	enum { N = sizeof packed - 1 };
	char twice[2 * N];

	memcpy(twice, packed, N);
	memcpy(twice + N, packed, N);
	for (size_t cut = 0; cut <= 2 * N; cut++) {
		struct http_unpack *u = http_unpack_new();
		struct buf out;

		buf_init(&out, 1024);
		ck_assert_uint_eq(unpack(u, twice, cut, &out), 0);
		ck_assert_int_eq(http_unpack_is_whole(u), cut == N || cut == 2 * N);
		ck_assert_uint_eq(unpack(u, twice + cut, 2 * N - cut, &out), 0);
		ck_assert(http_unpack_is_whole(u));
		ck_assert_uint_eq(out.len, 2 * strlen(HELLO));
		ck_assert_int_eq(memcmp(buf_head(&out), HELLO HELLO, out.len), 0);
		buf_release(&out);
		http_unpack_free(u);
	}
}
END_TEST

START_TEST(bytes_that_are_not_packed_are_refused)
{
	struct http_unpack *u = http_unpack_new();
	struct buf out;

	buf_init(&out, 1024);
	ck_assert_uint_eq(unpack(u, "{\"code\":100000}", 15, &out), 1);
	buf_release(&out);
	http_unpack_free(u);
}
END_TEST

/* --- requests -------------------------------------------------------------------------------- */

static const struct {
	const char *url, *get, *header, *more;
	bool stream;
	const char *request;
} asks[] = {
	{ "http://h", NULL, NULL, NULL, true,
	    "POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: " HTTP_AGENT "\r\n" HTTP_CONTENT
	    "\r\n" HTTP_ACCEPT_STREAM
	    "\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: 2\r\n\r\n{}" },
	{ "http://[::1]:80/v1/x?a=b#c", NULL, "K: secret", "V: 1", false,
	    "POST /v1/x?a=b HTTP/1.1\r\nHost: [::1]:80\r\nUser-Agent: " HTTP_AGENT
	    "\r\n" HTTP_CONTENT "\r\n" HTTP_ACCEPT "\r\nAccept-Encoding: gzip\r\nV: 1\r\n"
	    "X-Request-Id: 0123456789abcdef\r\nContent-Length: 2\r\nK: secret\r\n\r\n{}" },
	{ "http://[fe80::1%25eth0]:80/x", NULL, NULL, NULL, true,
	    "POST /x HTTP/1.1\r\nHost: [fe80::1]:80\r\nUser-Agent: " HTTP_AGENT "\r\n" HTTP_CONTENT
	    "\r\n" HTTP_ACCEPT_STREAM
	    "\r\nX-Request-Id: 0123456789abcdef\r\nContent-Length: 2\r\n\r\n{}" },
	{ "http://h:1?q", "http://h:1?q&r=%20", NULL, NULL, true,
	    "GET /?q&r=%20 HTTP/1.1\r\nHost: h:1\r\nUser-Agent: " HTTP_AGENT "\r\n" HTTP_CONTENT
	    "\r\n" HTTP_ACCEPT_STREAM "\r\nX-Request-Id: 0123456789abcdef\r\n\r\n" },
};

START_TEST(request_is_what_the_robot_is_to_see)
{
	struct http_options o = {
		.url = asks[_i].url, .more_header = asks[_i].more, .stream = asks[_i].stream
	};
	struct iovec spans[HTTP_HEAD_SPANS];
	char own[HTTP_HEAD_OWN];
	struct buf get, body, all;
	struct http_head h;

	http_head_init(&h, &o);
	buf_init(&get, 1024);
	buf_init(&body, 1024);
	buf_init(&all, 1024);
	if (asks[_i].get)
		http_head_get(&h, asks[_i].get, &get);
	else
		ck_assert_int_eq(buf_adds(&body, "{}"), 0);
	http_head_spans(&h, &get, asks[_i].header, 0x0123456789abcdef, &body, own, spans);
	for (int i = 0; i < HTTP_HEAD_SPANS; i++)
		if (spans[i].iov_len)
			ck_assert_int_eq(buf_add(&all, spans[i].iov_base, spans[i].iov_len), 0);
	ck_assert_int_eq(buf_add(&all, "", 1), 0);
	ck_assert_str_eq(buf_head(&all), asks[_i].request);
	buf_release(&get);
	buf_release(&body);
	buf_release(&all);
	http_head_release(&h);
}
END_TEST

Suite *
http1_suite(void)
{
	Suite *suite = suite_create("http1");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(
	    tc, reply_is_read_the_same_however_it_is_cut, 0, sizeof replies / sizeof *replies);
	tcase_add_loop_test(
	    tc, what_is_no_reply_is_broken_at_every_cut, 0, sizeof broken / sizeof *broken);
	tcase_add_test(tc, nul_in_the_head_is_broken);
	tcase_add_loop_test(tc, head_without_end_is_broken_within_its_limit, 0, 5);
	tcase_add_test(tc, head_tells_type_packing_and_what_an_error_wants);
	tcase_add_test(tc, time_to_wait_is_read_in_each_of_its_forms);
	tcase_add_test(tc, packings_but_one_gzip_are_unknown);
	tcase_add_loop_test(tc, request_is_what_the_robot_is_to_see, 0, sizeof asks / sizeof *asks);
	tcase_add_test(tc, packed_body_is_unpacked_however_it_is_cut);
	tcase_add_test(tc, bytes_that_are_not_packed_are_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
