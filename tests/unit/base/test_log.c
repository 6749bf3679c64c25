/* test_log.c - a log that cannot be written, and a syslog that is slow, dead or back. */
#include "unit/base/suites.h"

#include "base/log.h"
#include "base/log_syslog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static void
begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/xiaotu-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
}

static void
end(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* --- syslog ---------------------------------------------------------------------------------- */

static int
open_daemon(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void
expect_datagram(int fd, const char *ending)
{
	char got[4096];
	ssize_t n = recv(fd, got, sizeof got, 0);

	ck_assert_int_gt(n, (ssize_t)strlen(ending));
	ck_assert_int_eq(memcmp(got, "<30>", 4), 0);
	ck_assert_int_eq(memcmp(got + n - strlen(ending), ending, strlen(ending)), 0);
}

START_TEST(syslog_line_is_framed_as_glibc_frames_it)
{
	static const char expected[] = "<27>Nov  4 01:02:03 xiaotud[12]: text";
	struct tm tm = { .tm_mon = 10, .tm_mday = 4, .tm_hour = 1, .tm_min = 2, .tm_sec = 3 };
	char out[100];

	ck_assert_uint_eq(
	    log_syslog_frame(out, sizeof out, 27, &tm, 12, "text", 4), sizeof expected - 1);
	ck_assert_int_eq(memcmp(out, expected, sizeof expected - 1), 0);
	ck_assert_uint_eq(log_syslog_frame(out, 35, 27, &tm, 12, "text", 4), 35);
}
END_TEST

START_TEST(syslog_that_is_full_loses_lines_and_keeps_the_connection)
{
	struct log_syslog s = { path, -1, 0 };
	int fd, n = 0, same;

	begin();
	fd = open_daemon();
	while (log_syslog_send(&s, 30, "line", 4) == 0)
		ck_assert_int_lt(n++, 100000);
	ck_assert_int_eq(errno, EAGAIN);
	same = s.fd;
	expect_datagram(fd, "line");
	ck_assert_int_eq(log_syslog_send(&s, 30, "next", 4), 0);
	ck_assert_int_eq(s.fd, same);
	log_syslog_close(&s);
	close(fd);
	end();
}
END_TEST

START_TEST(syslog_that_died_is_looked_for_once_a_second)
{
	struct log_syslog s = { path, -1, 0 };
	int fd;

	begin();
	fd = open_daemon();
	ck_assert_int_eq(log_syslog_send(&s, 30, "first", 5), 0);
	expect_datagram(fd, "first");
	close(fd);
	unlink(path);
	fd = open_daemon();
	/* The daemon came back within the second: not looked for yet. */
	ck_assert_int_eq(log_syslog_send(&s, 30, "lost", 4), -1);
	ck_assert_int_eq(s.fd, -1);
	s.tried_ms -= 1000;
	ck_assert_int_eq(log_syslog_send(&s, 30, "back", 4), 0);
	expect_datagram(fd, "back");
	/* Connected long ago: the very line that finds it dead goes to the new one. */
	s.tried_ms -= 1000;
	close(fd);
	unlink(path);
	fd = open_daemon();
	ck_assert_int_eq(log_syslog_send(&s, 30, "kept", 4), 0);
	expect_datagram(fd, "kept");
	log_syslog_close(&s);
	close(fd);
	end();
}
END_TEST

/* --- files ----------------------------------------------------------------------------------- */

static char *
read_all(int fd)
{
	static char text[8192];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int
count(const char *text, const char *words)
{
	int n = 0;

	while ((text = strstr(text, words)) != NULL) {
		text++;
		n++;
	}
	return n;
}

static int
open_target(const char *target)
{
	struct err e = { "" };
	int fd = log_target_open(target, &e);

	ck_assert_msg(fd >= 0, "%s", e.text);
	return fd;
}

/* Check runs each test in a process of its own, so descriptor 2 may be bent. */
START_TEST(failing_log_is_told_once_on_stderr_and_once_when_it_is_well_again)
{
	int told, good;

	begin();
	told = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	ck_assert_int_eq(dup2(told, STDERR_FILENO), STDERR_FILENO);
	log_use(open_target("/dev/full"), LOG_INFO_);
	for (int i = 0; i < 50; i++)
		log_info("line n=%d", i);
	ck_assert_uint_eq(log_lost(), 50);
	ck_assert_int_eq(count(read_all(told), "\n"), 1);
	ck_assert_int_eq(count(read_all(told), "ev=log_failed why=\"No space left on device\""), 1);
	unlink(path);
	good = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	log_use(open_target(path), LOG_INFO_);
	log_info("first");
	log_info("second");
	ck_assert_int_eq(count(read_all(good), "\n"), 3);
	ck_assert_int_eq(count(read_all(good), "ev=log_recovered lost=50\n"), 1);
	ck_assert_uint_eq(log_lost(), 50);
	end();
}
END_TEST

START_TEST(processes_that_share_the_log_tell_once_together)
{
	struct err e;
	int told;

	begin();
	told = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	ck_assert_int_eq(dup2(told, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(log_share(&e), 0);
	log_use(open_target("/dev/full"), LOG_INFO_);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			log_info("child");
			_exit(0);
		}
	log_info("parent");
	while (wait(NULL) > 0)
		continue;
	ck_assert_uint_eq(log_lost(), 4);
	ck_assert_int_eq(count(read_all(told), "\n"), 1);
	end();
}
END_TEST

START_TEST(fifo_is_opened_without_a_reader)
{
	int fd;

	begin();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open_target(path);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	end();
}
END_TEST

START_TEST(symbolic_link_is_not_followed)
{
	struct err e;

	begin();
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(log_target_open(path, &e), -1);
	end();
}
END_TEST

Suite *
log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_test(tc, syslog_line_is_framed_as_glibc_frames_it);
	tcase_add_test(tc, syslog_that_is_full_loses_lines_and_keeps_the_connection);
	tcase_add_test(tc, syslog_that_died_is_looked_for_once_a_second);
	tcase_add_test(tc, failing_log_is_told_once_on_stderr_and_once_when_it_is_well_again);
	tcase_add_test(tc, processes_that_share_the_log_tell_once_together);
	tcase_add_test(tc, fifo_is_opened_without_a_reader);
	tcase_add_test(tc, symbolic_link_is_not_followed);
	suite_add_tcase(s, tc);
	return s;
}
