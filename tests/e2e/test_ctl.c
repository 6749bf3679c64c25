/* test_ctl.c - xiaotuctl: what people read, what scripts get, exit codes, the screen. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/json.h"
#include "base/lapse.h"
#include "base/width.h"
#include "lib/promtext.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CTL(...) ARGS("xiaotuctl", "-s", "$DIR/control.sock", __VA_ARGS__)

enum { SCREEN_BYTES = 1 << 16, ROWS = 12, COLUMNS = 50 };

/* Run it, expect the exit status, no key in what it writes. */
static struct scene_done
run(struct server *s, int status, const char *const argv[])
{
	struct scene_done d = scene_run(s, NULL, argv);

	if (d.status != status)
		ck_abort_msg(
		    "%s: expected %d, got %d\n%s%s", argv[3], status, d.status, d.out, d.err);
	ck_assert_ptr_null(strstr(d.out, KEY));
	ck_assert_ptr_null(strstr(d.err, KEY));
	return d;
}

/* Its output holds all of these texts (NULL-terminated). */
static void
shows(struct server *s, const char *command, const char *const *texts)
{
	struct scene_done d = run(s, 0, CTL(command));

	for (; *texts; texts++)
		ck_assert_msg(strstr(d.out, *texts) != NULL, "no \"%s\" in:\n%s", *texts, d.out);
	ck_assert_str_eq(d.err, "");
	scene_free(&d);
}

#define SHOWS(s, command, ...) shows(s, command, (const char *const[]){ __VA_ARGS__, NULL })

static void
ends_well(struct server *s)
{
	ck_assert_int_eq(server_wait_exit(s), 0);
	peer_close_all();
	server_end(s);
}

START_TEST(every_command_prints_for_people)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	peer_send(p, "小红::hi\n");
	peer_expect(p, "echo:hi\n");
	SHOWS(s, "status", "xiaotud ", "serving", "1 now, 1 accepted",
	    "1 taken, 1 answered, 0 failed, 0 rejected", "2 wanted, 2 ready", s->address);
	SHOWS(s, "workers", "SLOT", "ready");
	SHOWS(s, "chats", "小红", "line", "127.0.0.1:");
	SHOWS(s, "robots", "turing", "answering");
	SHOWS(s, "config", "workers", "xiaotud.conf:2", "default", "***");
	SHOWS(s, "reopen", "ok");
	SHOWS(s, "reload", "nothing changed");
	SHOWS(s, "top", "1 chats, 2 of 2 workers", "SLOT", "turing");
	scene_end(s, b);
}
END_TEST

