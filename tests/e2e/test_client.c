/* test_client.c - people's programs at the door: xiaotu, the tutorial's client, nc. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/sock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* The outputs of a program that ended with this status are these. */
static void
expect_done(struct scene_done d, int status, const char *out)
{
	if (d.status != status || strcmp(d.out, out) != 0)
		ck_abort_msg("expected status %d and \"%s\", got %d and \"%s\" (%s)", status, out,
		    d.status, d.out, d.err);
	scene_free(&d);
}

START_TEST(m_prints_the_bare_answer)
{
	struct server *s = server_start(HELLO_SERVER);

	expect_done(
	    scene_run(s, NULL, ARGS("xiaotu", "-m", "你好", "$ADDR:9999")), 0, "Hello, 你好!\n");
	expect_done(scene_run(s, NULL, ARGS("xiaotu", "-u", "ann", "-m", "hi", "$ADDR")), 0,
	    "Hello, hi!\n");
	(void)server_wait_log(s, "ev=message user=\"ann\"");
	scene_end(s, NULL);
}
END_TEST

START_TEST(pipe_answers_every_line)
{
	struct server *s = server_start(HELLO_SERVER);

	expect_done(scene_run(s, "你好\nagain\n", ARGS("xiaotu", "$ADDR:9999")), 0,
	    "Hello, 你好!\nHello, again!\n");
	expect_done(
	    scene_run(s, "no newline", ARGS("xiaotu", "$ADDR:9999")), 0, "Hello, no newline!\n");
	expect_done(
	    scene_run(s, "one\nexit\nnever\n", ARGS("xiaotu", "$ADDR:9999")), 0, "Hello, one!\n");
	scene_end(s, NULL);
}
END_TEST

START_TEST(json_prints_an_object_for_every_line)
{
	struct server *s = server_start(HELLO_SERVER);

	expect_done(scene_run(s, "你好\n\nagain\n", ARGS("xiaotu", "--json", "$ADDR:9999")), 0,
	    "{\"id\":1,\"robot\":\"hello\",\"text\":\"Hello, 你好!\"}\n"
	    "{\"id\":2,\"robot\":\"hello\",\"text\":\"Hello, again!\"}\n");
	expect_done(scene_run(s, "hi", ARGS("xiaotu", "--json", "--raw", "$ADDR:9999")), 0,
	    "{\"id\":1,\"text\":\"Hello, hi!\"}\n");
	scene_end(s, NULL);
}
END_TEST

START_TEST(json_tells_failures_too)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);

	fakebot_play(b, &(struct fakebot_script){ .status = 400, .first_n = 1 });
	expect_done(scene_run(s, "one\n\xff\ntwo\n", ARGS("xiaotu", "--json", "$ADDR:9999")), 1,
	    "{\"id\":1,\"error\":{\"code\":\"robot-refused\",\"message\":\"the robot refuses to "
	    "answer\"}}\n"
	    "{\"id\":2,\"error\":{\"code\":\"bad-utf8\",\"message\":\"the message is not UTF-8 "
	    "text\"}}\n"
	    "{\"id\":3,\"robot\":\"turing\",\"text\":\"echo:two\"}\n");
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	expect_done(scene_run(s, NULL,
			ARGS("env", "LC_ALL=en_US.UTF-8", server_program("xiaotu"), "--json", "-t",
			    "0.3", "-m", "hi", "$ADDR:9999")),
	    4, "{\"id\":1,\"error\":{\"code\":\"timeout\",\"message\":\"No answer in time.\"}}\n");
	fakebot_release(b);
	scene_end(s, b);
}
END_TEST

/* A reader that leaves early ends the client without a word. */
START_TEST(pipe_that_is_not_read_is_no_crash)
{
	struct server *s = server_start(HELLO_SERVER);
	char script[256];

	snprintf(script, sizeof script, "{ %s -u ann %s:9999; echo $? >&2; } <%s | head -n 1",
	    server_program("xiaotu"), s->address, s->config);
	struct scene_done d = scene_run(s, NULL, ARGS("sh", "-c", script));

	ck_assert_int_eq(d.status, 0);
	ck_assert_str_eq(strchr(d.out, '\n'), "\n");
	ck_assert_msg(strcmp(d.err, "1\n") == 0 || strcmp(d.err, "0\n") == 0, "%s", d.err);
	scene_free(&d);
	scene_end(s, NULL);
}
END_TEST

START_TEST(answer_that_cannot_be_written_is_a_failure_with_its_reason)
{
	struct server *s = server_start(HELLO_SERVER);
	char script[256];

	snprintf(script, sizeof script, "LC_ALL=en_US.UTF-8 %s %s -m hi %s:9999 >/dev/full",
	    server_program("xiaotu"), _i ? "--json" : "", s->address);
	struct scene_done d = scene_run(s, NULL, ARGS("sh", "-c", script));

	ck_assert_int_eq(d.status, 1);
	ck_assert_str_eq(d.err, "The answer cannot be written: No space left on device\n");
	scene_free(&d);
	scene_end(s, NULL);
}
END_TEST

