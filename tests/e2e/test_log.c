/* test_log.c - a log that cannot be written must not be felt in any chat (FAULTS, row E12), and
 * rotation loses nothing. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TO(target)                                                                             \
	PLAIN POOL(2) DOOR(9999) NO_RATE HELLO "log = { target = \"" target "\"; };\n"
#define LONG_NAME "a-name-that-fills-the-log-as-fast-as-names-of-64-bytes-can-do-it"

enum {
	IDLE_MS = 1000,
	BUSY_MS = IDLE_MS / 50,
	FILLS = 1200,
	MOST_SAID = 20000,
	SAID = 400,
	CHATS = 4
};

/* What is written elsewhere than to its log is looked at then. */
static void
look_at_output(struct server *s)
{
	snprintf(s->log, sizeof s->log, "%s", s->output);
}

static int64_t
cpu_ms(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int n = server_pids(s, pids);
	int64_t ms = procfs_cpu_ms(s->pid);

	for (int i = 0; i < n; i++)
		ms += procfs_cpu_ms(pids[i]);
	return ms;
}

static void
expect_idle(struct server *s, struct peer *p)
{
	int64_t before_ms = cpu_ms(s);

	peer_wait_any(&p, 1, IDLE_MS);
	ck_assert_int_le(cpu_ms(s) - before_ms, BUSY_MS);
}

/* --- a log that fails ------------------------------------------------------------------------ */

START_TEST(e12_full_log_is_told_once_and_counted)
{
	struct server *s = server_new(LOG_TO("/dev/full"));
	struct peer *p;
	long lost;

	look_at_output(s);
	server_run(s);
	server_wait_open(s);
	p = scene_chat(s);
	for (int i = 0; i < 100; i++)
		scene_hello(p, "me::hi");
	expect_idle(s, p);
	ck_assert_int_eq(server_count_log(s, "ev=log_failed"), 1);
	ck_assert_int_eq(server_count_log(s, "ev=log_failed No space left on device"), 1);
	server_config(s, LOG_TO("$DIR/log"));
	server_hup(s);
	lost = server_log_number(server_wait_log(s, "ev=log_recovered"), "lost");
	ck_assert_int_ge(lost, 100);
	scene_hello(p, "still::here");
	(void)server_wait_log(s, "user=\"still\"");
	ck_assert_int_eq(server_count_log(s, "ev=log_recovered"), 1);
	scene_end(s, NULL);
}
END_TEST

/* There may be a syslog where the tests run; then it is well, and nothing is told. */
START_TEST(dead_syslog_is_told_once)
{
	struct server *s = server_new(LOG_TO("syslog"));
	struct peer *p;

	look_at_output(s);
	server_run(s);
	server_wait_open(s);
	p = scene_chat(s);
	for (int i = 0; i < 50; i++)
		scene_hello(p, "me::hi");
	expect_idle(s, p);
	ck_assert_int_eq(
	    server_count_log(s, "ev=log_failed"), access("/dev/log", F_OK) == 0 ? 0 : 1);
	scene_end(s, NULL);
}
END_TEST

/* Read what is there, until the words are (bounded). Returns all of it; free it. */
static char *
read_until(int fd, const char *words, struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	char *text = mem_zalloc(1 << 20);
	size_t n = 0;

	while (strstr(text, words) == NULL) {
		ssize_t got = read(fd, text + n, (1 << 20) - 1 - n);

		if (got > 0)
			n += (size_t)got;
		else if (lapse_now_ms() > by_ms)
			ck_abort_msg("no \"%s\" in: %.4000s", words, text);
		else
			scene_hello(p, "me::more");
	}
	return text;
}

/* Nobody reads the pipe: it fills, and the chats go on. Read again, it tells what was lost. */
static void
fill(struct server *s, int pipe)
{
	struct peer *p = scene_chat(s);
	char *text;

	for (int i = 0; i < FILLS; i++)
		scene_hello(p, LONG_NAME "::hi");
	expect_idle(s, p);
	text = read_until(pipe, "ev=log_recovered lost=", p);
	ck_assert_int_gt(strtol(strstr(text, "ev=log_recovered lost=") + 22, NULL, 10), 0);
	ck_assert_ptr_nonnull(strstr(text, "ev=sandbox")); /* before any door opened */
	free(text);
}

