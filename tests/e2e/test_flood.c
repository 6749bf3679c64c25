/* test_flood.c - more at the door than can be served, and those who are there no more (FAULTS, rows
 * B5, B9 and B10). */
#include "e2e/crowd.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "base/sock.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLOOD = 10000, CAP = 2000, IDLE = 5000, ACTIVE = 50, WELL_MS = 1000, FDS = 4096 };
/* Of user memory, and with what the heap wastes. */
enum { IDLE_BYTES = 512, ROUND_MS = 100 };

static void
allow_descriptors(rlim_t n)
{
	struct rlimit r;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max < n ? r.rlim_max : n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	if (r.rlim_cur < n)
		printf("only %llu descriptors here\n", (unsigned long long)r.rlim_cur);
}

/* How many can be had: ours, with some to spare. */
static int
at_most(int n)
{
	struct rlimit r;

	allow_descriptors((rlim_t)n + 500);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	return r.rlim_cur < (rlim_t)n + 500 ? (int)r.rlim_cur - 500 : n;
}

/* --- B5 -------------------------------------------------------------------------------------- */

struct flood {
	int n, epoll, *fds;
	int greeted, busy, ended, other;
};

static void
flood_connect(struct flood *f, const struct server *s)
{
	struct sock_addr a;
	struct err e;

	ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, s->address, SERVER_PORT, &e), 0);
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	f->fds = mem_zalloc((size_t)f->n * sizeof *f->fds);
	for (int i = 0; i < f->n; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = i };

		f->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_int_ge(f->fds[i], 0);
		if (connect(f->fds[i], &a.u.any, a.len) < 0)
			ck_assert_int_eq(errno, EINPROGRESS);
		ck_assert_int_eq(epoll_ctl(f->epoll, EPOLL_CTL_ADD, f->fds[i], &ev), 0);
	}
}

/* A greeting, or `ERR busy` and then the end. */
static void
flood_hear(struct flood *f, int i)
{
	char text[512];
	ssize_t n = recv(f->fds[i], text, sizeof text - 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	text[n > 0 ? n : 0] = '\0';
	if (n == 0)
		f->ended++;
	else if (n < 0)
		f->other++;
	else if (strcmp(text, GREETING) == 0)
		f->greeted++;
	else if (strncmp(text, "ERR busy ", 9) == 0)
		f->busy++;
	else
		f->other++;
	if (n <= 0) {
		close(f->fds[i]);
		f->fds[i] = -1;
	}
}

static void
flood_attend(struct flood *f)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	struct epoll_event got[256];

	while (f->greeted + f->ended + f->other < f->n && lapse_now_ms() < by_ms) {
		int n = epoll_wait(f->epoll, got, 256, ROUND_MS);

		for (int i = 0; i < n; i++)
			flood_hear(f, got[i].data.fd);
	}
}

static void
flood_leave(struct flood *f)
{
	for (int i = 0; i < f->n; i++)
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	close(f->epoll);
	free(f->fds);
}

/* Somebody new is served within a second. */
static void
expect_well(struct server *s)
{
	int64_t by_ms = lapse_now_ms() + WELL_MS * (oracle_is_sanitized() ? 5 : 1);
	struct peer *p;
	bool well;

	do {
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		p = peer_open(s->address, SERVER_PORT);
		well = strcmp(peer_line(p), "Welcome") == 0;
		if (well)
			scene_hello(p, "me::hi");
		peer_close(p);
	} while (!well);
}

START_TEST(b5_ten_thousand_connects_in_a_second_meet_the_cap_and_do_no_harm)
{
	struct flood f = { .n = at_most(FLOOD) };
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO QUIET
	    "limits = { messages_per_minute = 0; chats = %d; chats_per_address = 0; };\n",
	    CAP);
	struct peer *p = scene_chat(s);
	int64_t began = lapse_now_ms();

	scene_hello(p, "me::hi");
	flood_connect(&f, s);
	printf("%d connects in %d ms\n", f.n, (int)(lapse_now_ms() - began));
	flood_attend(&f);
	ck_assert_int_eq(f.other, 0);
	ck_assert_int_eq(f.greeted, CAP - 1);
	ck_assert_int_eq(f.busy, f.n - f.greeted);
	ck_assert_int_eq(f.ended, f.busy);
	scene_hello(p, "still here");
	flood_leave(&f);
	expect_well(s);
	scene_hello(p, "and now");
	s->memory_slack_kib = CAP * 8;
	scene_end(s, NULL);
}
END_TEST

/* --- B9 -------------------------------------------------------------------------------------- */

static int64_t
pool_kib(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int64_t sum = 0;

	for (int i = server_pids(s, pids); i-- > 0;)
		sum += procfs_own_kib(pids[i]);
	return sum;
}

/* Minutes of it in `make soak`. */
static int64_t
busy_ms(void)
{
	return getenv("XIAOTU_SOAK") ? 180000 : 2000;
}

