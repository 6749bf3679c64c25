/* test_option.c - xiaotud's options, exit codes, pid file, daemon. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "lib/oracle.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WITH_PID HELLO_SERVER "pid_file = \"$DIR/pid\";\n"

static pid_t
read_pid(const struct server *s)
{
	char path[96], *text;
	pid_t pid;

	snprintf(path, sizeof path, "%s/pid", s->folder);
	text = oracle_read_file(path);
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	return pid;
}

static void
write_pid(const struct server *s, pid_t pid)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof path, "%s/pid", s->folder);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%d\n", (int)pid);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(usage_version_and_help)
{
	struct server *s = server_new(HELLO_SERVER);
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotud", "-V"));

	ck_assert_int_eq(d.status, 0);
	ck_assert_int_eq(strncmp(d.out, "xiaotud ", 8), 0);
	scene_free(&d);
	d = scene_run(s, NULL, ARGS("xiaotud", "--help"));
	ck_assert_int_eq(d.status, 0);
	ck_assert_ptr_nonnull(strstr(d.out, "-c"));
	scene_free(&d);
	scene_exits(s, 2, ARGS("xiaotud", "--no-such-option"));
	scene_exits(s, 2, ARGS("xiaotud", "-c", "$CONF", "-s", "dance"));
	scene_exits(s, 2, ARGS("xiaotud", "-c", "$CONF", "superfluous"));
	server_end(s);
}
END_TEST

START_TEST(t_checks_the_file_without_binding)
{
	struct server *s = server_start(TURING_SERVER); /* its port is taken */
	struct scene_done d;

	scene_exits(s, 0, ARGS("xiaotud", "-t", "-c", "$CONF"));
	server_config(s, PLAIN POOL(2) TURING DOOR(70000));
	d = scene_run(s, NULL, ARGS("xiaotud", "-t", "-c", "$CONF"));
	ck_assert_int_eq(d.status, 1);
	ck_assert_ptr_nonnull(strstr(d.err, "xiaotud.conf:4"));
	ck_assert_ptr_nonnull(strstr(d.err, "port"));
	scene_free(&d);
	scene_exits(s, 1, ARGS("xiaotud", "-t", "-c", "$DIR/no-such-file"));
	server_config(s, TURING_SERVER);
	scene_end(s, NULL);
}
END_TEST

START_TEST(i5_t_refuses_a_key_that_others_can_read)
{
	struct server *s = server_new(TURING_SERVER);
	struct scene_done d;

	ck_assert_int_eq(chmod(s->config, 0644), 0);
	d = scene_run(s, NULL, ARGS("xiaotud", "-t", "-c", "$CONF"));
	ck_assert_int_eq(d.status, 1);
	ck_assert_ptr_nonnull(strstr(d.err, "0644"));
	ck_assert_ptr_null(strstr(d.err, KEY));
	scene_free(&d);
	server_end(s);
}
END_TEST

/* What -T prints is itself a configuration, with the key masked. */
START_TEST(big_t_prints_the_effective_configuration_without_the_key)
{
	struct server *s = server_new(PLAIN POOL(3) DOOR(9999) TURING);
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotud", "-T", "-c", "$CONF"));

	ck_assert_int_eq(d.status, 0);
	ck_assert_ptr_null(strstr(d.out, KEY));
	ck_assert_ptr_null(strstr(d.err, KEY));
	ck_assert_ptr_nonnull(strstr(d.out, "api_key"));
	ck_assert_ptr_nonnull(strstr(d.out, "***"));
	ck_assert_ptr_nonnull(strstr(d.out, "workers = 3"));
	ck_assert_ptr_nonnull(strstr(d.out, s->address));
	ck_assert_ptr_nonnull(strstr(d.out, "messages_per_minute = 120"));
	server_config(s, "%s", d.out);
	scene_free(&d);
	scene_exits(s, 0, ARGS("xiaotud", "-t", "-c", "$CONF"));
	server_end(s);
}
END_TEST