START_TEST(fifo_without_reader_holds_nobody_up)
{
	struct server *s = server_new(LOG_TO("$DIR/fifo"));
	char path[96];
	int fd;

	look_at_output(s);
	snprintf(path, sizeof path, "%s/fifo", s->folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	server_run(s);
	server_wait_open(s);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	fill(s, fd);
	ck_assert_int_eq(server_count_log(s, "ev=log_failed"), 1);
	close(fd);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(fifo_whose_reader_leaves_harms_nobody)
{
	struct server *s = server_new(LOG_TO("$DIR/fifo"));
	struct peer *p;
	char path[96];
	int fd;

	look_at_output(s);
	snprintf(path, sizeof path, "%s/fifo", s->folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	server_run(s);
	server_wait_open(s);
	p = scene_chat(s);
	scene_hello(p, "me::hi");
	close(fd);
	for (int i = 0; i < 20; i++)
		scene_hello(p, "me::hi");
	ck_assert_int_eq(server_count_log(s, "ev=log_failed Broken pipe"), 1);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	free(read_until(fd, "ev=log_recovered lost=", p));
	close(fd);
	scene_end(s, NULL);
}
END_TEST

static void
use_as_stderr(void *arg)
{
	(void)dup2(*(const int *)arg, STDERR_FILENO);
}

START_TEST(full_pipe_at_stderr_holds_nobody_up)
{
	struct server *s = server_new(HELLO_SERVER);
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	s->prepare = use_as_stderr;
	s->prepare_arg = &ends[1];
	server_run(s);
	server_wait_open(s);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* it is ours, too */
	fill(s, ends[0]);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* --- rotation -------------------------------------------------------------------------------- */

/* How often the text is in all files log* of the folder together. */
static int
count_in_all(const struct server *s, const char *text)
{
	const struct dirent *entry;
	DIR *d = opendir(s->folder);
	char path[512];
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)) != NULL) {
		char *all;

		if (strncmp(entry->d_name, "log", 3) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", s->folder, entry->d_name);
		all = oracle_read_file(path);
		for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
			n++;
		free(all);
	}
	closedir(d);
	return n;
}

/* The line of message i; a moment may pass between an answer and its line. */
static void
expect_once(const struct server *s, int i)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	char text[64];
	int n;

	snprintf(text, sizeof text, " user=\"u%d\" ", i);
	while ((n = count_in_all(s, text)) == 0 && lapse_now_ms() < by_ms)
		procfs_tick();
	if (n != 1)
		ck_abort_msg("the line of message %d is there %d times", i, n);
}

static void
rotate_under_load(int number)
{
	struct server *s = server_start(LOG_TO("$DIR/log"));
	struct peer *p[CHATS];
	char moved[200], text[32];
	int n_moved = 0, said = 0;

	for (int i = 0; i < CHATS; i++)
		p[i] = scene_chat(s);
	/* The next file is there when the master comes to it: talk on until then. */
	for (int i = 0; i < SAID || (n_moved < 3 && i < MOST_SAID); i++) {
		if (i % 20 == 10 && access(s->log, F_OK) == 0) {
			snprintf(moved, sizeof moved, "%s.%d", s->log, ++n_moved);
			ck_assert_int_eq(rename(s->log, moved), 0);
			server_signal(s, number);
		}
		snprintf(text, sizeof text, "u%d::hi", i);
		scene_hello(p[i % CHATS], text);
		said++;
	}
	ck_assert_int_ge(n_moved, 3);
	for (int i = 0; i < said; i++)
		expect_once(s, i);
	scene_end(s, NULL);
}

START_TEST(rotation_by_usr1_loses_no_line)
{
	rotate_under_load(SIGUSR1);
}
END_TEST

START_TEST(rotation_by_hup_loses_no_line)
{
	rotate_under_load(SIGHUP);
}
END_TEST

START_TEST(file_moved_away_and_back_loses_no_line)
{
	struct server *s = server_start(LOG_TO("$DIR/log"));
	struct peer *p = scene_chat(s);
	char moved[200];

	scene_hello(p, "u0::hi");
	snprintf(moved, sizeof moved, "%s.1", s->log);
	ck_assert_int_eq(rename(s->log, moved), 0);
	scene_hello(p, "u1::hi");
	ck_assert_int_eq(rename(moved, s->log), 0);
	scene_hello(p, "u2::hi");
	server_signal(s, SIGUSR1);
	scene_hello(p, "u3::hi");
	for (int i = 0; i < 4; i++)
		expect_once(s, i);
	scene_end(s, NULL);
}
END_TEST

Suite *
log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = scene_case(suite, "failing");

	tcase_add_test(tc, e12_full_log_is_told_once_and_counted);
	tcase_add_test(tc, dead_syslog_is_told_once);
	tcase_add_test(tc, fifo_without_reader_holds_nobody_up);
	tcase_add_test(tc, fifo_whose_reader_leaves_harms_nobody);
	tcase_add_test(tc, full_pipe_at_stderr_holds_nobody_up);
	tc = scene_case(suite, "rotation");
	tcase_add_test(tc, rotation_by_usr1_loses_no_line);
	tcase_add_test(tc, rotation_by_hup_loses_no_line);
	tcase_add_test(tc, file_moved_away_and_back_loses_no_line);
	return suite;
}