START_TEST(b9_five_thousand_idle_chats_and_fifty_that_talk_lose_nothing)
{
	int n = at_most(IDLE);
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) ECHOES QUIET
	    "limits = { messages_per_minute = 0; chats = 0; chats_per_address = 0; };\n");
	struct fakebot *b = scene_bot(s);
	struct peer **idle = mem_zalloc((size_t)n * sizeof *idle);
	struct crowd *c = crowd_open(s, ACTIVE);
	int64_t before = pool_kib(s), by_ms, grown;

	for (int i = 0; i < n; i++)
		idle[i] = scene_chat(s);
	grown = pool_kib(s) - before;
	printf("%d idle chats take %d bytes each\n", n, (int)(grown * 1024 / n));
	if (!oracle_is_sanitized())
		ck_assert_int_le(grown * 1024 / n, IDLE_BYTES);
	for (by_ms = lapse_now_ms() + busy_ms(); lapse_now_ms() < by_ms;)
		crowd_talk(c, NULL, 0);
	ck_assert_int_eq(crowd_finish(c), fakebot_requests(b));
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(peer_fill(idle[i]), PEER_NOTHING);
		if (i % 50 == 0) {
			peer_send(idle[i], "me::hi\n");
			peer_expect(idle[i], "echo:hi\n");
		}
	}
	free(idle);
	crowd_close(c);
	s->worker_slack = ACTIVE + 10;
	s->memory_slack_kib = 16384;
	scene_end(s, b);
}
END_TEST

/* --- B10 ------------------------------------------------------------------------------------- */

/* The server's end of this chat, as a descriptor of ours too; -1 when we may not have it. */
static int
server_end_of(struct server *s, struct peer *p)
{
	int port = peer_port(p), fd;
	int pid = (int)syscall(SYS_pidfd_open, server_worker_of(s, port), 0);

	ck_assert_int_ge(pid, 0);
	for (int i = 3; i < FDS; i++) {
		struct sockaddr_in a = { .sin_family = AF_UNSPEC };
		socklen_t len = sizeof a;

		fd = (int)syscall(SYS_pidfd_getfd, pid, i, 0);
		if (fd < 0 && errno == EBADF)
			continue;
		if (fd < 0)
			break;
		if (getpeername(fd, (struct sockaddr *)&a, &len) == 0 && a.sin_family == AF_INET &&
		    ntohs(a.sin_port) == port) {
			close(pid);
			return fd;
		}
		close(fd);
	}
	printf("skipped: pidfd_getfd: %s\n", strerror(errno));
	close(pid);
	return -1;
}

/* What the kernel was told about this socket, and shorter times instead of two minutes. */
static void
expect_and_shorten(int fd)
{
	static const struct {
		int level, name, expected, now;
	} options[] = { { SOL_SOCKET, SO_KEEPALIVE, 1, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 60, 1 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15, 1 }, { IPPROTO_TCP, TCP_KEEPCNT, 4, 1 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 120000, 1000 } };

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		int value = -1, now = options[i].now;
		socklen_t size = sizeof value;

		ck_assert_int_eq(
		    getsockopt(fd, options[i].level, options[i].name, &value, &size), 0);
		ck_assert_int_eq(value, options[i].expected);
		if (!getenv("XIAOTU_SOAK"))
			ck_assert_int_eq(
			    setsockopt(fd, options[i].level, options[i].name, &now, sizeof now), 0);
	}
	close(fd);
}

/* Silent, and with an answer on its way. The kernel of the vanished one does not get to see what
 * comes, so this needs no network that can be cut. In `make soak` the times are the real ones. */
START_TEST(b10_peer_that_vanished_is_closed)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *canary = scene_chat(s);
	int64_t by_ms = lapse_now_ms() + (getenv("XIAOTU_SOAK") ? 150000 : SERVER_MS);
	int fd = server_end_of(s, p);

	if (fd >= 0) {
		expect_and_shorten(fd);
		fakebot_play(b, &(struct fakebot_script){ .only = "late", .hold = true });
		if (_i == 1) {
			peer_send(p, "me::late\n");
			fakebot_wait_requests(b, 1);
		}
		peer_vanish(p);
		fakebot_release(b);
		while (server_count_log(s, "ev=chat_close") == 0) {
			ck_assert_int_lt(lapse_now_ms(), by_ms);
			peer_send(canary, "me::hi\n");
			peer_expect(canary, "echo:hi\n");
			peer_wait_any(&canary, 1, ROUND_MS);
		}
		(void)server_wait_log(s, "ev=chat_close reason=reset");
	}
	scene_end(s, b);
}
END_TEST

Suite *
flood_suite(void)
{
	Suite *suite = suite_create("flood");
	TCase *tc = scene_case(suite, "flood");

	tcase_set_timeout(tc, 5 * SCENE_TIMEOUT_S);
	tcase_add_test(tc, b5_ten_thousand_connects_in_a_second_meet_the_cap_and_do_no_harm);
	tcase_add_test(tc, b9_five_thousand_idle_chats_and_fifty_that_talk_lose_nothing);
	tcase_add_loop_test(tc, b10_peer_that_vanished_is_closed, 0, 2);
	return suite;
}
