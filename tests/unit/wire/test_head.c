/* test_head.c - heads of requests whole, byte by byte and at every cut; whose page may chat; the
 * answers' form. */
#include "unit/wire/suites.h"

#include "base/mem.h"
#include "wire/codec.h"
#include "wire/origin.h"
#include "wire/page.h"
#include "wire/respond.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: a\r\n"

/* --- where a request ends -------------------------------------------------------------------- */

struct reading {
	struct wire wire;
	struct buf in, out;
	bool over;
};

static void
note(struct reading *r, const struct msg *m)
{
	static const char *const methods[] = { "GET", "HEAD", "OTHER" };
	struct request q;
	int status = request_read(m->text, m->n_text, &q);

	ck_assert_int_eq(m->kind, MSG_REQUEST);
	if (status == 200)
		ck_assert_int_eq(buf_addf(&r->out, "%s(%.*s)%s ", methods[q.method], (int)q.path.n,
				     q.path.s, q.keeps ? "" : "!"),
		    0);
	else
		ck_assert_int_eq(buf_addf(&r->out, "%d ", status), 0);
	if (status != 200)
		ck_assert(!q.keeps);
	r->over = !q.keeps;
}

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		if (got == DECODE_MORE)
			return;
		ck_assert_int_eq(got, DECODE_GOT);
		note(r, &m);
		wire_done(&r->wire, &r->in);
	}
}

static void
feed(struct reading *r, const char *s, size_t n)
{
	if (r->over)
		return;
	ck_assert_int_eq(buf_add(&r->in, s, n), 0);
	decode_all(r, EDGE_MORE);
}

static void
begin(struct reading *r)
{
	memset(r, 0, sizeof *r);
	wire_init(&r->wire, 64);
	r->wire.codec = &codec_http;
	buf_init(&r->in, 1 << 20);
	buf_init(&r->out, 1 << 16);
}

static void
end(struct reading *r, const char *expected, const char *input, size_t cut)
{
	decode_all(r, EDGE_END);
	ck_assert_int_eq(buf_add(&r->out, "", 1), 0);
	ck_assert_msg(strcmp(buf_head(&r->out), expected) == 0,
	    "%.200s\ncut %zu: \"%s\", not \"%s\"", input, cut, buf_head(&r->out), expected);
	if (!r->over)
		ck_assert_uint_eq(r->in.len, 0);
	buf_release(&r->in);
	buf_release(&r->out);
}

static void
reads_bytes(const char *s, size_t n, const char *expected)
{
	struct reading r;

	for (size_t cut = 0; cut <= n; cut++) {
		begin(&r);
		feed(&r, s, cut);
		feed(&r, s + cut, n - cut);
		end(&r, expected, s, cut);
	}
	begin(&r);
	for (size_t i = 0; i < n; i++)
		feed(&r, s + i, 1);
	end(&r, expected, s, n + 1);
}

static void
reads(const char *s, const char *expected)
{
	reads_bytes(s, strlen(s), expected);
}

START_TEST(requests_follow_one_another)
{
	reads("GET / HTTP/1.1\r\n" HOST "\r\nHEAD /x?y=1 HTTP/1.1\r\n" HOST "\r\n",
	    "GET(/) HEAD(/x) ");
	reads("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n\r\n\r\n", "GET(/) ");
	reads("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
	    "GET(/)! ");
	reads("GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", "GET(/)! ");
	reads("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", "GET(/)! ");
	reads("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
	    "GET(/) GET(/)! ");
	reads("PUT / HTTP/1.1\r\n" HOST "\r\nOPTIONS * HTTP/1.1\r\n" HOST "\r\n",
	    "OTHER(/) OTHER(*) ");
	reads("get / HTTP/1.1\r\n" HOST "\r\n", "OTHER(/) ");
	reads("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "OTHER(/)! ");
	reads("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "GET(/) ");
	reads("GET / HTTP/1.1\r\nhOsT:a\r\nX:\t\xe5\xb0\x8f \r\n\r\n", "GET(/) ");
}
END_TEST

START_TEST(first_lines_that_are_none)
{
	static const char *const bad[] = { "GET  / HTTP/1.1", "GET /", "GET", "", " GET / HTTP/1.1",
		"GET / HTTP/1.1 ", "GET / HTTP/1.x", "GET / http/1.1", "G(T / HTTP/1.1",
		"GET /a b HTTP/1.1", "GET /\xe5\xb0\x8f HTTP/1.1", "GET /#x HTTP/1.1",
		"GET x HTTP/1.1", "GET * HTTP/1.1", "GET http://a/ HTTP/1.1",
		"CONNECT a:80 HTTP/1.1", "GET / HTTP/1.1\r", "GET /\x7f HTTP/1.1",
		"GET\t/\tHTTP/1.1", "\x16\x03\x01" };
	char text[256];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "%s\r\n" HOST "\r\n", bad[i]);
		if (*bad[i])
			reads(text, "400 ");
	}
	reads("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 ");
	reads("GET / HTTP/1.2\r\n" HOST "\r\n", "505 ");
	reads("GET / HTTP/0.9\r\n" HOST "\r\n", "505 ");
}
END_TEST