START_TEST(unix_socket_is_reached_by_its_path)
{
	struct server *s =
	    server_start(PLAIN POOL(2) HELLO "listen = ( { path = \"$DIR/chat\"; } );\n");

	expect_done(scene_run(s, NULL, ARGS("xiaotu", "-m", "hi", "$DIR/chat")), 0, "Hello, hi!\n");
	scene_end(s, NULL);
}
END_TEST

START_TEST(exit_status_tells_what_failed)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b;

	expect_done(scene_run(s, NULL, ARGS("xiaotu", "-m", "hi", "$ADDR:9999")), 1, "");
	expect_done(scene_run(s, NULL, ARGS("xiaotu", "--no-such-option")), 2, "");
	expect_done(scene_run(s, NULL, ARGS("xiaotu", "-m", "hi", "$ADDR:99999")), 2, "");
	expect_done(scene_run(s, NULL, ARGS("xiaotu", "-m", "hi", "$ADDR:9990")), 3, "");
	b = scene_bot(s);
	scene_end(s, b);
}
END_TEST

START_TEST(exit_status_tells_that_no_answer_came_in_time)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE TURING);
	struct fakebot *b = scene_bot(s);

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	expect_done(
	    scene_run(s, NULL, ARGS("xiaotu", "-t", "0.3", "-m", "hi", "$ADDR:9999")), 4, "");
	fakebot_release(b);
	scene_end(s, b);
}
END_TEST

START_TEST(raw_client_is_served_too)
{
	struct server *s = server_start(HELLO_SERVER);

	expect_done(scene_run(s, "你好\nagain\n", ARGS("xiaotu", "--raw", "$ADDR:9999")), 0,
	    "Hello, 你好!\nHello, again!\n");
	scene_end(s, NULL);
}
END_TEST

/* --- the tutorial ---------------------------------------------------------------------------- */

/* A server that behaves as the tutorial's: no newline anywhere, one recv() is one message. */
static _Noreturn void
tutorial_server(int door)
{
	static const char greeting[] = "你好，欢迎来到机器人聊天器！";
	char bytes[1025], answer[1100], *text;
	int fd = accept(door, NULL, NULL);
	ssize_t n;

	(void)!write(fd, greeting, sizeof greeting - 1);
	while ((n = recv(fd, bytes, sizeof bytes - 1, 0)) > 0) {
		bytes[n] = '\0';
		text = strstr(bytes, "::");
		if (text == NULL || strcmp(text + 2, "exit") == 0)
			break;
		n = snprintf(answer, sizeof answer, "tutorial: %s", text + 2);
		(void)!write(fd, answer, (size_t)n);
	}
	_exit(0);
}

START_TEST(our_client_talks_to_the_tutorial_server)
{
	struct server *s = server_new(HELLO_SERVER);
	struct sock_addr a;
	struct err e;
	pid_t pid;
	int door;

	ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, s->address, 9999, &e), 0);
	door = sock_listen(SOCK_TCP, &a, 0, &e);
	ck_assert_int_ge(door, 0);
	ck_assert_int_eq(fcntl(door, F_SETFL, 0), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		tutorial_server(door);
	}
	close(door);
	expect_done(scene_run(s, "你好\nagain\n", ARGS("xiaotu", "$ADDR:9999")), 0,
	    "tutorial: 你好\ntutorial: again\n");
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	server_end(s);
}
END_TEST

/* A port of 127.0.0.1 that nobody has: below those the kernel hands out. */
static int
free_port(void)
{
	struct sock_addr a;
	struct err e;

	for (int port = 20000 + getpid() % 10000; port < 32000; port++) {
		int fd;

		ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, "127.0.0.1", port, &e), 0);
		fd = sock_listen(SOCK_TCP, &a, 0, &e);
		if (fd >= 0) {
			close(fd);
			return port;
		}
	}
	ck_abort_msg("no free port");
	return 0;
}

static bool
has_program(struct server *s, const char *name)
{
	struct scene_done d = scene_run(s, NULL, ARGS("sh", "-c", "command -v \"$0\"", name));
	bool found = d.status == 0;

	scene_free(&d);
	if (!found)
		printf("skipped: there is no %s here\n", name);
	return found;
}

