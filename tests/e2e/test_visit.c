/* test_visit.c - xiaotu on a terminal with servers that behave otherwise: the tutorial's, one that
 * says what nobody asked for, one that tires of silence. */
#include "e2e/person.h"
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/sock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int guest = -1; /* of the server below */

static void
shout(int number)
{
	(void)number;
	(void)!write(guest, "维护通知：中午\x1b[2J\n", strlen("维护通知：中午\x1b[2J\n"));
}

/* One guest after the other: greets, echoes in the tutorial's manner, is silent to `wait`, hangs up
 * at `leave`. SIGUSR1 makes it say something. */
static _Noreturn void
serve(int door, const char *greeting)
{
	char bytes[1025], answer[1100], *text;
	ssize_t n;

	signal(SIGUSR1, shout);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		guest = accept(door, NULL, NULL);
		(void)!write(guest, greeting, strlen(greeting));
		while ((n = recv(guest, bytes, sizeof bytes - 1, 0)) > 0) {
			bytes[n] = '\0';
			text = strstr(bytes, "::");
			if (text == NULL || strstr(text, "::wait") != NULL)
				continue;
			if (strstr(text, "exit") != NULL || strstr(text, "leave") != NULL)
				break;
			n = snprintf(answer, sizeof answer, "tutorial: %s", text + 2);
			(void)!write(guest, answer, (size_t)n);
		}
		close(guest);
	}
}

static pid_t host;

static bool
begin(const char *greeting)
{
	struct server *s = server_new(HELLO_SERVER);
	struct sock_addr a;
	struct err e;
	int door;

	person = (struct person){ .server = s };
	if (!terminal_is_there(s)) {
		server_end(s);
		return false;
	}
	ck_assert_int_eq(sock_addr_make(&a, SOCK_TCP, s->address, 9999, &e), 0);
	door = sock_listen(SOCK_TCP, &a, 0, &e);
	ck_assert_int_ge(door, 0);
	ck_assert_int_eq(fcntl(door, F_SETFL, 0), 0);
	host = fork();
	ck_assert_int_ge(host, 0);
	if (host == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(door, greeting);
	}
	close(door);
	person.terminal = terminal_open(s, 60, 24, "", "-u ann $ADDR:9999");
	person_sees("请输入消息：");
	return true;
}

static void
end(void)
{
	person_presses("C-u", 1);
	person_presses("C-d", 1);
	ck_assert_int_eq(terminal_wait_exit(person.terminal), 0);
	terminal_close(person.terminal);
	kill(host, SIGKILL);
	ck_assert_int_eq(waitpid(host, NULL, 0), host);
	server_end(person.server);
}

START_TEST(tutorial_server_is_chatted_with)
{
	if (!begin("你好，欢迎来到机器人聊天器！"))
		return;
	person_types("你好");
	person_presses("Enter", 1);
	person_sees_screen("你好，欢迎来到机器人聊天器！\n请输入消息：你好\n\n"
			   "【机器人小图】 TIME\ntutorial: 你好\n\n我：\n",
	    4, 6);
	end();
}
END_TEST

/* It has no words to tell a late answer from the next: the client comes anew. */
START_TEST(cancelled_answer_of_the_tutorial_server)
{
	if (!begin("welcome"))
		return;
	person_types("wait");
	person_presses("Enter", 1);
	person_sees("小图正在想…");
	person_presses("C-c", 1);
	person_sees("已取消\n\n我：");
	person_types("again");
	person_presses("Enter", 1);
	person_sees("tutorial: again\n\n我：");
	person_sees_no("断开");
	end();
}
END_TEST

START_TEST(what_nobody_asked_for_goes_above_the_line)
{
	if (!begin("welcome\n"))
		return;
	person_types("一二三四五");
	person_presses("Left", 2);
	ck_assert_int_eq(kill(host, SIGUSR1), 0);
	person_sees_screen("welcome\n维护通知：中午[2J\n请输入消息：一二三四五\n", 18, 2);
	person_types("中");
	person_sees_screen("welcome\n维护通知：中午[2J\n请输入消息：一二三中四五\n", 20, 2);
	person_presses("C-e", 1);
	end();
}
END_TEST

START_TEST(connection_that_breaks_is_made_again)
{
	if (!begin("welcome"))
		return;
	person_types("leave");
	person_presses("Enter", 1);
	person_sees("连接断开了，正在重新连接…\n这句话没有得到回答，按回车再发一次\n");
	person_sees("已重新连接\n我：leave\n");
	end();
}
END_TEST

START_TEST(server_that_tired_is_called_again_when_there_is_something_to_say)
{
	if (!person_begin(HELLO_SERVER "timeouts = { idle = \"500ms\"; };\n", 60, NULL, NULL))
		return;
	person_sees("(idle)\n请输入消息：\n");
	person_types("还在吗");
	person_presses("Enter", 1);
	person_sees("Hello, 还在吗!\n\n");
	ck_assert_int_eq(server_count_log(person.server, "ev=chat_open"), 2);
	person_end();
}
END_TEST

Suite *
visit_suite(void)
{
	Suite *suite = suite_create("visit");
	TCase *tc = scene_case(suite, "all");

	tcase_add_test(tc, tutorial_server_is_chatted_with);
	tcase_add_test(tc, cancelled_answer_of_the_tutorial_server);
	tcase_add_test(tc, what_nobody_asked_for_goes_above_the_line);
	tcase_add_test(tc, connection_that_breaks_is_made_again);
	tcase_add_test(tc, server_that_tired_is_called_again_when_there_is_something_to_say);
	return suite;
}