START_TEST(a_body_or_doubt_about_one_is_refused)
{
	static const char *const bad[] = { "Transfer-Encoding: chunked",
		"Transfer-Encoding: identity", "Content-Length: 1\r\nContent-Length: 1",
		"Content-Length: 0\r\nContent-Length: 5", "Content-Length: 0, 0",
		"Content-Length: -1", "Content-Length: +1", "Content-Length: 0x1",
		"Content-Length:", "Content-Length: 1 1", "Content-Length: 9999999999999999999",
		"Content-Length: 0\r\nTransfer-Encoding: chunked", "Content-Length : 0",
		"X: y\r\n folded: z", "X: y\r\n\tfolded", "X", ": x", "X y: z", "X: a\vb",
		"X: a\x7f", "Host: b", "Upgrade: websocket\rX: y",
		"Transfer-Encoding:\r\nX: \x01" };
	char text[512];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "%s\r\n\r\n", bad[i]);
		reads(text, "400 ");
	}
	reads("GET / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "413 ");
	reads("GET / HTTP/1.1\r\n\r\n", "400 ");
	reads("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 ");
	reads("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 ");
	reads("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 ");
	reads("GET / HTTP/1.1\n" HOST "\r\n", "400 ");
	reads("GET / HTTP/1.1\r\nHost: a\n\n", "400 ");
	reads("\n", "400 ");
	reads_bytes("GET /\0 HTTP/1.1\r\n" HOST "\r\n", 27, "400 ");
	reads("GET / HTTP/1.1\r\nHost: a\r\n", "400 "); /* and then the end of the stream */
}
END_TEST

/* A head of exactly so many bytes. */
static char *
head_of(size_t n)
{
	static const char front[] = "GET / HTTP/1.1\r\n" HOST "X: ";
	char *s = malloc(n + 1);

	memset(s, 'x', n);
	memcpy(s, front, sizeof front - 1);
	memcpy(s + n - 4, "\r\n\r\n", 5);
	return s;
}

static void
reads_at_once_and_by_bytes(const char *s, const char *expected)
{
	struct reading r;

	begin(&r);
	feed(&r, s, strlen(s));
	end(&r, expected, s, 0);
	begin(&r);
	for (size_t i = 0; s[i]; i++)
		feed(&r, s + i, 1);
	end(&r, expected, s, 1);
}

START_TEST(head_has_8_kib_and_100_fields_at_most)
{
	char *s = head_of(WIRE_HEAD_BYTES), many[2048] = "GET / HTTP/1.1\r\n" HOST;

	reads_at_once_and_by_bytes(s, "GET(/) ");
	free(s);
	s = head_of(WIRE_HEAD_BYTES + 1);
	reads_at_once_and_by_bytes(s, "431 ");
	free(s);
	for (int i = 1; i < 100; i++)
		strncat(many, "X: y\r\n", sizeof many - strlen(many) - 1);
	strncat(many, "\r\n", 3);
	reads_at_once_and_by_bytes(many, "GET(/) ");
	many[strlen(many) - 2] = '\0';
	strncat(many, "X: y\r\n\r\n", 9);
	reads_at_once_and_by_bytes(many, "431 ");
}
END_TEST

/* Behind as many empty lines as are passed over, and with no room for more. */
START_TEST(head_of_8_kib_has_room_behind_empty_lines)
{
	for (uint32_t more = 0; more < 2; more++) {
		char *head = head_of(WIRE_HEAD_BYTES + more);
		struct reading r;

		begin(&r);
		r.in.limit = wire_in_limit(64);
		feed(&r, "\r\n\r\n\r\n\r\n", WIRE_BLANK_BYTES);
		feed(&r, head, WIRE_HEAD_BYTES);
		ck_assert_uint_eq(r.in.len, 0);
		end(&r, more ? "431 " : "GET(/) ", head, more);
		free(head);
	}
}
END_TEST

START_TEST(how_it_is_refused_does_not_depend_on_what_is_behind)
{
	char *s = malloc(2 * WIRE_HEAD_BYTES);

	memset(s, 'x', 2 * WIRE_HEAD_BYTES - 1);
	s[2 * WIRE_HEAD_BYTES - 1] = '\0';
	memcpy(s, "GET / HTTP/1.1\nX: ", 18);
	reads_at_once_and_by_bytes(s, "400 ");
	memcpy(s, "GET / HTTP/3.0\r\n", 16);
	reads_at_once_and_by_bytes(s, "505 ");
	free(s);
}
END_TEST

