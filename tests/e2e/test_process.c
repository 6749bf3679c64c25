/* test_process.c - processes that die (FAULTS, rows E). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "lib/procfs.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif

enum { CHATS = 50, QUEUED = 200, REPLACED_MS = 1000 * SLOWER };

static bool
is_one_of(pid_t pid, const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* 50 chats over two workers; one worker is killed. Only its own end, the others talk on. */
static struct server *
kill_one(int number, const char *told)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t pids[SERVER_WORKERS_MAX], of[CHATS], victim;
	struct peer *peers[CHATS];
	int n_ended = 0;

	s->may_crash = true;
	for (int i = 0; i < CHATS; i++) {
		peers[i] = scene_chat(s);
		scene_hello(peers[i], "me::hi");
		of[i] = server_worker_of(s, peer_port(peers[i]));
	}
	victim = of[0];
	ck_assert(is_one_of(victim, pids, server_pids(s, pids)));
	ck_assert_int_eq(kill(victim, number), 0);
	ck_assert(procfs_wait_gone(victim, SERVER_MS));
	server_wait_workers(s, 2, REPLACED_MS);
	(void)server_wait_log(s, told);
	for (int i = 0; i < CHATS; i++) {
		n_ended += of[i] == victim;
		if (of[i] == victim)
			peer_drop(peers[i]);
		else
			scene_hello(peers[i], "still here");
	}
	ck_assert_int_ge(n_ended, 1);
	ck_assert_int_lt(n_ended, CHATS);
	(void)server_wait_log(s, "ev=worker_ready");
	for (int i = 0; i < 20; i++)
		scene_hello(scene_chat(s), "me::new");
	return s;
}

START_TEST(e1_killed_worker_ends_its_own_chats_only_and_is_replaced)
{
	scene_end(kill_one(SIGKILL, "ev=worker_exit sig=9"), NULL);
}
END_TEST

/* A core would be allowed and land in the server's working directory. The sanitizer must leave the
 * signal alone. */
START_TEST(e3_crashed_worker_is_replaced_and_leaves_no_core)
{
	struct rlimit core;
	const struct dirent *entry;
	struct server *s;
	DIR *d;

	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	core.rlim_cur = core.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_int_eq(setenv("ASAN_OPTIONS", "handle_segv=0:disable_coredump=0", 1), 0);
	s = kill_one(SIGSEGV, "ev=worker_exit sig=11");
	d = opendir(s->folder);
	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL)
		ck_assert_int_ne(strncmp(entry->d_name, "core", 4), 0);
	closedir(d);
	scene_end(s, NULL);
}
END_TEST

/* Both workers stand still while 200 connect; the one that is killed takes none of them along. */
START_TEST(e2_queued_connections_survive_the_death_of_a_worker)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t pids[SERVER_WORKERS_MAX];
	struct peer *peers[QUEUED];

	s->may_crash = true;
	ck_assert_int_eq(server_pids(s, pids), 2);
	ck_assert_int_eq(kill(pids[0], SIGSTOP), 0);
	ck_assert_int_eq(kill(pids[1], SIGSTOP), 0);
	for (int i = 0; i < QUEUED; i++)
		peers[i] = peer_open(s->address, SERVER_PORT);
	ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
	ck_assert_int_eq(kill(pids[1], SIGCONT), 0);
	for (int i = 0; i < QUEUED; i++) {
		peer_expect(peers[i], GREETING);
		scene_hello(peers[i], "me::hi");
	}
	server_wait_workers(s, 2, SERVER_MS);
	scene_end(s, NULL);
}
END_TEST

START_TEST(e4_workers_leave_when_the_master_is_killed_and_a_new_start_binds)
{
	struct server *s = server_start(HELLO_SERVER), *next;
	pid_t pids[SERVER_WORKERS_MAX];
	struct peer *p = scene_chat(s);
	int n = server_pids(s, pids);

	scene_hello(p, "me::hi");
	server_signal(s, SIGKILL);
	ck_assert_int_eq(server_wait_exit(s), 128 + SIGKILL);
	for (int i = 0; i < n; i++)
		ck_assert(procfs_wait_gone(pids[i], REPLACED_MS));
	peer_drop(p);
	next = server_start(HELLO_SERVER);
	scene_hello(scene_chat(next), "me::hi");
	scene_end(next, NULL);
	server_end(s);
}
END_TEST

START_TEST(worker_that_leaves_at_once_again_and_again_is_not_forked_in_a_storm)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *canary = NULL;
	pid_t pids[SERVER_WORKERS_MAX];
	int n;

	s->may_crash = true;
	for (int i = 0; i < 3; i++) {
		n = server_pids(s, pids);
		ck_assert_int_ge(n, 1);
		for (int k = 0; k < n; k++)
			(void)kill(pids[k], SIGKILL);
		for (int k = 0; k < n; k++)
			ck_assert(procfs_wait_gone(pids[k], SERVER_MS));
		server_wait_workers(s, 2, SERVER_MS);
		(void)server_wait_log(s, "ev=worker_ready");
		(void)server_wait_log(s, "ev=worker_ready");
	}
	canary = scene_chat(s);
	scene_hello(canary, "me::hi");
	ck_assert_int_le(server_count_log(s, "ev=worker_exit"), 6);
	scene_end(s, NULL);
}
END_TEST

Suite *
process_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = scene_case(suite, "death");

	tcase_add_test(tc, e1_killed_worker_ends_its_own_chats_only_and_is_replaced);
	tcase_add_test(tc, e2_queued_connections_survive_the_death_of_a_worker);
	tcase_add_test(tc, e3_crashed_worker_is_replaced_and_leaves_no_core);
	tcase_add_test(tc, e4_workers_leave_when_the_master_is_killed_and_a_new_start_binds);
	tcase_add_test(tc, worker_that_leaves_at_once_again_and_again_is_not_forked_in_a_storm);
	return suite;
}
