/* test_systemd.c - what a service manager is told, and the sockets it passes. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/sock.h"
#include "lib/manager.h"
#include "lib/procfs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMED(name, port)                                                                          \
	"listen = ( { name = \"" name "\"; address = \"$ADDR\"; port = " #port "; } );\n"

enum { COARSE_MS = 10 }; /* ours may be that late (base/lapse.h) */
enum { QUEUED = 200, FRESH_MS = 3000, HALF_MS = 200 };

static struct manager manager;

/* A server that is told of the manager at $DIR/manager. */
static struct server *
begin(const char *config)
{
	struct server *s = server_new("%s", config);
	char path[108];

	snprintf(path, sizeof path, "%s/manager", s->folder);
	manager_open(&manager, s, path);
	return s;
}

static void
end(struct server *s)
{
	scene_end(s, NULL);
	manager_close(&manager);
}

/* --- what is told ---------------------------------------------------------------------------- */

START_TEST(start_reload_and_stop_are_told)
{
	struct server *s = begin(HELLO_SERVER);
	const char *text;
	int64_t us;

	server_run(s);
	text = manager_wait(&manager, "READY=1\n");
	ck_assert_ptr_nonnull(strstr(text, "STATUS=serving; 2 of 2 workers ready; tcp://127."));
	server_wait_ready(s);
	server_config(s, PLAIN POOL(3) DOOR(9999) NO_RATE HELLO);
	server_hup(s);
	text = manager_wait(&manager, "RELOADING=1\n");
	text = strstr(text, "MONOTONIC_USEC=");
	ck_assert_ptr_nonnull(text);
	us = strtoll(text + 15, NULL, 10);
	ck_assert_int_le(us, lapse_now_us());
	ck_assert_int_ge(us / 1000, lapse_now_ms() - SERVER_MS);
	text = manager_wait(&manager, "READY=1\n");
	ck_assert_ptr_nonnull(strstr(text, "; last reload ok: workers"));
	(void)manager_wait(&manager, "STATUS=serving; 3 of 3 workers ready");
	server_config(s, PLAIN POOL(3) DOOR(0) NO_RATE HELLO);
	(void)server_wait_log(s, "ev=reload result=ok");
	server_reload_rejected(s, "port");
	s->workers = 3;
	(void)manager_wait(&manager, "RELOADING=1\n");
	text = manager_wait(&manager, "READY=1\n");
	ck_assert_ptr_nonnull(strstr(text, "; last reload rejected: "));
	server_baseline(s); /* of three workers */
	scene_end(s, NULL);
	text = manager_wait(&manager, "STOPPING=1\n");
	ck_assert_ptr_nonnull(strstr(text, "EXTEND_TIMEOUT_USEC=20000000\n"));
	ck_assert_int_eq(manager_count(&manager, "READY=1", 0), 0);
	manager_close(&manager);
}
END_TEST

START_TEST(nothing_but_status_is_told_before_it_serves)
{
	struct server *s = begin(HELLO_SERVER);
	const char *text;

	server_run(s);
	while ((text = manager_hear(&manager, SERVER_MS)) && !strstr(text, "READY=1\n"))
		ck_assert_int_eq(strncmp(text, "STATUS=starting; ", 17), 0);
	ck_assert_ptr_nonnull(text);
	server_wait_ready(s);
	end(s);
}
END_TEST

START_TEST(abstract_socket_is_told)
{
	struct server *s = server_new(HELLO_SERVER);
	char name[64];

	snprintf(name, sizeof name, "@xiaotu-test-%d", (int)getpid());
	manager_open(&manager, s, name);
	server_run(s);
	(void)manager_wait(&manager, "READY=1\n");
	server_wait_ready(s);
	scene_hello(scene_chat(s), "me::hi");
	end(s);
}
END_TEST

START_TEST(manager_that_is_gone_harms_nobody)
{
	struct server *s = begin(HELLO_SERVER);

	manager_close(&manager);
	server_run(s);
	server_wait_ready(s);
	(void)server_wait_log(s, "ev=notify_failed");
	server_reload_ok(s);
	scene_hello(scene_chat(s), "me::hi");
	ck_assert_int_eq(server_count_log(s, "ev=notify_failed"), 1);
	scene_end(s, NULL);
}
END_TEST