START_TEST(opening_of_a_websocket_is_recognised)
{
	static const char text[] = "GET /chat HTTP/1.1\r\nHost: a:1\r\nOrigin: http://a:1\r\n"
				   "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
				   "Sec-WebSocket-Version: 13\r\n"
				   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	struct request q;

	ck_assert_int_eq(request_read(text, sizeof text - 1, &q), 200);
	ck_assert(q.upgrades);
	ck_assert(slice_is(q.path, "/chat"));
	ck_assert(slice_is(q.host, "a:1"));
	ck_assert(slice_is(q.origin, "http://a:1"));
	ck_assert(slice_is(q.version, "13"));
	ck_assert(respond_is_key(q.key));
	ck_assert(!respond_is_key((struct slice){ "dGhlIHNhbXBsZSBub25jZQ=", 23 }));
	ck_assert(!respond_is_key((struct slice){ "dGhlIHNhbXBsZSBub25j\r\n==", 24 }));
	ck_assert(!respond_is_key((struct slice){ NULL, 0 }));
	ck_assert_int_eq(
	    request_read("GET / HTTP/1.1\r\nHost: a\r\nOrigin: a\r\nOrigin: b\r\n\r\n", 52, &q),
	    400);
}
END_TEST

/* --- whose page it is ------------------------------------------------------------------------ */

static bool
may(const char *configured, const char *origin, const char *host)
{
	const struct conf_texts origins = { &configured, configured != NULL };
	const struct request r = { .origin = { origin, origin ? strlen(origin) : 0 },
		.host = { host, host ? strlen(host) : 0 } };

	return origin_may(&origins, &r);
}

