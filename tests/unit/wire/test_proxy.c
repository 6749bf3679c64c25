/* test_proxy.c - headers of the PROXY protocol, whole, byte by byte, and what is none. */
#include "unit/wire/suites.h"

#include "base/mem.h"
#include "wire/proxy.h"

#include <stdlib.h>
#include <string.h>

#define MARK     "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *bytes;
	size_t n;
	const char *from; /* NULL: the proxy itself, or it does not know */
} headers[] = {
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 5000 9999\r\n"), "192.0.2.7:5000" },
	{ BYTES("PROXY TCP6 2001:db8::7 ::1 65535 9999\r\n"), "[2001:db8::7]:65535" },
	{ BYTES("PROXY UNKNOWN\r\n"), NULL },
	{ BYTES("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), NULL },
	{ BYTES(MARK "\x21\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x13\x88\x27\x0f"),
	    "192.0.2.7:5000" },
	{ BYTES(MARK "\x21\x11\0\x10\xc0\0\x02\x07\x7f\0\0\x01\x13\x88\x27\x0f\x04\0\x01x"),
	    "192.0.2.7:5000" },
	{ BYTES(MARK "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13\x88\x27\x0f"),
	    "[2001:db8::7]:5000" },
	{ BYTES(MARK "\x20\0\0\0"), NULL },
	{ BYTES(MARK "\x20\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x13\x88\x27\x0f"), NULL },
	{ BYTES(MARK "\x21\0\0\0"), NULL },
};

START_TEST(header_is_taken_whole_and_not_before)
{
	size_t n = headers[_i].n;
	struct sock_addr from;
	char text[SOCK_TEXT];
	bool told;

	for (size_t i = 1; i <= n + 4; i++) {
		char *copy = mem_zalloc(i); /* of the exact size, for the sanitizers */
		int got;

		memset(copy, 'x', i);
		memcpy(copy, headers[_i].bytes, i < n ? i : n);
		got = proxy_parse(copy, i, &from, &told);
		ck_assert_int_eq(got, i < n ? 0 : (int)n);
		free(copy);
	}
	ck_assert_int_eq(told, headers[_i].from != NULL);
	if (!told)
		return;
	sock_addr_text(&from, text);
	ck_assert_str_eq(text, headers[_i].from);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
} bad[] = {
	{ BYTES("GET / HTTP/1.0\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 5000\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 5000 9999 1\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 5000 65536\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 -1 9999\r\n") },
	{ BYTES("PROXY TCP4 ::1 ::1 5000 9999\r\n") },
	{ BYTES("PROXY TCP6 192.0.2.7 127.0.0.1 5000 9999\r\n") },
	{ BYTES("PROXY TCP4 a b 5000 9999\r\n") },
	{ BYTES("PROXY UDP4 192.0.2.7 127.0.0.1 5000 9999\r\n") },
	{ BYTES("PROXY UNKNOWNS\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.7 127.0.0.1 5000 9999\n") },
	{ BYTES("PROXY TCP4 192.0.2.7\0 127.0.0.1 5000 9999\r\n") },
	{ BYTES(
	    "PROXY TCP4 000000000000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000") },
	{ BYTES(MARK "\x11\x11\0\x0c") },
	{ BYTES(MARK "\x22\x11\0\x0c") },
	{ BYTES(MARK "\x21\x11\xff\xff") },
	{ BYTES(MARK "\x21\x11\0\x04\xc0\0\x02\x07") },
	{ BYTES(MARK "\x21\x21\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x13\x88\x27\x0f") },
};

START_TEST(what_is_no_header_is_refused)
{
	struct sock_addr from;
	bool told;

	ck_assert_int_eq(proxy_parse(bad[_i].bytes, bad[_i].n, &from, &told), -1);
	ck_assert(!told);
}
END_TEST

Suite *
proxy_suite(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(
	    tc, header_is_taken_whole_and_not_before, 0, sizeof headers / sizeof *headers);
	tcase_add_loop_test(tc, what_is_no_header_is_refused, 0, sizeof bad / sizeof *bad);
	suite_add_tcase(suite, tc);
	return suite;
}
