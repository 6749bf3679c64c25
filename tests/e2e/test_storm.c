/* test_storm.c - everything at once, for SOAK_MINUTES; see storm.h. XIAOTU_SEED repeats one. */
#include "e2e/storm.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MINUTE_MS = 60000, DEFAULT_MINUTES = 2, MOST_MINUTES = 60, ROUNDS = 8 };
enum { TIDY_MS = 12000 }; /* by then each worker gave back what it does not need (base/mem.h) */
/* What a heap is uneven by, of four processes together. */
enum { MEMORY_PERCENT = 5, SLACK_KIB = 512 };

static unsigned
seed(void)
{
	const char *text = getenv("XIAOTU_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return text ? (unsigned)strtoul(text, NULL, 10)
		    : (unsigned)now.tv_sec * 1000U + (unsigned)(now.tv_nsec / 1000000);
}

static int64_t
minutes(void)
{
	const char *text = getenv("SOAK_MINUTES");
	long n = text ? strtol(text, NULL, 10) : 0;

	return n > 0 && n < MOST_MINUTES ? n : DEFAULT_MINUTES;
}

static int64_t
memory_kib(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int64_t sum = procfs_own_kib(s->pid);

	for (int i = server_pids(s, pids); i-- > 0;)
		sum += procfs_own_kib(pids[i]);
	return sum;
}

static int64_t
least(const int64_t *kib, int n)
{
	int64_t found = kib[0];

	while (--n > 0)
		found = kib[n] < found ? kib[n] : found;
	return found;
}

/* Half of the time with everything; then all processes stay, and what they have half-way must do
 * for the rest of it. */
START_TEST(storm_of_load_faults_and_reloads_loses_nothing_and_leaks_nothing)
{
	int64_t for_ms = minutes() * MINUTE_MS, kib[ROUNDS], before;
	unsigned number = seed();
	struct storm *st;
	struct server *s;

	printf("XIAOTU_SEED=%u SOAK_MINUTES=%d\n", number, (int)minutes());
	fflush(stdout);
	st = storm_open(number);
	s = storm_server(st);
	storm_rage(st, for_ms / 2, true);
	storm_calm(st);
	storm_tell(st);
	for (int i = 0; i < ROUNDS; i++) {
		storm_rage(st, for_ms / 2 / ROUNDS, false);
		storm_calm(st);
		storm_rest(st, TIDY_MS);
		kib[i] = memory_kib(s);
		printf("%d KiB\n", (int)kib[i]);
		fflush(stdout);
		if (i == ROUNDS / 2)
			server_baseline(s);
	}
	storm_tell(st);
	before = least(kib, ROUNDS / 2);
	if (!oracle_is_sanitized())
		ck_assert_int_le(least(kib + ROUNDS / 2, ROUNDS / 2),
		    before + before * MEMORY_PERCENT / 100 + SLACK_KIB);
	ck_assert_int_eq(server_count_log(s, "lvl=alert"), 0);
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	storm_close(st);
}
END_TEST

Suite *
storm_suite(void)
{
	Suite *suite = suite_create("storm");
	TCase *tc = scene_case(suite, "storm");

	tcase_set_timeout(tc, (double)minutes() * 60 * 2 + 300);
	if (getenv("XIAOTU_SOAK"))
		tcase_add_test(
		    tc, storm_of_load_faults_and_reloads_loses_nothing_and_leaks_nothing);
	return suite;
}