START_TEST(broken_file_at_the_start_is_exit_1_with_the_place)
{
	struct server *s = server_new(PLAIN POOL(2) DOOR(9999) "robots = (((;\n");

	server_run(s);
	ck_assert_int_eq(server_wait_exit(s), 1);
	ck_assert_int_ge(server_count_log(s, "xiaotud.conf:4"), 1);
	server_end(s);
}
END_TEST

START_TEST(pid_file_names_the_master_and_goes_with_it)
{
	struct server *s = server_start(WITH_PID);
	char path[96];

	snprintf(path, sizeof path, "%s/pid", s->folder);
	ck_assert_int_eq(read_pid(s), s->pid);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	server_end(s);
}
END_TEST

START_TEST(s_reload_reopen_and_stop_reach_the_master)
{
	struct server *s = server_start(WITH_PID);
	struct peer *p = scene_chat(s);

	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "reload"));
	(void)server_wait_log(s, "ev=reload result=ok");
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "reopen"));
	scene_hello(p, "me::hi");
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	peer_expect_prefix(p, "BYE shutdown ");
	ck_assert_int_eq(server_wait_exit(s), 0);
	scene_exits(s, 7, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	peer_close_all();
	server_end(s);
}
END_TEST

/* The stranger would die of the TERM that -s stop sends. */
START_TEST(h5_stale_pid_file_signals_no_stranger_and_hinders_no_start)
{
	struct server *s = server_new(WITH_PID);
	pid_t stranger = fork();
	int status;

	ck_assert_int_ge(stranger, 0);
	if (stranger == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	write_pid(s, stranger);
	scene_exits(s, 7, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	ck_assert_int_eq(waitpid(stranger, &status, WNOHANG), 0);
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(read_pid(s), s->pid);
	ck_assert_int_eq(waitpid(stranger, &status, WNOHANG), 0);
	ck_assert_int_eq(kill(stranger, SIGKILL), 0);
	ck_assert_int_eq(waitpid(stranger, &status, 0), stranger);
	scene_end(s, NULL);
}
END_TEST

/* Serving means: the very next connect is answered. */
START_TEST(d_returns_when_the_daemon_serves)
{
	struct server *s = server_new(WITH_PID "log = { target = \"$DIR/log\"; };\n");
	struct peer *p;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-d"));
	p = scene_chat(s);
	scene_hello(p, "me::hi");
	ck_assert_int_ne(getpgid(read_pid(s)), getpgrp());
	server_adopt(s, read_pid(s));
	scene_end(s, NULL);
}
END_TEST

START_TEST(d_tells_of_a_failed_start)
{
	struct server *first = server_start(HELLO_SERVER);
	struct server *s = server_new(WITH_PID "log = { target = \"$DIR/log\"; };\n");

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	scene_exits(s, 1, ARGS("xiaotud", "-c", "$CONF", "-d"));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	server_end(s);
	scene_end(first, NULL);
}
END_TEST

Suite *
option_suite(void)
{
	Suite *suite = suite_create("option");
	TCase *tc = scene_case(suite, "check");

	tcase_add_test(tc, usage_version_and_help);
	tcase_add_test(tc, t_checks_the_file_without_binding);
	tcase_add_test(tc, i5_t_refuses_a_key_that_others_can_read);
	tcase_add_test(tc, big_t_prints_the_effective_configuration_without_the_key);
	tcase_add_test(tc, broken_file_at_the_start_is_exit_1_with_the_place);
	tc = scene_case(suite, "daemon");
	tcase_add_test(tc, pid_file_names_the_master_and_goes_with_it);
	tcase_add_test(tc, s_reload_reopen_and_stop_reach_the_master);
	tcase_add_test(tc, h5_stale_pid_file_signals_no_stranger_and_hinders_no_start);
	tcase_add_test(tc, d_returns_when_the_daemon_serves);
	tcase_add_test(tc, d_tells_of_a_failed_start);
	return suite;
}
