/* test_store.c - the last turns of each chat. */
#include "unit/store/suites.h"

#include "store/store.h"

#include <stdio.h>
#include <string.h>

static void
append(struct store *s, uint64_t chat, int most, int number)
{
	char q[16], a[16];
	struct store_turn t = { q, a, 0, 0 };

	t.n_question = (size_t)snprintf(q, sizeof q, "q%d", number);
	t.n_answer = (size_t)snprintf(a, sizeof a, "a%d", number);
	store_mem.append(s, chat, most, &t);
}

START_TEST(last_turns_are_kept_in_order)
{
	struct store_turn turns[STORE_MAX_TURNS];
	struct err e = { "" };
	struct store *s = store_mem.open(&e);

	for (int i = 0; i < 10; i++) {
		append(s, 1, 4, i);
		append(s, 4097, 4, 100 + i); /* the same bucket */
	}
	ck_assert_int_eq(store_mem.recent(s, 1, STORE_MAX_TURNS, turns), 4);
	ck_assert_int_eq(memcmp(turns[0].question, "q6", 2), 0);
	ck_assert_int_eq(memcmp(turns[3].answer, "a9", 2), 0);
	ck_assert_int_eq(store_mem.recent(s, 1, 2, turns), 2);
	ck_assert_int_eq(memcmp(turns[0].question, "q8", 2), 0);
	store_mem.forget(s, 1);
	ck_assert_int_eq(store_mem.recent(s, 1, 4, turns), 0);
	ck_assert_int_eq(store_mem.recent(s, 4097, 4, turns), 4);
	store_mem.close(s);
}
END_TEST

START_TEST(a_chat_keeps_no_more_bytes_than_allowed)
{
	static char text[STORE_CHAT_BYTES];
	struct store_turn turns[STORE_MAX_TURNS],
	    half = { text, text, sizeof text / 4, sizeof text / 4 };
	struct store_turn much = { text, text, sizeof text, 1 },
			  long_answer = { text, text, 1, sizeof text };
	struct err e = { "" };
	struct store *s = store_mem.open(&e);

	for (int i = 0; i < 5; i++)
		store_mem.append(s, 1, 100, &half);
	ck_assert_int_eq(store_mem.recent(s, 1, STORE_MAX_TURNS, turns), 2);
	store_mem.append(s, 2, 100, &much);
	ck_assert_int_eq(store_mem.recent(s, 2, STORE_MAX_TURNS, turns), 0);
	/* Of a long answer the beginning stays. */
	store_mem.append(s, 3, 100, &long_answer);
	ck_assert_int_eq(store_mem.recent(s, 3, STORE_MAX_TURNS, turns), 1);
	ck_assert_uint_eq(turns[0].n_question, 1);
	ck_assert_uint_eq(turns[0].n_answer, STORE_CHAT_BYTES - 1);
	store_mem.close(s);
}
END_TEST

Suite *
store_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, last_turns_are_kept_in_order);
	tcase_add_test(tc, a_chat_keeps_no_more_bytes_than_allowed);
	suite_add_tcase(suite, tc);
	return suite;
}
