/* test_command.c - who may come in at the control socket, and what is done there. */
#include "e2e/operator.h"
#include "e2e/suites.h"

#include "lib/procfs.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, CLIENTS = 16 };

/* --- who may come in ------------------------------------------------------------------------- */

START_TEST(socket_is_for_its_owner_and_goes_with_the_server)
{
	struct server *s = server_start(HELLO_SERVER);
	struct stat st;

	ck_assert_int_eq(lstat(operator_socket(s), &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_ne(access(operator_socket(s), F_OK), 0);
	server_end(s);
}
END_TEST

/* Even when somebody made the file open to all: the peer's user counts. */
START_TEST(foreign_user_is_refused_in_one_line)
{
	struct server *s;
	struct peer *p;
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return;
	s = server_start(HELLO_SERVER);
	ck_assert_int_eq(chmod(s->folder, 0711), 0);
	ck_assert_int_eq(chmod(operator_socket(s), 0666), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const char *text;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(3);
		p = peer_open_unix(operator_socket(s));
		text = peer_rest(p);
		_exit(strncmp(text, "{\"error\":", 9) == 0 && strchr(text, '\n') != NULL ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	(void)server_wait_log(s, "ev=control_refused uid=65534");
	json_drop(operator_json(s, "status"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(abandoned_socket_is_replaced_and_a_live_one_is_not)
{
	struct server *s = server_start(HELLO_SERVER), *second;
	pid_t pids[SERVER_WORKERS_MAX];
	int n;

	second = server_new("control = \"%s\";\n" POOL(1) DOOR(9998) HELLO, operator_socket(s));
	server_run(second);
	ck_assert_int_eq(server_wait_exit(second), 1);
	ck_assert_int_ge(server_count_log(second, "control EADDRINUSE"), 1);
	server_end(second);
	json_drop(operator_json(s, "status"));
	n = server_pids(s, pids);
	server_signal(s, SIGKILL);
	ck_assert_int_eq(server_wait_exit(s), 128 + SIGKILL);
	for (int i = 0; i < n; i++)
		ck_assert(procfs_wait_gone(pids[i], SERVER_MS));
	ck_assert_int_eq(access(operator_socket(s), F_OK), 0);
	second = server_new("control = \"%s\";\n" POOL(1) DOOR(9999) HELLO, operator_socket(s));
	server_run(second);
	server_wait_ready(second);
	ck_assert_int_eq(access(operator_socket(s), F_OK), 0);
	scene_end(second, NULL);
	server_end(s);
}
END_TEST

/* Nobody set the key, and there is no such folder here. */
START_TEST(default_socket_that_cannot_be_is_no_error_and_one_that_was_set_is)
{
	struct server *s;

	if (access("/run/xiaotu", F_OK) == 0)
		return;
	s = server_start(
	    "language = \"en\"; greeting = \"Welcome\\n\";\n" POOL(1) DOOR(9999) NO_RATE HELLO);
	ck_assert_int_eq(server_count_log(s, "ev=no_control /run/xiaotu"), 1);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
	s = server_new("control = \"/run/xiaotu/control.sock\";\n" POOL(1) DOOR(9999) HELLO);
	server_run(s);
	ck_assert_int_eq(server_wait_exit(s), 1);
	ck_assert_int_ge(server_count_log(s, "control /run/xiaotu"), 1);
	server_end(s);
}
END_TEST

/* Silent ones, slow ones, and one too many: whoever speaks is served meanwhile. */
START_TEST(silent_clients_are_dropped_and_stop_nobody)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *silent[CLIENTS], *more;

	for (int i = 0; i < CLIENTS - 1; i++)
		silent[i] = peer_open_unix(operator_socket(s));
	peer_send(silent[0], "stat");
	json_drop(operator_json(s, "status"));
	scene_hello(scene_chat(s), "me::hi");
	silent[CLIENTS - 1] = peer_open_unix(operator_socket(s));
	more = peer_open_unix(operator_socket(s));
	peer_expect_prefix(more, "{\"error\":\"too many");
	for (int i = 0; i < CLIENTS; i++)
		peer_drop(silent[i]);
	json_drop(operator_json(s, "status"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(nonsense_is_answered_with_an_error)
{
	static const char *const lines[] = { "dance", "", "status please", "{}" };
	struct server *s = server_start(HELLO_SERVER);
	struct json_object *o;
	struct peer *p;
	char line[600];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		o = operator_json(s, lines[i]);
		ck_assert_ptr_nonnull(strstr(operator_text(o, "error"), "status"));
		json_drop(o);
	}
	memset(line, 'a', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	o = operator_json(s, line);
	ck_assert_ptr_nonnull(strstr(operator_text(o, "error"), "too long"));
	json_drop(o);
	/* Without a newline, but the stream ends. */
	p = peer_open_unix(operator_socket(s));
	peer_send(p, "status");
	peer_half_close(p);
	peer_expect_prefix(p, "{\"version\":");
	p = peer_open_unix(operator_socket(s));
	peer_reset(p);
	scene_end(s, NULL);
}
END_TEST

/* --- what is done ---------------------------------------------------------------------------- */

/* A reload that is under way began before the file was as it is: who asks then gets the next. */
START_TEST(everyone_who_asks_for_a_reload_gets_an_answer)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *peers[8];

	for (int i = 0; i < 8; i++) {
		peers[i] = peer_open_unix(operator_socket(s));
		peer_send(peers[i], "reload\n");
		server_hup(s);
	}
	for (int i = 0; i < 8; i++) {
		peer_expect_prefix(peers[i], "{\"result\":\"ok\",\"changed\":[]}");
		peer_eof(peers[i]);
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(second_stop_is_at_once)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *chat = scene_chat(s), *first, *second;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(chat, "me::hi\n");
	fakebot_wait_requests(b, 1);
	first = peer_open_unix(operator_socket(s));
	peer_send(first, "stop\n");
	peer_expect(first, "{\"result\":\"stopping\"}\n");
	second = peer_open_unix(operator_socket(s));
	peer_send(second, "quit\n");
	peer_expect(second, "{\"result\":\"stopping\"}\n");
	peer_eof(first);
	peer_eof(second);
	peer_expect_prefix(chat, "BYE shutdown");
	ck_assert_int_eq(server_wait_exit(s), 0);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

START_TEST(upgrade_takes_the_socket_along)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *chat = scene_chat(s);
	struct json_object *o;
	pid_t old = s->pid;
	int status;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_config(s, HELLO_SERVER "x = 1;\n");
	o = operator_json(s, "upgrade");
	ck_assert_ptr_nonnull(strstr(operator_text(o, "error"), ": x: unknown key"));
	json_drop(o);
	o = operator_json(s, "status");
	ck_assert_int_eq(operator_number(o, "pid"), old);
	json_drop(o);
	server_wait_workers(s, 2, SERVER_MS); /* the failed one is gone */
	server_config(s, HELLO_SERVER);
	o = operator_json(s, "upgrade");
	ck_assert_str_eq(operator_text(o, "result"), "ok");
	json_drop(o);
	ck_assert(procfs_wait_gone(old, SERVER_MS));
	ck_assert_int_eq(waitpid(old, &status, 0), old);
	o = operator_json(s, "status");
	ck_assert_int_ne(operator_number(o, "pid"), old);
	server_adopt(s, (pid_t)operator_number(o, "pid"));
	json_drop(o);
	scene_hello(chat, "me::still here");
	o = operator_json(s, "chats");
	ck_assert_int_eq(operator_size(o, "chats"), 1);
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

Suite *
command_suite(void)
{
	Suite *suite = suite_create("command");
	TCase *tc = scene_case(suite, "socket");
	tcase_add_test(tc, socket_is_for_its_owner_and_goes_with_the_server);
	tcase_add_test(tc, foreign_user_is_refused_in_one_line);
	tcase_add_test(tc, abandoned_socket_is_replaced_and_a_live_one_is_not);
	tcase_add_test(tc, default_socket_that_cannot_be_is_no_error_and_one_that_was_set_is);
	tcase_add_test(tc, silent_clients_are_dropped_and_stop_nobody);
	tcase_add_test(tc, nonsense_is_answered_with_an_error);
	tc = scene_case(suite, "done");
	tcase_add_test(tc, everyone_who_asks_for_a_reload_gets_an_answer);
	tcase_add_test(tc, second_stop_is_at_once);
	tcase_add_test(tc, upgrade_takes_the_socket_along);
	return suite;
}
