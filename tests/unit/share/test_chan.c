/* test_chan.c - messages and descriptors between master and worker. */
#include "unit/share/suites.h"

#include "share/chan.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

START_TEST(messages_come_whole_in_order_with_their_descriptors)
{
	struct chan_msg m = { .kind = CHAN_PREPARE, .number = 1LL << 40, .n_fds = CHAN_FDS };
	struct err e = { "" };
	int fds[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(chan_pair(fds, &e), 0);
	for (int i = 0; i < CHAN_FDS; i++)
		m.fds[i] = null;
	memcpy(m.text, "why", 4);
	ck_assert_int_eq(chan_send(fds[0], &m), 0);
	m.kind = CHAN_ABORT;
	m.n_fds = 0;
	ck_assert_int_eq(chan_send(fds[0], &m), 0);
	memset(&m, 0, sizeof m);
	ck_assert_int_eq(chan_receive(fds[1], &m), 1);
	ck_assert_int_eq(m.kind, CHAN_PREPARE);
	ck_assert_int_eq(m.number, 1LL << 40);
	ck_assert_str_eq(m.text, "why");
	ck_assert_int_eq(m.n_fds, CHAN_FDS);
	for (int i = 0; i < CHAN_FDS; i++) {
		ck_assert_int_ne(m.fds[i], null);
		ck_assert_int_eq(fcntl(m.fds[i], F_GETFD), FD_CLOEXEC);
		close(m.fds[i]);
	}
	ck_assert_int_eq(chan_receive(fds[1], &m), 1);
	ck_assert_int_eq(m.kind, CHAN_ABORT);
	ck_assert_int_eq(chan_receive(fds[1], &m), 0);
	close(fds[0]);
	ck_assert_int_eq(chan_receive(fds[1], &m), -1);
	ck_assert_int_eq(chan_send(fds[1], &m), -1);
	close(fds[1]);
	close(null);
}
END_TEST

Suite *
chan_suite(void)
{
	Suite *suite = suite_create("chan");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, messages_come_whole_in_order_with_their_descriptors);
	suite_add_tcase(suite, tc);
	return suite;
}
