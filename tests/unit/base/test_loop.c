/* test_loop.c - lapse and later on a real loop: only order is tested, never time. */
#include "unit/base/suites.h"

#include "base/lapse.h"
#include "base/later.h"

#include <string.h>

struct stage {
	struct ev_loop *loop;
	struct later later;
	char seen[16];
	struct later_task *more;
};

static struct stage stage;

static void
see(char c)
{
	size_t n = strlen(stage.seen);

	ck_assert_uint_lt(n, sizeof stage.seen - 1);
	stage.seen[n] = c;
}

static void
on_task(void *arg)
{
	see(*(const char *)arg);
	if (stage.more)
		later_add(&stage.later, stage.more);
	stage.more = NULL;
}

static void
begin(void)
{
	memset(&stage, 0, sizeof stage);
	stage.loop = ev_loop_new(EVFLAG_AUTO);
	later_init(&stage.later, stage.loop);
}

static void
end(void)
{
	later_release(&stage.later);
	ev_loop_destroy(stage.loop);
}

START_TEST(tasks_run_once_in_order_and_in_the_same_turn)
{
	char names[] = "abcd";
	struct later_task t[4];

	begin();
	for (int i = 0; i < 4; i++)
		later_task_init(&t[i], on_task, &names[i]);
	later_add(&stage.later, &t[0]);
	later_add(&stage.later, &t[1]);
	later_add(&stage.later, &t[0]);
	later_add(&stage.later, &t[2]);
	later_remove(&t[2]);
	stage.more = &t[3];
	ck_assert_str_eq(stage.seen, "");
	ev_run(stage.loop, EVRUN_NOWAIT);
	ck_assert_str_eq(stage.seen, "abd");
	ev_run(stage.loop, EVRUN_NOWAIT);
	ck_assert_str_eq(stage.seen, "abd");
	end();
}
END_TEST

struct item {
	struct lapse_entry entry;
	char name;
};

static void
on_lapse(struct lapse_entry *e, void *arg)
{
	(void)arg;
	see(list_item(e, struct item, entry)->name);
}

START_TEST(the_least_recently_touched_lapses_first)
{
	struct item items[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' },
		{ .name = 'd' } };
	struct lapse l;

	begin();
	lapse_init(&l, stage.loop, 1, on_lapse, NULL);
	for (int i = 0; i < 4; i++) {
		lapse_entry_init(&items[i].entry);
		lapse_touch(&l, &items[i].entry);
	}
	lapse_touch(&l, &items[0].entry);
	lapse_stop(&items[2].entry);
	while (strlen(stage.seen) < 3)
		ev_run(stage.loop, EVRUN_ONCE);
	ck_assert_str_eq(stage.seen, "bda");
	lapse_release(&l);
	end();
}
END_TEST

START_TEST(a_limit_of_zero_never_lapses)
{
	struct item item = { .name = 'a' };
	struct lapse l;

	begin();
	lapse_init(&l, stage.loop, 0, on_lapse, NULL);
	lapse_entry_init(&item.entry);
	lapse_touch(&l, &item.entry);
	/* Nothing to wait for: the loop returns at once. */
	ev_run(stage.loop, 0);
	ck_assert_str_eq(stage.seen, "");
	lapse_set_limit(&l, 1);
	ev_run(stage.loop, 0);
	ck_assert_str_eq(stage.seen, "a");
	lapse_release(&l);
	end();
}
END_TEST

Suite *
loop_suite(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, tasks_run_once_in_order_and_in_the_same_turn);
	tcase_add_test(tc, the_least_recently_touched_lapses_first);
	tcase_add_test(tc, a_limit_of_zero_never_lapses);
	suite_add_tcase(suite, tc);
	return suite;
}
