/* test_buf.c - the byte queue: order, limit, no memory while empty. */
#include "unit/base/suites.h"

#include "base/buf.h"

#include <string.h>

START_TEST(order_and_limit_are_kept)
{
	struct buf b;
	char next_in = 0, next_out = 0;

	buf_init(&b, 10);
	for (int round = 0; round < 100; round++) {
		while (b.len < 10) {
			ck_assert_int_eq(buf_add(&b, &next_in, 1), 0);
			next_in++;
		}
		ck_assert_int_eq(buf_add(&b, "x", 1), -1);
		for (int i = 0; i < 1 + round % 10; i++) {
			ck_assert_int_eq(*buf_head(&b), next_out);
			next_out++;
			buf_eat(&b, 1);
		}
	}
	buf_release(&b);
}
END_TEST

START_TEST(what_does_not_fit_is_not_added_at_all)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(buf_adds(&b, "12345"), 0);
	ck_assert_int_eq(buf_adds(&b, "6789"), -1);
	ck_assert_int_eq(buf_addf(&b, "%d", 6789), -1);
	ck_assert_uint_eq(b.len, 5);
	ck_assert_int_eq(buf_addf(&b, "%d", 678), 0);
	ck_assert_int_eq(memcmp(buf_head(&b), "12345678", 8), 0);
	buf_cut(&b, 2);
	ck_assert_uint_eq(b.len, 2);
	buf_release(&b);
}
END_TEST

START_TEST(empty_holds_no_memory)
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(buf_adds(&b, "abc"), 0);
	buf_eat(&b, 3);
	ck_assert_ptr_null(b.bytes);
	ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(reserved_room_ends_at_the_limit)
{
	struct buf b;
	size_t room;
	char *at;

	buf_init(&b, 10);
	ck_assert_int_eq(buf_adds(&b, "1234567"), 0);
	at = buf_reserve(&b, 100, &room);
	ck_assert_uint_eq(room, 3);
	memcpy(at, "890", 3);
	buf_grow(&b, 3);
	ck_assert_int_eq(memcmp(buf_head(&b), "1234567890", 10), 0);
	buf_release(&b);
}
END_TEST

Suite *
buf_suite(void)
{
	Suite *suite = suite_create("buf");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, order_and_limit_are_kept);
	tcase_add_test(tc, what_does_not_fit_is_not_added_at_all);
	tcase_add_test(tc, empty_holds_no_memory);
	tcase_add_test(tc, reserved_room_ends_at_the_limit);
	suite_add_tcase(suite, tc);
	return suite;
}