/* Nobody takes what is told: the queue (net.unix.max_dgram_qlen) fills, the chats go on, and the
 * state there is in the end is told when there is room again. */
START_TEST(manager_that_does_not_listen_hears_the_last_state_later)
{
	struct server *s = begin(HELLO_SERVER);
	const char *text;
	int n = 0;

	manager.watchdog_us = "20000";
	server_run(s);
	server_wait_ready(s);
	while (n < 30) {
		server_reload_ok(s);
		n++;
	}
	scene_hello(scene_chat(s), "me::hi");
	do
		text = manager_wait(&manager, "STATUS=");
	while (strstr(text, "READY=1\n") == NULL || strstr(text, "last reload ok") == NULL);
	end(s);
}
END_TEST

/* The new master, which was just named. */
static pid_t
upgrade_begin(struct server *s)
{
	pid_t pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	pid = (pid_t)strtol(strstr(manager_wait(&manager, "MAINPID="), "=") + 1, NULL, 10);
	ck_assert_int_ne(pid, s->pid);
	return pid;
}

/* The server is another process afterwards. */
static void
upgrade_end(struct server *s, pid_t pid)
{
	pid_t old = s->pid;
	int status;

	ck_assert(procfs_wait_gone(old, SERVER_MS));
	ck_assert_int_eq(waitpid(old, &status, 0), old);
	ck_assert_int_eq(status, 0);
	server_adopt(s, pid);
}

/* The manager believes the new master only after the old one has named it, and the old one must not
 * say that the service stops. */
START_TEST(upgrade_names_the_new_main_process_which_tells_on)
{
	struct server *s = begin(HELLO_SERVER);
	struct peer *p;
	const char *text;

	manager.watchdog_us = "400000";
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	scene_hello(p, "me::hi");
	upgrade_end(s, upgrade_begin(s));
	scene_hello(p, "still here");
	do {
		text = manager_wait(&manager, "STATUS=");
		ck_assert_ptr_null(strstr(text, "STOPPING"));
	} while (strstr(text, "STATUS=serving; ") == NULL);
	(void)manager_wait(&manager, "WATCHDOG=1");
	scene_end(s, NULL);
	(void)manager_wait(&manager, "STOPPING=1\n");
	manager_close(&manager);
}
END_TEST

/* systemd does not wait for the end of a main process that was no child of its own when it was
 * named; and the old one is still there then, for an answer under way. */
START_TEST(new_main_process_is_the_managers_child_when_it_is_named)
{
	struct server *s = begin(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	char parent[32];
	struct peer *p;
	pid_t pid;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	peer_send(p, "me::hi\n");
	fakebot_wait_requests(b, 1);
	pid = upgrade_begin(s);
	snprintf(parent, sizeof parent, "\nPPid:\t%d\n", (int)getpid());
	ck_assert(procfs_holds(pid, "status", parent));
	ck_assert_int_eq(kill(s->pid, 0), 0);
	fakebot_release(b);
	peer_expect(p, "echo:hi\n");
	upgrade_end(s, pid);
	scene_end(s, b);
	manager_close(&manager);
}
END_TEST

START_TEST(no_child_has_the_variables)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
		"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" };
	struct server *s = begin(HELLO_SERVER);
	pid_t pids[SERVER_WORKERS_MAX];
	int n;

	manager.watchdog_us = "10000000";
	manager.names = "chat";
	manager_pass_tcp(&manager, s->address, SERVER_PORT);
	server_run(s);
	server_wait_ready(s);
	n = server_pids(s, pids);
	ck_assert_int_eq(n, 2);
	pids[n++] = s->pid;
	for (int i = 0; i < n; i++) {
		ck_assert(procfs_holds(pids[i], "environ", "XIAOTU_TEST_FOLDER="));
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			if (procfs_holds(pids[i], "environ", names[k]))
				ck_abort_msg("process %d has %s", (int)pids[i], names[k]);
	}
	end(s);
}
END_TEST

/* --- the watchdog ---------------------------------------------------------------------------- */

