/* test_net.c - networks, and what is said only so often. */
#include "unit/base/suites.h"

#include "base/net.h"
#include "base/seldom.h"

#include <string.h>

static const struct {
	const char *net, *inside, *outside;
} nets[] = {
	{ "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
	{ "10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3" },
	{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.128/25", "192.0.2.200", "192.0.2.127" },
	{ "0.0.0.0/0", "1.2.3.4", "::1" },
	{ "::/0", "::1", "1.2.3.4" },
	{ "::1", "::1", "::2" },
	{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
};

START_TEST(network_has_its_addresses_alone)
{
	struct sock_addr in, out;
	struct net n;
	struct err e;

	ck_assert_int_eq(net_parse(&n, nets[_i].net, &e), 0);
	ck_assert_int_eq(sock_addr_make(&in, SOCK_TCP, nets[_i].inside, 1, &e), 0);
	ck_assert_int_eq(sock_addr_make(&out, SOCK_TCP, nets[_i].outside, 1, &e), 0);
	ck_assert(net_has(&n, &in));
	ck_assert(!net_has(&n, &out));
	ck_assert(net_any_has(&n, 1, &in));
	ck_assert(!net_any_has(&n, 0, &in));
	ck_assert_int_eq(sock_addr_make(&in, SOCK_UNIX, "/x", 0, &e), 0);
	ck_assert(!net_has(&n, &in));
}
END_TEST

START_TEST(what_is_no_network_is_refused)
{
	static const char *const bad[] = { "", "x", "10", "10.0.0", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10.0.0.0/0008", "10.0.0.1/8",
		"::1/64", "::/129", "10.0.0.0/8/8", "256.0.0.0/8" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = { "" };
		struct net n;

		ck_assert_msg(net_parse(&n, bad[i], &e) == -1, "%s", bad[i]);
		ck_assert_msg(strstr(e.text, bad[i]) != NULL, "%s", e.text);
	}
}
END_TEST

START_TEST(what_is_kept_back_is_counted)
{
	struct seldom s = { 0 };
	int kept;

	ck_assert(seldom_may(&s, 2, 1000, 5, &kept));
	ck_assert(seldom_may(&s, 2, 1000, 6, &kept));
	ck_assert_int_eq(kept, 0);
	ck_assert(!seldom_may(&s, 2, 1000, 7, &kept));
	ck_assert(!seldom_may(&s, 2, 1000, 1004, &kept));
	ck_assert(seldom_may(&s, 2, 1000, 1005, &kept));
	ck_assert_int_eq(kept, 2);
	ck_assert(seldom_may(&s, 2, 1000, 1006, &kept));
	ck_assert_int_eq(kept, 0);
}
END_TEST

Suite *
net_suite(void)
{
	Suite *suite = suite_create("net");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, network_has_its_addresses_alone, 0, sizeof nets / sizeof *nets);
	tcase_add_test(tc, what_is_no_network_is_refused);
	tcase_add_test(tc, what_is_kept_back_is_counted);
	suite_add_tcase(suite, tc);
	return suite;
}
