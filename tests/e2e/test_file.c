/* test_file.c - files that are half there, no files at all, or somebody else's (FAULTS, rows D and
 * H5). */
#include "e2e/crowd.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/moving.h"
#include "lib/oracle.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define WITH_PID HELLO_SERVER "pid_file = \"$DIR/pid\";\n"

enum { NOBODY = 65534, FAST_MS = 2000, MANY_BYTES = 60000000, DEEP = 100000 };

#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif

static void
write_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
	close(fd);
}

static void
pid_path(const struct server *s, char path[96])
{
	snprintf(path, 96, "%s/pid", s->folder);
}

static pid_t
read_pid(const struct server *s)
{
	char path[96], *text;
	pid_t pid;

	pid_path(s, path);
	text = oracle_read_file(path);
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	return pid;
}

/* --- the configuration ------------------------------------------------------------------------ */

/* The whole file would change everything; no part of it may change anything. It ends behind each
 * `=` and inside each text: between two statements nobody could tell that there were more. */
START_TEST(d16_half_written_file_is_rejected_as_a_whole)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	char *whole, *at;
	int n_cuts = 0;

	scene_canary(s);
	server_config(s,
	    "control = \"$DIR/control.sock\"; greeting = \"New\\n\"; workers = 5;\n"
	    "limits = { messages_per_minute = 1; };\n"
	    "listen = ( { address = \"$ADDR\"; port = 9998; } );\n" HELLO "language = \"zh\";\n");
	whole = oracle_read_file(s->config);
	for (at = whole; (at = strpbrk(at, "=\"")) != NULL; at++, n_cuts++) {
		write_file(s->config, whole, (size_t)(at + 1 - whole));
		if (*at == '"')
			at = strchr(at + 1, '"');
		server_reload_rejected(s, "result=rejected");
		scene_hello(p, "me::hi");
		scene_hello(scene_chat(s), "me::new");
	}
	ck_assert_int_ge(n_cuts, 15);
	free(whole);
	server_config(s, "%s", HELLO_SERVER);
	server_reload_ok(s);
	scene_end(s, NULL);
}
END_TEST

static void
rejected_soon(struct server *s)
{
	int64_t began = lapse_now_ms();

	server_reload_rejected(s, "result=rejected");
	ck_assert_int_le(lapse_now_ms() - began, (FAST_MS + 1000) * SLOWER);
}

START_TEST(d5_fifo_is_rejected_soon)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	ck_assert_int_eq(unlink(s->config), 0);
	ck_assert_int_eq(mkfifo(s->config, 0600), 0);
	rejected_soon(s);
	scene_hello(p, "me::hi");
	ck_assert_int_eq(unlink(s->config), 0);
	server_config(s, "%s", HELLO_SERVER);
	server_reload_ok(s);
	scene_end(s, NULL);
}
END_TEST

START_TEST(d5_file_of_one_giant_text_is_rejected_soon)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	char *text = mem_zalloc(MANY_BYTES);

	scene_canary(s);
	memset(text, 'x', MANY_BYTES);
	memcpy(text, "greeting = \"", 12);
	memcpy(text + MANY_BYTES - 3, "\";\n", 3);
	write_file(s->config, text, MANY_BYTES);
	free(text);
	rejected_soon(s);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(d4_file_nested_without_end_is_rejected)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	char *text = mem_zalloc(DEEP + 16);

	scene_canary(s);
	memset(text, '(', DEEP + 15);
	memcpy(text, "robots = ", 9);
	write_file(s->config, text, DEEP + 15);
	free(text);
	rejected_soon(s);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

static const char *const includes[] = { "@include \"xiaotud.conf\"\n", "@include \"/tmp\"\n",
	"@include \"/nowhere/at/all\"\n", "@include \"/dev/zero\"\n" };

START_TEST(d4_include_of_itself_or_of_no_file_is_rejected)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	server_config(s, HELLO_SERVER "%s", includes[_i]);
	rejected_soon(s);
	scene_hello(p, "me::hi");
	scene_end(s, NULL);
}
END_TEST

