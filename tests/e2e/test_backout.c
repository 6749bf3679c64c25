/* test_backout.c - upgrades that come to nothing: the old program serves on and says why
 * (FAULTS H6). */
#include "e2e/crowd.h"
#include "e2e/moving.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/procfs.h"
#include "share/chan.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WITH_PID  "pid_file = \"$DIR/pid\";\n"
#define HELLO_PID HELLO_SERVER WITH_PID

#define HANGS "#!/bin/sh\nexec sleep 600\n"

enum { VISITORS = 4, LATE_MS = 25000 };

static void
rejected(struct server *s, const char *words)
{
	const char *line;

	server_signal(s, SIGUSR2);
	line = server_wait_log(s, "ev=upgrade result=");
	if (strstr(line, "result=rejected") == NULL || strstr(line, words) == NULL)
		ck_abort_msg("expected a rejection with \"%s\", got: %s", words, line);
}

/* The old one serves, its pid file is its own, and the next upgrade works. */
static void
goes_on(struct server *s, struct peer *p)
{
	scene_hello(p, "me::still here");
	scene_hello(scene_chat(s), "me::new");
	ck_assert_int_eq(moving_pid_file(s), s->pid);
	server_wait_workers(s, 2, SERVER_MS);
	moving_program(s, NULL, 0755);
	moving_upgrade(s);
	scene_hello(p, "upgraded");
	peer_close_all();
	server_baseline(s);
	scene_end(s, NULL);
}

static const struct {
	const char *script;
	int mode;
	const char *words;
} bad[] = {
	{ "#!/bin/sh\nexit 1\n", 0755, "the new program ended: code=1" },
	{ "#!/bin/sh\nkill -9 $$\n", 0755, "the new program ended: sig=9" },
	{ "#!/bin/sh\nexit 0\n", 0755, "the new program ended: code=0" },
	{ "#!/bin/sh\nexit 1\n", 0644, "Permission denied" },
	{ "#!/nowhere/sh\n", 0755, "No such file" },
	{ "this is no program\n", 0755, "Exec format error" },
};

START_TEST(h6_program_that_fails_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	moving_program(s, bad[_i].script, bad[_i].mode);
	rejected(s, bad[_i].words);
	goes_on(s, p);
}
END_TEST

START_TEST(h6_program_that_is_gone_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);
	char path[96];

	scene_hello(p, "me::hi");
	snprintf(path, sizeof path, "%s/xiaotud", s->folder);
	ck_assert_int_eq(unlink(path), 0);
	rejected(s, "No such file");
	goes_on(s, p);
}
END_TEST

START_TEST(h6_broken_configuration_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	server_config(s, HELLO_PID "}} broken\n");
	rejected(s, "xiaotud.conf:7");
	server_config(s, HELLO_PID);
	goes_on(s, p);
}
END_TEST

START_TEST(h6_door_that_cannot_be_opened_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID), *other;
	struct peer *p = scene_chat(s);

	other = server_start(PLAIN POOL(1) DOOR(9998) NO_RATE HELLO);
	scene_hello(p, "me::hi");
	server_config(s, PLAIN POOL(2) NO_RATE HELLO WITH_PID
	    "listen = ( { address = \"$ADDR\"; port = 9999; },\n"
	    "  { address = \"$ADDR\"; port = 9998; } );\n");
	rejected(s, "9998");
	scene_hello(p, "still here");
	server_stop(other);
	server_config(s, HELLO_PID);
	goes_on(s, p);
}
END_TEST

/* It says hello as a program would that cannot take up chats of our form. */
START_TEST(h6_program_of_an_older_form_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);
	char script[512];

	scene_hello(p, "me::hi");
	snprintf(script, sizeof script,
	    "#!/usr/bin/env python3\n"
	    "import os, socket, struct, time\n"
	    "fd = int(os.environ['XIAOTU_UPGRADE'].split()[0])\n"
	    "socket.socket(fileno=fd).send(struct.pack('=i4xq%ds', %d, 0, b''))\n"
	    "time.sleep(600)\n",
	    CHAN_TEXT, CHAN_HELLO);
	moving_program(s, script, 0755);
	rejected(s, "form 0");
	goes_on(s, p);
}
END_TEST

/* --- a program that hangs -------------------------------------------------------------------- */

static pid_t
begin_hanging(struct server *s)
{
	moving_program(s, HANGS, 0755);
	server_signal(s, SIGUSR2);
	return (pid_t)server_log_number(server_wait_log(s, "ev=upgrade_begins"), "child");
}

START_TEST(h6_usr2_while_an_upgrade_hangs_says_so_and_a_hup_waits_for_its_end)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);
	pid_t hangs;

	scene_hello(p, "me::hi");
	hangs = begin_hanging(s);
	rejected(s, "another upgrade is under way");
	server_config(s, HELLO_PID);
	server_hup(s);
	(void)server_wait_log(s, "ev=reload_waits");
	scene_hello(p, "still here");
	ck_assert_int_eq(kill(hangs, SIGKILL), 0);
	(void)server_wait_log(s, "ev=upgrade result=rejected sig=9");
	(void)server_wait_log(s, "ev=reload result=ok");
	goes_on(s, p);
}
END_TEST

START_TEST(h6_term_while_an_upgrade_hangs_leaves_nobody_behind)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);
	pid_t hangs;

	scene_hello(p, "me::hi");
	hangs = begin_hanging(s);
	server_signal(s, SIGTERM);
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert(procfs_wait_gone(hangs, SERVER_MS));
	peer_close_all();
	server_end(s);
}
END_TEST