START_TEST(watchdog_is_fed_at_half_its_time)
{
	struct server *s = begin(HELLO_SERVER);
	int64_t began_ms, took_ms;

	manager.watchdog_us = "400000";
	server_run(s);
	server_wait_ready(s);
	(void)manager_wait(&manager, "WATCHDOG=1");
	began_ms = lapse_now_ms();
	for (int i = 0; i < 5; i++)
		(void)manager_wait(&manager, "WATCHDOG=1");
	took_ms = lapse_now_ms() - began_ms;
	ck_assert_int_ge(took_ms, 4 * HALF_MS);
	ck_assert_int_le(took_ms, 15 * HALF_MS);
	end(s);
}
END_TEST

START_TEST(watchdog_of_another_process_is_left_alone)
{
	struct server *s = begin(HELLO_SERVER);

	manager.watchdog_us = "100000";
	manager.watchdog_pid = "1";
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(manager_count(&manager, "WATCHDOG=1", 500), 0);
	end(s);
}
END_TEST

START_TEST(watchdog_is_not_fed_while_no_worker_lives)
{
	struct server *s = begin(HELLO_SERVER "timeouts = { heartbeat = 0; };\n");
	pid_t pids[SERVER_WORKERS_MAX];
	int n;

	manager.watchdog_us = "400000";
	server_run(s);
	server_wait_ready(s);
	(void)manager_wait(&manager, "WATCHDOG=1");
	n = server_pids(s, pids);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(pids[i], SIGSTOP), 0);
	(void)manager_count(&manager, "WATCHDOG=1", FRESH_MS + HALF_MS);
	ck_assert_int_eq(manager_count(&manager, "WATCHDOG=1", 1000), 0);
	ck_assert_int_eq(kill(pids[0], SIGCONT), 0);
	(void)manager_wait(&manager, "WATCHDOG=1");
	for (int i = 1; i < n; i++)
		ck_assert_int_eq(kill(pids[i], SIGCONT), 0);
	end(s);
}
END_TEST

/* --- socket activation ----------------------------------------------------------------------- */

/* Connections that came before the server did. */
static void
queue(struct peer **peers, const struct server *s, int port)
{
	for (int i = 0; i < QUEUED; i++)
		peers[i] = peer_open(s->address, port);
}

static void
expect_greeted(struct peer **peers)
{
	for (int i = 0; i < QUEUED; i++) {
		peer_expect(peers[i], GREETING);
		scene_hello(peers[i], "me::hi");
		peer_close(peers[i]);
	}
}

START_TEST(door_takes_the_socket_of_its_address)
{
	struct server *s = begin(HELLO_SERVER);
	struct peer *peers[QUEUED];

	manager_pass_tcp(&manager, s->address, SERVER_PORT);
	queue(peers, s, SERVER_PORT);
	server_run(s);
	server_wait_ready(s);
	expect_greeted(peers);
	scene_hello(scene_chat(s), "me::hi");
	end(s);
}
END_TEST

START_TEST(door_takes_the_socket_of_its_name)
{
	struct server *s = begin(PLAIN POOL(2) NAMED("talk", 9999) NO_RATE HELLO);
	struct peer *peers[QUEUED];

	manager.names = "other:talk";
	manager_pass_tcp(&manager, s->address, 7777);
	manager_pass_tcp(&manager, s->address, 7778);
	queue(peers, s, 7778);
	server_run(s);
	server_wait_ready(s);
	(void)server_read_log(s);
	ck_assert_int_eq(server_count_log(s, "ev=socket_unwanted :7777 name=\"other\""), 1);
	ck_assert_int_eq(server_count_log(s, "ev=socket_unwanted"), 1);
	expect_greeted(peers);
	ck_assert_ptr_null(peer_try(s->address, SERVER_PORT));
	/* The name alone changes nothing; without the door the socket is closed. */
	server_reload_ok(s);
	scene_hello(scene_chat_at(s, 7778), "me::hi");
	server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
	server_reload_ok(s);
	scene_hello(scene_chat_at(s, 9998), "me::hi");
	end(s);
}
END_TEST

