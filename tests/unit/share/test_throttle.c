/* test_throttle.c - a rate for each key, whoever asks. */
#include "unit/share/suites.h"

#include "share/throttle.h"

START_TEST(so_many_a_minute_at_once_and_then_one_by_one)
{
	struct throttle *t = throttle_new();
	int64_t now = 1000000;

	ck_assert_ptr_nonnull(t);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(throttle_take(t, 7, 6, now), 0);
	ck_assert_int_eq(throttle_take(t, 7, 6, now), 10000);
	ck_assert_int_eq(throttle_take(t, 7, 6, now + 4000), 6000);
	ck_assert_int_eq(throttle_take(t, 8, 6, now), 0); /* another key */
	ck_assert_int_eq(throttle_take(t, 7, 6, now + 10000), 0);
	ck_assert_int_eq(throttle_take(t, 7, 6, now + 10000), 10000);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(throttle_take(t, 7, 6, now + 70000), 0);
	ck_assert_int_gt(throttle_take(t, 7, 6, now + 70000), 0);
}
END_TEST

START_TEST(keys_that_are_silent_make_room)
{
	struct throttle *t = throttle_new();
	int64_t now = 1000000;

	/* Many more keys than there is room for, each once, a minute apart. */
	for (uint64_t round = 0; round < 3; round++, now += 61000)
		for (uint64_t key = 1; key <= 40000; key++)
			ck_assert_int_eq(throttle_take(t, key + round * 50000, 1, now), 0);
	ck_assert_int_eq(throttle_take(t, 999999, 1, now), 0);
	ck_assert_int_gt(throttle_take(t, 999999, 1, now), 0);
}
END_TEST

Suite *
throttle_suite(void)
{
	Suite *suite = suite_create("throttle");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, so_many_a_minute_at_once_and_then_one_by_one);
	tcase_add_test(tc, keys_that_are_silent_make_room);
	suite_add_tcase(suite, tc);
	return suite;
}