/* The class as the tutorial has it, in XIAOTU_DATA or in the folder of the sources. */
START_TEST(tutorial_client_talks_to_our_server)
{
	static const char script[] =
	    "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1])\n"
	    "from tutorial_client import ChatClient\n"
	    "ChatClient(username='小明', port=int(sys.argv[2])).main()\n";
	const char *folder = getenv("XIAOTU_DATA");
	int port = free_port();
	struct server *s = server_start("control = \"$DIR/control.sock\";\n" NO_RATE HELLO
					"listen = ( { address = \"127.0.0.1\"; port = %d; } );\n",
	    port);
	struct scene_done d;
	char number[16];

	snprintf(number, sizeof number, "%d", port);
	if (has_program(s, "python3")) {
		d = scene_run(s, "你好\n第二句\nexit\n",
		    ARGS("python3", "-X", "utf8", "-c", script,
			folder != NULL ? folder : "tests/data", number));
		if (d.status != 0 || strstr(d.out, "你好，欢迎来到机器人聊天器！\n") == NULL ||
		    strstr(d.out, "【机器人小图】") == NULL ||
		    strstr(d.out, "\nHello, 你好!\n") == NULL ||
		    strstr(d.out, "\nHello, 第二句!\n") == NULL ||
		    strstr(d.out, "聊天室已关闭\n") == NULL)
			ck_abort_msg("status %d: %s\n%s", d.status, d.out, d.err);
		scene_free(&d);
		(void)server_wait_log(s, "ev=chat_close reason=exit");
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(nc_gets_its_answer_and_the_end)
{
	struct server *s = server_start(HELLO_SERVER);

	if (has_program(s, "nc"))
		expect_done(scene_run(s, "me::你好\n", ARGS("nc", "-q", "5", "$ADDR", "9999")), 0,
		    GREETING "Hello, 你好!\n");
	scene_end(s, NULL);
}
END_TEST

/* --- a terminal ------------------------------------------------------------------------------ */

/* Read what the terminal shows until the text has come; `seen` keeps what came behind it. */
static void
await_text(int fd, char *seen, size_t size, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	size_t n = strlen(seen);
	const char *found;
	ssize_t got = 1;

	while (strstr(seen, text) == NULL && lapse_now_ms() < by_ms && got > 0 && n + 1 < size)
		if (poll(&p, 1, 100) == 1 && (got = read(fd, seen + n, size - 1 - n)) > 0)
			seen[n += (size_t)got] = '\0';
	found = strstr(seen, text);
	if (found == NULL)
		ck_abort_msg("the terminal does not show \"%s\" but: %s", text, seen);
	found += strlen(text);
	memmove(seen, found, strlen(found) + 1);
}

static pid_t
start_on_terminal(const struct server *s, int *master)
{
	char place[64];
	const char *program = server_program("xiaotu");
	pid_t pid;
	int fd;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*master, 0);
	ck_assert_int_eq(grantpt(*master), 0);
	ck_assert_int_eq(unlockpt(*master), 0);
	snprintf(place, sizeof place, "%s:9999", s->address);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	fd = open(ptsname(*master), O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0 || setenv("LANG", "zh_CN.UTF-8", 1) < 0 || unsetenv("LC_ALL") < 0 ||
	    unsetenv("LC_MESSAGES") < 0 || setenv("XIAOTU_HISTORY", "", 1) < 0 ||
	    setenv("TERM", "xterm", 1) < 0)
		_exit(126);
	execl(program, "xiaotu", "-u", "ann", place, (char *)NULL);
	_exit(127);
}

START_TEST(terminal_chat_has_the_tutorial_s_words)
{
	struct server *s = server_start(HELLO_SERVER);
	char seen[16384] = "";
	int fd, status;
	pid_t pid = start_on_terminal(s, &fd);

	await_text(fd, seen, sizeof seen, "请输入消息：");
	ck_assert_int_eq(write(fd, "你好\n", 7), 7);
	await_text(fd, seen, sizeof seen, "【机器人小图】");
	await_text(fd, seen, sizeof seen, "Hello, 你好!");
	await_text(fd, seen, sizeof seen, "我：");
	ck_assert_int_eq(write(fd, "exit\n", 5), 5);
	await_text(fd, seen, sizeof seen, "聊天室已关闭");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	scene_end(s, NULL);
}
END_TEST

Suite *
client_suite(void)
{
	Suite *suite = suite_create("client");
	TCase *tc = scene_case(suite, "xiaotu");

	tcase_add_test(tc, m_prints_the_bare_answer);
	tcase_add_test(tc, pipe_answers_every_line);
	tcase_add_test(tc, json_prints_an_object_for_every_line);
	tcase_add_test(tc, json_tells_failures_too);
	tcase_add_test(tc, pipe_that_is_not_read_is_no_crash);
	tcase_add_loop_test(tc, answer_that_cannot_be_written_is_a_failure_with_its_reason, 0, 2);
	tcase_add_test(tc, unix_socket_is_reached_by_its_path);
	tcase_add_test(tc, exit_status_tells_what_failed);
	tcase_add_test(tc, exit_status_tells_that_no_answer_came_in_time);
	tcase_add_test(tc, raw_client_is_served_too);
	tcase_add_test(tc, terminal_chat_has_the_tutorial_s_words);
	tc = scene_case(suite, "others");
	tcase_add_test(tc, our_client_talks_to_the_tutorial_server);
	tcase_add_test(tc, tutorial_client_talks_to_our_server);
	tcase_add_test(tc, nc_gets_its_answer_and_the_end);
	return suite;
}
