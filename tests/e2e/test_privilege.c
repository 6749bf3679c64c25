/* test_privilege.c - who a worker is, and what others of the same user see of it (FAULTS, rows I1,
 * I4, I6, I9, I10). What needs root is not done without. */
#include "e2e/moving.h"
#include "e2e/suites.h"

#include "lib/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

#define AS_NOBODY "user = \"nobody\";\n"

static pid_t
only_worker(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];

	ck_assert_int_eq(server_pids(s, pids), 1);
	return pids[0];
}

static void
has_status(pid_t pid, const char *line)
{
	if (!procfs_holds(pid, "status", line))
		ck_abort_msg("worker %d: no \"%s\"", (int)pid, line);
}

/* --- I1 -------------------------------------------------------------------------------------- */

START_TEST(i1_worker_of_a_user_has_no_rights_left)
{
	static const gid_t groups[] = { 4, 27, 1000 };
	struct server *s;
	pid_t worker;

	if (geteuid() != 0)
		return;
	/* What it must not keep. */
	ck_assert_int_eq(setgroups(sizeof groups / sizeof *groups, groups), 0);
	s = server_start(AS_NOBODY ONE_WORKER HELLO);
	worker = only_worker(s);
	has_status(worker, "Uid:\t65534\t65534\t65534\t65534\n");
	has_status(worker, "Gid:\t65534\t65534\t65534\t65534\n");
	has_status(worker, "Groups:\t65534 \n");
	has_status(worker, "CapInh:\t0000000000000000\n");
	has_status(worker, "CapPrm:\t0000000000000000\n");
	has_status(worker, "CapEff:\t0000000000000000\n");
	has_status(worker, "CapAmb:\t0000000000000000\n");
	has_status(worker, "NoNewPrivs:\t1\n");
	has_status(worker, "Seccomp:\t2\n");
	scene_hello(scene_chat(s), "me::hi");
	server_reload_ok(s);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

/* Without `user` it stays who started it, root perhaps, but can do nothing with it. */
START_TEST(i1_worker_without_a_user_is_confined_as_well)
{
	struct server *s = server_start(ONE_WORKER HELLO);
	pid_t worker = only_worker(s);

#if !defined(__SANITIZE_ADDRESS__)
	has_status(worker, "CapPrm:\t0000000000000000\n");
	has_status(worker, "CapEff:\t0000000000000000\n");
#endif
	has_status(worker, "NoNewPrivs:\t1\n");
	has_status(worker, "Seccomp:\t2\n");
	scene_end(s, NULL);
}
END_TEST

/* --- I4 -------------------------------------------------------------------------------------- */

/* Each step of the change of user fails, or says that it did and did not. */
static const char *const faults[] = { "setgroups:error=EPERM", "setgid:error=EPERM",
	"setuid:error=EPERM", "setuid:retval=0", "setgid:retval=0" };

enum { FAULTS = sizeof faults / sizeof *faults };

START_TEST(i4_server_whose_workers_cannot_become_the_user_refuses_to_start)
{
	struct server *s;
	char script[512];

	if (geteuid() != 0)
		return;
	s = server_new(AS_NOBODY PLAIN POOL(6) DOOR(9999) HELLO);
	ck_assert_int_lt(
	    snprintf(script, sizeof script,
		"#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e inject=%s %s \"$@\"\n",
		faults[_i], server_program("xiaotud")),
	    (int)sizeof script);
	moving_program(s, script, 0755);
	ck_assert_int_eq(setenv("XIAOTU_BIN", s->folder, 1), 0);
	server_run(s);
	if (!procfs_wait_gone(s->pid, 2 * SERVER_STOP_MS))
		ck_abort_msg("it does not give up");
	ck_assert_int_eq(server_wait_exit(s), 1);
	s->may_alert = true;
	s->may_crash = true; /* one that was still starting is killed */
	if (server_count_log(s, "strace") > 0)
		fprintf(stderr, "SKIPPED for want of strace: I4\n");
	else
		ck_assert_int_ge(server_count_log(s, "ev=giving_up"), 1);
	ck_assert_int_eq(server_count_log(s, "ev=worker_ready"), 0);
	server_end(s);
}
END_TEST

/* --- I6 -------------------------------------------------------------------------------------- */

START_TEST(i6_symlink_at_the_log_is_not_followed)
{
	struct server *s = server_new(ONE_WORKER HELLO);
	char path[96], victim[96];
	struct stat st;

	snprintf(path, sizeof path, "%s/log", s->folder);
	snprintf(victim, sizeof victim, "%s/victim", s->folder);
	ck_assert_int_eq(symlink(victim, path), 0);
	server_config(s, "%s", ONE_WORKER HELLO "log = { target = \"$DIR/log\"; };\n");
	server_run(s);
	ck_assert_int_eq(server_wait_exit(s), 1);
	ck_assert_int_lt(stat(victim, &st), 0);
	server_end(s);
}
END_TEST

/* --- I9, I10 --------------------------------------------------------------------------------- */

START_TEST(i9_worker_that_aborts_leaves_no_core)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const struct dirent *entry;
	struct server *s;
	pid_t worker;
	DIR *d;

	if (setrlimit(RLIMIT_CORE, &all) < 0)
		fprintf(stderr, "the limit of cores stays as it is: %s\n", strerror(errno));
	ck_assert_int_eq(setenv("ASAN_OPTIONS", "handle_abort=0:disable_coredump=0", 1), 0);
	s = server_start(ONE_WORKER HELLO);
	worker = only_worker(s);
	s->may_crash = true;
	has_status(worker, "Name:\txiaotud\n");
	ck_assert(
	    procfs_holds(worker, "limits", "Max core file size        0                    0"));
	ck_assert_int_eq(kill(worker, SIGABRT), 0);
	(void)server_wait_log(s, "ev=worker_exit sig=6");
	(void)server_wait_log(s, "ev=worker_ready");
	d = opendir(s->folder);
	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL)
		ck_assert_int_ne(strncmp(entry->d_name, "core", 4), 0);
	closedir(d);
	scene_end(s, NULL);
}
END_TEST

/* In a process of that user: what it may look at. Exit 0: nothing. */
static _Noreturn void
look_at(pid_t worker)
{
	static const char *const names[] = { "mem", "maps", "environ", "fd/0", "auxv", "stack" };
	char path[64];

	if (geteuid() == 0 && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		_exit(1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", (int)worker, names[i]);
		if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
			_exit(2 + (int)i);
	}
	if (ptrace(PTRACE_SEIZE, worker, NULL, NULL) == 0 || errno != EPERM)
		_exit(20);
	_exit(0);
}

START_TEST(i10_memory_of_a_worker_is_closed_to_its_own_user)
{
	struct server *s = server_start(AS_NOBODY ONE_WORKER HELLO);
	pid_t worker = only_worker(s), pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		look_at(worker);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

Suite *
privilege_suite(void)
{
	Suite *suite = suite_create("privilege");
	TCase *tc = scene_case(suite, "user");

	tcase_add_test(tc, i1_worker_of_a_user_has_no_rights_left);
	tcase_add_test(tc, i1_worker_without_a_user_is_confined_as_well);
	tcase_add_loop_test(
	    tc, i4_server_whose_workers_cannot_become_the_user_refuses_to_start, 0, FAULTS);
	tc = scene_case(suite, "trace");
	tcase_add_test(tc, i6_symlink_at_the_log_is_not_followed);
	tcase_add_test(tc, i9_worker_that_aborts_leaves_no_core);
	tcase_add_test(tc, i10_memory_of_a_worker_is_closed_to_its_own_user);
	return suite;
}