START_TEST(socket_dropped_by_a_reload_is_closed)
{
	struct server *s = begin(HELLO_SERVER);

	manager_pass_tcp(&manager, s->address, SERVER_PORT);
	server_run(s);
	server_wait_ready(s);
	manager_close(&manager); /* so that nobody but xiaotud has the socket */
	manager = (struct manager){ .fd = -1 };
	scene_hello(scene_chat(s), "me::hi");
	server_config(s, PLAIN POOL(2) DOOR(9998) NO_RATE HELLO);
	server_reload_ok(s);
	scene_hello(scene_chat_at(s, 9998), "me::hi");
	ck_assert_ptr_null(peer_try(s->address, SERVER_PORT));
	/* From now on it is a door like any other. */
	server_config(s, HELLO_SERVER);
	server_reload_ok(s);
	scene_hello(scene_chat(s), "me::hi");
	end(s);
}
END_TEST

START_TEST(file_of_a_socket_that_was_passed_stays)
{
	struct server *s = begin(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; }, { path = \"$DIR/chat\"; } );\n");
	char path[108];
	struct stat st;
	struct peer *p;

	snprintf(path, sizeof path, "%s/chat", s->folder);
	manager_pass_unix(&manager, path);
	server_run(s);
	server_wait_ready(s);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600); /* nor is its mode ours */
	scene_hello(scene_chat(s), "me::hi");
	upgrade_end(s, upgrade_begin(s));
	scene_hello(p, "still here");
	peer_close(p);
	server_config(s, HELLO_SERVER);
	server_reload_ok(s);
	server_baseline(s); /* a door less */
	ck_assert_int_eq(access(path, F_OK), 0);
	scene_end(s, NULL);
	manager_close(&manager);
}
END_TEST

START_TEST(sockets_for_another_process_are_left_alone)
{
	struct server *s = begin(HELLO_SERVER);

	manager.for_another = true;
	manager_pass_tcp(&manager, s->address, 7777);
	server_run(s);
	server_wait_ready(s);
	ck_assert_int_eq(server_count_log(s, "socket"), 0);
	scene_hello(scene_chat(s), "me::hi");
	end(s);
}
END_TEST

/* One socket for IPv4 and IPv6, as systemd makes it of a bare port: IPv4 peers count by their own
 * address. */
START_TEST(socket_for_both_families_knows_an_ipv4_peer)
{
	struct server *s = server_new(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { name = \"chat\"; address = \"$ADDR\"; port = 9999; } );\n");
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0;
	socklen_t len = sizeof a;

	manager_open(&manager, s, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	manager.names = "chat";
	manager.sockets[manager.n_sockets++] = fd;
	server_run(s);
	server_wait_ready(s);
	scene_hello(scene_chat_at(s, ntohs(a.sin6_port)), "me::hi");
	(void)server_wait_log(s, "ev=chat_open peer=127.");
	end(s);
}
END_TEST

Suite *
systemd_suite(void)
{
	Suite *suite = suite_create("systemd");
	TCase *tc = scene_case(suite, "notify");

	tcase_add_test(tc, start_reload_and_stop_are_told);
	tcase_add_test(tc, nothing_but_status_is_told_before_it_serves);
	tcase_add_test(tc, abstract_socket_is_told);
	tcase_add_test(tc, manager_that_is_gone_harms_nobody);
	tcase_add_test(tc, manager_that_does_not_listen_hears_the_last_state_later);
	tcase_add_test(tc, upgrade_names_the_new_main_process_which_tells_on);
	tcase_add_test(tc, new_main_process_is_the_managers_child_when_it_is_named);
	tcase_add_test(tc, no_child_has_the_variables);
	tc = scene_case(suite, "watchdog");
	tcase_add_test(tc, watchdog_is_fed_at_half_its_time);
	tcase_add_test(tc, watchdog_of_another_process_is_left_alone);
	tcase_add_test(tc, watchdog_is_not_fed_while_no_worker_lives);
	tc = scene_case(suite, "activation");
	tcase_add_test(tc, door_takes_the_socket_of_its_address);
	tcase_add_test(tc, door_takes_the_socket_of_its_name);
	tcase_add_test(tc, socket_dropped_by_a_reload_is_closed);
	tcase_add_test(tc, file_of_a_socket_that_was_passed_stays);
	tcase_add_test(tc, sockets_for_another_process_are_left_alone);
	tcase_add_test(tc, socket_for_both_families_knows_an_ipv4_peer);
	return suite;
}