START_TEST(i11_same_host_is_one_that_nobody_else_can_have)
{
	ck_assert(may(NULL, "http://127.0.0.1:9980", "127.0.0.1:9980"));
	ck_assert(may(NULL, "http://localhost:9980", "localhost:9980"));
	ck_assert(may(NULL, "http://[::1]:9980", "[::1]:9980"));
	ck_assert(may(NULL, "https://10.1.2.3", "10.1.2.3"));
	ck_assert(may(NULL, "https://10.1.2.3", "10.1.2.3:443"));
	ck_assert(may(NULL, "http://10.1.2.3:80", "10.1.2.3"));
	ck_assert(!may(NULL, NULL, "127.0.0.1:9980"));
	ck_assert(!may(NULL, "null", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://127.0.0.1:9980", NULL));
	ck_assert(!may(NULL, "http://127.0.0.1", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://127.0.0.1:9981", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://evil.example", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://127.0.0.1:9980.evil.example", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://127.0.0.1.evil.example:9980", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://x127.0.0.1:9980", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://127.0.0.1:9980/", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://me@127.0.0.1:9980", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "file://127.0.0.1:9980", "127.0.0.1:9980"));
	ck_assert(!may(NULL, "http://", ""));
	ck_assert(!may(NULL, "http://:80", ":80"));
}
END_TEST

START_TEST(i11_name_that_leads_here_may_not_unless_it_is_configured)
{
	ck_assert(!may(NULL, "http://evil.example:9980", "evil.example:9980"));
	ck_assert(!may(NULL, "http://localhost.evil.example:9980", "localhost.evil.example:9980"));
	ck_assert(!may(NULL, "http://127.1:9980", "127.1:9980"));
	ck_assert(!may(NULL, "http://2130706433:9980", "2130706433:9980"));
	ck_assert(!may(NULL, "http://::1", "::1"));
	ck_assert(may("https://chat.example.com", "https://chat.example.com", "127.0.0.1:9980"));
	ck_assert(may("https://chat.example.com", "https://Chat.Example.com", "x"));
	ck_assert(!may("https://chat.example.com", "http://chat.example.com", "chat.example.com"));
	ck_assert(!may("https://chat.example.com", "https://chat.example.com.evil.org", "x"));
	ck_assert(!may("https://chat.example.com", "https://chat.example.co", "x"));
	ck_assert(!may("https://chat.example.com", "https://xchat.example.com", "x"));
	ck_assert(!may("https://chat.example.com", "https://chat.example.com:444", "x"));
	ck_assert(!may("https://chat.example.com", NULL, "chat.example.com"));
	ck_assert(!may("https://chat.example.com", "http://127.0.0.1:9980", "127.0.0.1:9980"));
}
END_TEST

/* --- answers --------------------------------------------------------------------------------- */

static const char *
text_of(struct buf *out)
{
	ck_assert_int_eq(buf_add(out, "", 1), 0);
	return buf_head(out);
}

START_TEST(answer_has_length_and_says_whether_more_may_follow)
{
	struct request r = { .method = REQUEST_GET, .keeps = true, .is_one_one = true };
	const struct respond a = { .status = 404 };
	struct buf out;
	const char *s, *body;
	char length[64];

	buf_init(&out, 4096);
	ck_assert_int_eq(respond_put(&a, &r, 0, &out), 0);
	s = text_of(&out);
	ck_assert_ptr_eq(strstr(s, "HTTP/1.1 404 Not Found\r\n"), s);
	ck_assert_ptr_nonnull(strstr(s, "\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
	ck_assert_ptr_nonnull(strstr(s, "default-src 'none'"));
	ck_assert_ptr_nonnull(strstr(s, "X-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_null(strstr(s, "\r\nConnection:"));
	body = strstr(s, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body + 4));
	ck_assert_ptr_nonnull(strstr(s, length));
	buf_release(&out);
	r.method = REQUEST_HEAD;
	r.keeps = false;
	ck_assert_int_eq(respond_put(&a, &r, 0, &out), 0);
	s = text_of(&out);
	ck_assert_ptr_nonnull(strstr(s, length));
	ck_assert_ptr_nonnull(strstr(s, "\r\nConnection: close\r\n"));
	ck_assert_str_eq(strstr(s, "\r\n\r\n"), "\r\n\r\n");
	buf_release(&out);
}
END_TEST

static void
policy_names_what_stands_in(const char *head, const char *open, const char *close)
{
	const char *s = strstr(page_html, open) + strlen(open), *e = strstr(s, close);
	unsigned char digest[32], text[64];
	char word[96];

	ck_assert_int_eq(EVP_Digest(s, (size_t)(e - s), digest, NULL, EVP_sha256(), NULL), 1);
	(void)EVP_EncodeBlock(text, digest, sizeof digest);
	snprintf(word, sizeof word, "'sha256-%s'", (const char *)text);
	ck_assert_ptr_nonnull(strstr(head, word));
	ck_assert_ptr_null(strstr(s, open)); /* there is one */
}

START_TEST(i17_page_runs_its_own_script_alone)
{
	struct request r = { .method = REQUEST_HEAD, .keeps = true, .host = { "a:1", 3 } };
	struct buf out;
	const char *s;

	buf_init(&out, 1 << 16);
	ck_assert_int_eq(respond_page(&r, 0, &out), 0);
	s = text_of(&out);
	policy_names_what_stands_in(s, "<script>", "</script>");
	policy_names_what_stands_in(s, "<style>", "</style>");
	ck_assert_ptr_nonnull(strstr(s, "connect-src 'self' ws://a:1 wss://a:1; "));
	ck_assert_ptr_null(strstr(s, "unsafe"));
	buf_release(&out);
	/* No host adds a word of its own. */
	r.host = (struct slice){ "a;script-src", 12 };
	ck_assert_int_eq(respond_page(&r, 0, &out), 0);
	ck_assert_ptr_nonnull(strstr(text_of(&out), "connect-src 'self'; "));
	buf_release(&out);
	ck_assert_uint_lt(page_html_size, 30000);
	ck_assert_ptr_null(strstr(page_html, "innerHTML"));
	ck_assert_ptr_null(strstr(page_html, " style="));
}
END_TEST

START_TEST(key_is_answered_as_the_rfc_has_it)
{
	struct buf out;

	buf_init(&out, 1024);
	ck_assert_int_eq(respond_switch((struct slice){ "dGhlIHNhbXBsZSBub25jZQ==", 24 }, &out), 0);
	ck_assert_str_eq(text_of(&out),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	buf_release(&out);
}
END_TEST

Suite *
head_suite(void)
{
	Suite *suite = suite_create("head");
	TCase *tc = tcase_create("head");

	tcase_add_test(tc, requests_follow_one_another);
	tcase_add_test(tc, first_lines_that_are_none);
	tcase_add_test(tc, a_body_or_doubt_about_one_is_refused);
	tcase_add_test(tc, head_has_8_kib_and_100_fields_at_most);
	tcase_add_test(tc, head_of_8_kib_has_room_behind_empty_lines);
	tcase_add_test(tc, how_it_is_refused_does_not_depend_on_what_is_behind);
	tcase_add_test(tc, opening_of_a_websocket_is_recognised);
	tcase_add_test(tc, i11_same_host_is_one_that_nobody_else_can_have);
	tcase_add_test(tc, i11_name_that_leads_here_may_not_unless_it_is_configured);
	tcase_add_test(tc, answer_has_length_and_says_whether_more_may_follow);
	tcase_add_test(tc, i17_page_runs_its_own_script_alone);
	tcase_add_test(tc, key_is_answered_as_the_rfc_has_it);
	suite_add_tcase(suite, tc);
	return suite;
}
