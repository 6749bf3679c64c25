/* test_tally.c - chats counted by address, over workers. */
#include "unit/share/suites.h"

#include "share/tally.h"

static uint64_t
key(const char *host)
{
	struct sock_addr a;
	struct err e = { "" };

	ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, host, 1, &e), 0);
	return tally_key(&a);
}

START_TEST(addresses_are_told_apart)
{
	struct sock_addr a;
	struct err e = { "" };

	ck_assert(key("127.0.0.1") != key("127.0.0.2"));
	ck_assert(key("2001:db8::1") == key("2001:db8::2")); /* one /64 */
	ck_assert(key("2001:db8::1") != key("2001:db8:0:1::1"));
	ck_assert(key("::1") != 0);
	ck_assert_int_eq(sock_addr_make(&a, SOCK_UNIX, "/run/x", 0, &e), 0);
	ck_assert(tally_key(&a) == 0);
}
END_TEST

START_TEST(slots_add_up_and_are_forgotten)
{
	struct tally *t = tally_new(3);
	uint64_t a = key("127.0.0.1"), b = key("127.0.0.2");

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(tally_add(t, 0, a, 1), 1);
	ck_assert_int_eq(tally_add(t, 0, a, 1), 1);
	ck_assert_int_eq(tally_add(t, 2, a, 1), 1);
	ck_assert_int_eq(tally_add(t, 2, b, 1), 1);
	ck_assert_int_eq(tally_count(t, a), 3);
	ck_assert_int_eq(tally_count(t, b), 1);
	ck_assert_int_eq(tally_add(t, 0, a, -1), 1);
	ck_assert_int_eq(tally_count(t, a), 2);
	tally_reset(t, 2);
	ck_assert_int_eq(tally_count(t, a), 1);
	ck_assert_int_eq(tally_count(t, b), 0);
}
END_TEST

START_TEST(places_are_used_again)
{
	struct tally *t = tally_new(1);

	ck_assert_ptr_nonnull(t);
	for (uint64_t i = 1; i < 100000; i++) {
		ck_assert_int_eq(tally_add(t, 0, 1ULL << 63 | i, 1), 1);
		ck_assert_int_eq(tally_count(t, 1ULL << 63 | i), 1);
		ck_assert_int_eq(tally_add(t, 0, 1ULL << 63 | i, -1), 1);
	}
}
END_TEST

Suite *
tally_suite(void)
{
	Suite *suite = suite_create("tally");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, addresses_are_told_apart);
	tcase_add_test(tc, slots_add_up_and_are_forgotten);
	tcase_add_test(tc, places_are_used_again);
	suite_add_tcase(suite, tc);
	return suite;
}