START_TEST(h6_kill_of_the_master_while_an_upgrade_hangs_frees_the_door)
{
	struct server *s = moving_server(HELLO_PID), *next;
	pid_t hangs = begin_hanging(s);

	server_signal(s, SIGKILL);
	ck_assert_int_eq(server_wait_exit(s), 128 + SIGKILL);
	ck_assert_int_eq(kill(hangs, SIGKILL), 0);
	next = server_new("%s", HELLO_SERVER);
	moving_program(next, NULL, 0755);
	ck_assert_int_eq(setenv("XIAOTU_BIN", next->folder, 1), 0);
	server_run(next);
	server_wait_ready(next);
	scene_hello(scene_chat(next), "me::hi");
	scene_end(next, NULL);
	server_end(s);
}
END_TEST

/* 20 s: only in `make soak`. */
START_TEST(h6_program_that_hangs_is_backed_out)
{
	struct server *s = moving_server(HELLO_PID);
	struct peer *p = scene_chat(s);
	int64_t by_ms = lapse_now_ms() + LATE_MS;

	scene_hello(p, "me::hi");
	(void)begin_hanging(s);
	while (server_count_log(s, "ev=upgrade result=rejected") == 0 && lapse_now_ms() < by_ms)
		peer_wait_any(&p, 1, 100);
	(void)server_wait_log(s, "ev=upgrade result=rejected");
	goes_on(s, p);
}
END_TEST

/* --- a program that fails late ---------------------------------------------------------------- */

/* Its workers are ready and open to all when its pid file cannot be written: who came to them in
 * the meantime must not pay for that. */
START_TEST(h6_program_that_fails_late_loses_no_chat)
{
	struct server *s = server_new(
	    PLAIN POOL(12) DOOR(9999) NO_RATE ECHOES QUIET "pid_file = \"$DIR/run/pid\";\n");
	struct fakebot *b = scene_bot(s);
	char folder[96], away[96];
	struct crowd *c;

	snprintf(folder, sizeof folder, "%s/run", s->folder);
	snprintf(away, sizeof away, "%s/away", s->folder);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	server_run(s);
	server_wait_ready(s);
	c = crowd_open(s, VISITORS);
	ck_assert_int_eq(rename(folder, away), 0);
	for (int i = 1; i <= 5; i++) {
		server_signal(s, SIGUSR2);
		crowd_talk(c, "ev=upgrade result=rejected why pid_file", i);
	}
	ck_assert_int_eq(rename(away, folder), 0);
	(void)crowd_finish(c);
	crowd_close(c);
	s->may_alert = true;
	s->worker_slack = 16;
	scene_end(s, b);
}
END_TEST

/* --- process 1 ------------------------------------------------------------------------------- */

/* What follows is process 1 of a namespace, and is waited for by us, who stay outside. */
static void
become_first(void *arg)
{
	pid_t pid;
	int status;

	(void)arg;
	if (unshare(CLONE_NEWPID) || (pid = fork()) < 0)
		_exit(1);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	(void)close_range(3, ~0U, 0); /* server_run() waits for that */
	while (waitpid(pid, &status, 0) < 0)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

static bool
can_be_first(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWPID) ? 1 : 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

START_TEST(h6_process_1_of_a_container_refuses)
{
	struct server *s;
	struct peer *p;

	if (!can_be_first())
		return;
	s = server_new(HELLO_PID);
	s->prepare = become_first;
	server_run(s);
	(void)server_wait_log(s, "ev=ready");
	p = scene_chat(s);
	scene_exits(s, 1, ARGS("xiaotuctl", "-c", "$CONF", "upgrade"));
	(void)server_wait_log(s, "ev=upgrade result=rejected replace the container");
	scene_hello(p, "me::still here");
	peer_close(p);
	scene_exits(s, 0, ARGS("xiaotuctl", "-c", "$CONF", "stop"));
	ck_assert_int_eq(server_wait_exit(s), 0);
	server_end(s);
}
END_TEST

Suite *
backout_suite(void)
{
	Suite *suite = suite_create("backout");
	TCase *tc = scene_case(suite, "fails");

	tcase_add_loop_test(
	    tc, h6_program_that_fails_is_backed_out, 0, (int)(sizeof bad / sizeof bad[0]));
	tcase_add_test(tc, h6_program_that_is_gone_is_backed_out);
	tcase_add_test(tc, h6_broken_configuration_is_backed_out);
	tcase_add_test(tc, h6_door_that_cannot_be_opened_is_backed_out);
	tcase_add_test(tc, h6_program_of_an_older_form_is_backed_out);
	tcase_add_test(tc, h6_program_that_fails_late_loses_no_chat);
	tcase_add_test(tc, h6_process_1_of_a_container_refuses);
	tc = scene_case(suite, "hangs");
	tcase_add_test(tc, h6_usr2_while_an_upgrade_hangs_says_so_and_a_hup_waits_for_its_end);
	tcase_add_test(tc, h6_term_while_an_upgrade_hangs_leaves_nobody_behind);
	tcase_add_test(tc, h6_kill_of_the_master_while_an_upgrade_hangs_frees_the_door);
	if (getenv("XIAOTU_SOAK"))
		tcase_add_test(tc, h6_program_that_hangs_is_backed_out);
	return suite;
}