static void
become_nobody(void *arg)
{
	(void)arg;
	if (geteuid() == 0 && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		_exit(126);
}

/* Root may read everything, so it is run by somebody else. */
START_TEST(d6_file_that_may_not_be_read_is_rejected)
{
	struct server *s = moving_server_new(HELLO_SERVER);
	struct peer *p;

	if (geteuid() == 0) {
		ck_assert_int_eq(chown(s->folder, NOBODY, NOBODY), 0);
		ck_assert_int_eq(chown(s->config, NOBODY, NOBODY), 0);
	}
	s->prepare = become_nobody;
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	scene_hello(p, "me::hi");
	ck_assert_int_eq(chmod(s->config, 0), 0);
	server_reload_rejected(s, "xiaotud.conf Permission denied");
	scene_hello(p, "me::still here");
	scene_hello(scene_chat(s), "me::new");
	ck_assert_int_eq(chmod(s->config, 0600), 0);
	server_reload_ok(s);
	scene_end(s, NULL);
}
END_TEST

/* --- the pid file ----------------------------------------------------------------------------- */

START_TEST(h5_empty_pid_file_is_replaced)
{
	struct server *s = server_new(WITH_PID);
	char path[96];

	pid_path(s, path);
	write_file(path, "", 0);
	scene_exits(s, 7, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(read_pid(s), s->pid);
	scene_end(s, NULL);
}
END_TEST

START_TEST(h5_i6_symlink_at_the_pid_file_is_not_followed)
{
	struct server *s = server_new(WITH_PID);
	char path[96], victim[96], *text;
	struct stat st;

	pid_path(s, path);
	snprintf(victim, sizeof victim, "%s/victim", s->folder);
	write_file(victim, "precious\n", 9);
	ck_assert_int_eq(symlink(victim, path), 0);
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(read_pid(s), s->pid);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	text = oracle_read_file(victim);
	ck_assert_str_eq(text, "precious\n");
	free(text);
	ck_assert_int_ne(access(path, F_OK), 0);
	server_end(s);
}
END_TEST

START_TEST(h5_pid_file_that_cannot_be_written_is_exit_1_and_frees_the_door)
{
	struct server *s = server_new(HELLO_SERVER "pid_file = \"$DIR/nowhere/pid\";\n"), *next;

	server_run(s);
	ck_assert_int_eq(server_wait_exit(s), 1);
	ck_assert_int_ge(server_count_log(s, "pid_file"), 1);
	server_end(s);
	next = server_start(HELLO_SERVER);
	scene_end(next, NULL);
}
END_TEST

/* Somebody else wrote his own file there meanwhile: it stays. */
/* In the child: a file system of one page, which is full. */
static void
fill_disk(void *arg)
{
	char path[128], page[4096] = "full";
	int fd;

	snprintf(path, sizeof path, "%s/other", (const char *)arg);
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("xiaotu", arg, "tmpfs", 0, "size=4096") || (fd = creat(path, 0600)) < 0)
		_exit(99);
	while (write(fd, page, sizeof page) > 0)
		continue;
	close(fd);
}

START_TEST(h5_pid_file_on_a_full_disk_is_exit_1_and_frees_the_door)
{
	struct server *s = server_new(HELLO_SERVER "pid_file = \"$DIR/full/pid\";\n"), *next;
	char path[96];
	int status;

	snprintf(path, sizeof path, "%s/full", s->folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	s->prepare = fill_disk;
	s->prepare_arg = path;
	server_run(s);
	status = server_wait_exit(s);
	if (status == 99) {
		puts("skipped: no mount namespace here");
	} else {
		ck_assert_int_eq(status, 1);
		ck_assert_int_ge(server_count_log(s, "pid_file"), 1);
	}
	server_end(s);
	next = server_start(HELLO_SERVER);
	scene_end(next, NULL);
}
END_TEST

START_TEST(h5_pid_file_of_another_is_left_alone_at_the_end)
{
	struct server *s = server_start(WITH_PID);
	char path[96], other[96], *text;

	pid_path(s, path);
	snprintf(other, sizeof other, "%s/other", s->folder);
	write_file(other, "4242\n", 5);
	ck_assert_int_eq(rename(other, path), 0);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	text = oracle_read_file(path);
	ck_assert_str_eq(text, "4242\n");
	free(text);
	server_end(s);
}
END_TEST

/* --- with fifty chats that talk throughout --------------------------------------------------- */

/* The file is gone, then a FIFO, then one that nobody may read. */
static void
odd_file(struct server *s, int i)
{
	(void)unlink(s->config);
	if (i == 1)
		ck_assert_int_eq(mkfifo(s->config, 0600), 0);
	else if (i == 2)
		ck_assert_int_eq(symlink(s->folder, s->config), 0);
}

START_TEST(d1_to_d17_reloads_under_fifty_chats_answer_every_message_once)
{
	static const char good[] = PLAIN POOL(3) DOOR(9999) NO_RATE ECHOES QUIET;
	static const char *const bad[] = { "}} broken\n", PLAIN POOL(-1) DOOR(9999) ECHOES,
		PLAIN POOL(3) DOOR(65536) ECHOES, PLAIN POOL(3) DOOR("8080") ECHOES,
		PLAIN POOL(3) DOOR(8000) ECHOES /* the robot's */, "@include \".\"\n",
		"@include \"xiaotud.conf\"\n",
		"language = \"en\"; greeting = \"Changed\\n\"; workers = 9999;\n" };
	enum { BAD = sizeof bad / sizeof *bad, ODD = 3 };
	struct server *s = server_start("%s", good);
	struct fakebot *b = scene_bot(s);
	struct crowd *c = crowd_open(s, 50);
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	int n = server_pids(s, before);

	for (int i = 0; i < BAD + ODD; i++) {
		if (i < BAD)
			server_config(s, "%s", bad[i]);
		else
			odd_file(s, i - BAD);
		server_hup(s);
		crowd_talk(c, "ev=reload result=rejected", i + 1);
	}
	for (int i = 1; i <= 3; i++) {
		server_config(s, "%s", good);
		server_hup(s);
		crowd_talk(c, "ev=reload result=ok", i);
	}
	ck_assert_int_eq(server_pids(s, after), n);
	ck_assert_int_eq(memcmp(before, after, (size_t)n * sizeof *before), 0);
	ck_assert_int_eq(crowd_finish(c), fakebot_requests(b));
	crowd_close(c);
	s->worker_slack = 60;
	scene_end(s, b);
}
END_TEST

Suite *
file_suite(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = scene_case(suite, "configuration");

	tcase_add_test(tc, d16_half_written_file_is_rejected_as_a_whole);
	tcase_add_test(tc, d5_fifo_is_rejected_soon);
	tcase_add_test(tc, d5_file_of_one_giant_text_is_rejected_soon);
	tcase_add_test(tc, d4_file_nested_without_end_is_rejected);
	tcase_add_loop_test(tc, d4_include_of_itself_or_of_no_file_is_rejected, 0,
	    (int)(sizeof includes / sizeof *includes));
	tcase_add_test(tc, d6_file_that_may_not_be_read_is_rejected);
	tc = scene_case(suite, "pid");
	tcase_add_test(tc, h5_empty_pid_file_is_replaced);
	tcase_add_test(tc, h5_i6_symlink_at_the_pid_file_is_not_followed);
	tcase_add_test(tc, h5_pid_file_that_cannot_be_written_is_exit_1_and_frees_the_door);
	tcase_add_test(tc, h5_pid_file_on_a_full_disk_is_exit_1_and_frees_the_door);
	tcase_add_test(tc, h5_pid_file_of_another_is_left_alone_at_the_end);
	tc = scene_case(suite, "crowd");
	tcase_add_test(tc, d1_to_d17_reloads_under_fifty_chats_answer_every_message_once);
	return suite;
}