START_TEST(json_is_the_document_as_it_came)
{
	static const char *const commands[] = { "status", "workers", "chats", "robots", "config",
		"reload", "reopen" };
	struct server *s = server_start(TURING_SERVER);

	(void)scene_chat(s);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct scene_done d = run(s, 0, CTL(commands[i], "--json"));
		struct json_object *o = json_read(d.out, strlen(d.out));

		ck_assert_msg(json_is_object(o), "%s: %s", commands[i], d.out);
		ck_assert_str_eq(d.err, "");
		json_drop(o);
		scene_free(&d);
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(prometheus_is_the_metrics)
{
	struct server *s = server_start(TURING_SERVER);
	struct scene_done d = run(s, 0, CTL("status", "--prometheus"));

	promtext_check(d.out);
	promtext_has(d.out, "xiaotu_chats 0");
	scene_free(&d);
	scene_end(s, NULL);
}
END_TEST

/* Names of two columns each: the column behind them begins at the same place in every row. */
START_TEST(columns_stand_below_one_another)
{
	struct server *s = server_start(HELLO_SERVER);
	static const char *const names[] = { "a", "小红", "小图小图小图" };
	struct scene_done d;
	char *rest, *line;
	int at = -1;

	for (size_t i = 0; i < 3; i++) {
		struct peer *p = scene_chat(s);

		peer_sendf(p, "%s::hi\n", names[i]);
		peer_expect(p, "Hello, hi!\n");
	}
	d = run(s, 0, CTL("chats"));
	rest = d.out;
	(void)strsep(&rest, "\n");
	for (int i = 0; i < 3; i++) {
		const char *from;

		line = strsep(&rest, "\n");
		from = strstr(line, "127.0.0.1:");
		ck_assert_ptr_nonnull(from);
		if (at >= 0)
			ck_assert_int_eq(width_text(line, (size_t)(from - line)), at);
		at = width_text(line, (size_t)(from - line));
	}
	scene_free(&d);
	scene_end(s, NULL);
}
END_TEST

START_TEST(reload_tells_what_changed_or_why_nothing_did)
{
	struct server *s = server_start(TURING_SERVER);
	struct peer *p = scene_chat(s);
	struct scene_done d;

	server_config(
	    s, PLAIN POOL(3) DOOR(9999) "limits = { messages_per_minute = 9; };\n" TURING_WITH(
		   "fedcba9876543210fedcba9876543210", ""));
	SHOWS(s, "reload", "3 changed", "workers", "2", "3", "limits.messages_per_minute", "0", "9",
	    "robots.turing.api_key", "***");
	server_config(s, PLAIN POOL(5) DOOR(9999) NO_RATE "workres = 2;\n" TURING);
	d = run(s, 1, CTL("reload"));
	ck_assert_str_eq(d.out, "");
	ck_assert_ptr_nonnull(strstr(d.err, "xiaotud.conf:5: workres"));
	scene_free(&d);
	d = run(s, 1, CTL("reload", "--json"));
	ck_assert_ptr_nonnull(strstr(d.out, "\"result\":\"rejected\""));
	scene_free(&d);
	server_config(s, PLAIN POOL(3) DOOR(9999) NO_RATE TURING "pid_file = \"$DIR/pid\";\n");
	d = run(s, 1, CTL("reload"));
	ck_assert_ptr_nonnull(strstr(d.err, "pid_file: takes a restart"));
	scene_free(&d);
	s->workers = 3;
	server_wait_workers(s, 3, SERVER_MS);
	server_baseline(s);
	peer_send(p, "/help\n");
	(void)peer_line(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(stop_waits_for_the_end)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *p = scene_chat(s);
	struct scene_done d;

	scene_hello(p, "me::hi");
	d = run(s, 0, CTL("stop"));
	ck_assert_str_eq(d.out, "stopped\n");
	scene_free(&d);
	peer_expect_prefix(p, "BYE shutdown");
	scene_exits(s, 7, CTL("stop"));
	scene_exits(s, 7, CTL("status", "--json"));
	scene_exits(s, 7, CTL("top"));
	ends_well(s);
}
END_TEST

START_TEST(quit_is_a_stop_and_the_configuration_names_the_socket)
{
	struct server *s = server_start(HELLO_SERVER);

	scene_exits(s, 0, ARGS("xiaotuctl", "-c", "$CONF", "status"));
	scene_exits(s, 0, ARGS("xiaotuctl", "--config=$CONF", "quit"));
	scene_exits(s, 7, ARGS("xiaotuctl", "-c", "$CONF", "status"));
	scene_exits(s, 1, ARGS("xiaotuctl", "-c", "$DIR/nothing", "status"));
	server_config(s, HELLO_SERVER);
	ends_well(s);
}
END_TEST

/* Who broke the file can still ask, and stop, the server that runs. */
START_TEST(broken_file_still_names_the_socket_and_the_pid_file)
{
	struct server *s = server_start(HELLO_SERVER "pid_file = \"$DIR/pid\";\n"
						     "log = { target = \"$DIR/log\"; };\n");
	struct scene_done d;

	server_config(s,
	    "/* no \"control\" = \"/here\" */ log = { control = \"/nor/here\"; };\n"
	    "control = \"$DIR/control.sock\"; pid_file = \"$DIR/pid\";\nworkers = ;\n");
	d = run(s, 0, ARGS("xiaotuctl", "-c", "$CONF", "status"));
	ck_assert_ptr_nonnull(strstr(d.out, "workers"));
	ck_assert_ptr_nonnull(strstr(d.err, ":3: syntax error"));
	scene_free(&d);
	scene_exits(s, 1, ARGS("xiaotuctl", "-c", "$CONF", "reload"));
	scene_exits(s, 1, ARGS("xiaotud", "-c", "$CONF", "-s", "reload"));
	scene_exits(s, 0, ARGS("xiaotud", "-c", "$CONF", "-s", "stop"));
	ends_well(s);
}
END_TEST

START_TEST(no_control_is_nobody_to_be_asked)
{
	struct server *s =
	    server_start("control = \"\"; language = \"en\";\n" POOL(1) DOOR(9999) NO_RATE HELLO);

	scene_exits(s, 7, ARGS("xiaotuctl", "-c", "$CONF", "status"));
	scene_exits(s, 7, CTL("status"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(usage_is_2)
{
	struct server *s = server_new(HELLO_SERVER);
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotuctl", "-V"));

	ck_assert_int_eq(d.status, 0);
	ck_assert_int_eq(strncmp(d.out, "xiaotuctl ", 10), 0);
	scene_free(&d);
	scene_exits(s, 0, ARGS("xiaotuctl", "--help"));
	scene_exits(s, 2, ARGS("xiaotuctl"));
	scene_exits(s, 2, ARGS("xiaotuctl", "dance"));
	scene_exits(s, 2, ARGS("xiaotuctl", "--nothing", "status"));
	scene_exits(s, 2, ARGS("xiaotuctl", "status", "chats"));
	scene_exits(s, 2, ARGS("xiaotuctl", "top", "--json"));
	scene_exits(s, 2, ARGS("xiaotuctl", "chats", "--prometheus"));
	scene_exits(s, 2, ARGS("xiaotuctl", "-s", "x", "-c", "y", "status"));
	server_end(s);
}
END_TEST

/* --- the screen ------------------------------------------------------------------------------ */

struct screen {
	pid_t pid;
	int fd;
	char text[SCREEN_BYTES];
	size_t n;
};

static void
screen_open(struct screen *t, struct server *s)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	char path[128];

	snprintf(path, sizeof path, "%s/control.sock", s->folder);
	t->n = 0;
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	ck_assert_int_ge(t->pid, 0);
	if (t->pid == 0) {
		execl(server_program("xiaotuctl"), "xiaotuctl", "-s", path, "top", (char *)NULL);
		_exit(127);
	}
}

/* Wait until the screen got this text so often. */
static void
screen_wait(struct screen *t, const char *text, int times)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	for (;;) {
		const char *at = t->text;
		int found = 0;
		ssize_t n;

		t->text[t->n] = '\0';
		for (; (at = strstr(at, text)) != NULL; at++)
			found++;
		if (found >= times)
			return;
		if (lapse_now_ms() > by_ms || t->n == SCREEN_BYTES - 1)
			ck_abort_msg("\"%s\" does not come: %s", text, t->text);
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(t->fd, t->text + t->n, SCREEN_BYTES - 1 - t->n);
		t->n += n > 0 ? (size_t)n : 0;
	}
}

/* It has put back what it changed, and ended well. */
static void
screen_close(struct screen *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	static const char leave[] = "\033[?25h\033[?1049l";
	int status;

	screen_wait(t, leave, 1);
	while (poll(&p, 1, PEER_MS) == 1 && (p.revents & POLLHUP) == 0)
		if (read(t->fd, t->text, 1) <= 0)
			break;
	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	ck_assert_int_eq(status, 0);
	close(t->fd);
}

/* Rows and columns of what was drawn between two homes of the cursor. */
static void
check_fits(const struct screen *t)
{
	const char *at = strstr(t->text, "\033[H") + 3, *end = strstr(at, "\033[H");
	int rows = 1;

	while (at < end) {
		size_t n = strcspn(at, "\r\n\033");

		ck_assert_int_le(width_text(at, n), COLUMNS);
		rows += at[n] == '\n';
		at += n + (at[n] == '\033' ? strcspn(at + n, "KJHhl") : 0) + 1;
	}
	ck_assert_int_le(rows, ROWS);
}

START_TEST(top_fits_the_terminal_and_leaves_it_clean)
{
	static const char *const keys[] = { "q", "\003" };
	struct server *s = server_start(HELLO_SERVER);

	scene_hello(scene_chat(s), "me::hi");
	for (size_t i = 0; i < 2; i++) {
		struct screen t;

		screen_open(&t, s);
		screen_wait(&t, "2 of 2 workers", 2);
		check_fits(&t);
		ck_assert_int_eq(write(t.fd, keys[i], 1), 1);
		screen_close(&t);
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(top_goes_on_while_the_server_is_away)
{
	struct server *s = server_start(HELLO_SERVER), *next;
	struct screen t;

	screen_open(&t, s);
	screen_wait(&t, "2 of 2 workers", 1);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	screen_wait(&t, "nobody runs", 1);
	next = server_new("control = \"%s/control.sock\";\n" POOL(1) DOOR(9999) HELLO, s->folder);
	server_run(next);
	server_wait_ready(next);
	screen_wait(&t, "1 of 1 workers", 1);
	ck_assert_int_eq(kill(t.pid, SIGTERM), 0);
	screen_close(&t);
	scene_end(next, NULL);
	server_end(s);
}
END_TEST

Suite *
ctl_suite(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = scene_case(suite, "commands");

	tcase_add_test(tc, every_command_prints_for_people);
	tcase_add_test(tc, json_is_the_document_as_it_came);
	tcase_add_test(tc, prometheus_is_the_metrics);
	tcase_add_test(tc, columns_stand_below_one_another);
	tcase_add_test(tc, reload_tells_what_changed_or_why_nothing_did);
	tcase_add_test(tc, stop_waits_for_the_end);
	tcase_add_test(tc, quit_is_a_stop_and_the_configuration_names_the_socket);
	tcase_add_test(tc, broken_file_still_names_the_socket_and_the_pid_file);
	tcase_add_test(tc, no_control_is_nobody_to_be_asked);
	tcase_add_test(tc, usage_is_2);
	tc = scene_case(suite, "screen");
	tcase_add_test(tc, top_fits_the_terminal_and_leaves_it_clean);
	tcase_add_test(tc, top_goes_on_while_the_server_is_away);
	return suite;
}
