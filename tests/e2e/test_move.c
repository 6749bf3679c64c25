/* test_move.c - a worker leaves and its chats live on in another one: nothing shows. */
#include "e2e/moving.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/crowd.h"
#include "lib/procfs.h"

#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MODEL_SERVER PLAIN POOL(2) DOOR(9999) NO_RATE ECHOES
#define BIG_SERVER                                                                                 \
	PLAIN POOL(2) ECHOES "limits = { messages_per_minute = 0; message_bytes = 300000; };\n"    \
			     "listen = ( { address = \"$ADDR\"; port = 9999; }, "                  \
			     "{ path = \"$DIR/door\"; } );\n"

enum { BIG = 30000, HUGE_BYTES = 250000 };

/* Say a line, hear its echo. */
static void
talk(struct peer *p, const char *text)
{
	char answer[256];

	peer_sendf(p, "%s\n", text);
	snprintf(answer, sizeof answer, "echo:%s\n", strncmp(text, "me::", 4) ? text : text + 4);
	peer_expect(p, answer);
}

static void
hold(struct fakebot *b)
{
	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
}

static void
release(struct fakebot *b)
{
	fakebot_echo(b);
	fakebot_release(b);
}

/* --- one chat -------------------------------------------------------------------------------- */

START_TEST(d14_line_chat_goes_on_and_its_robot_remembers)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	talk(p, "me::my name is ann");
	(void)moving_chat(s, p);
	talk(p, "who am I?");
	ck_assert_str_eq(
	    fakebot_record(b, 1).history, "user:my name is ann|assistant:echo:my name is ann");
	peer_send(p, "/forget\n");
	ck_assert_str_ne(peer_line(p), "");
	talk(p, "and now?");
	ck_assert_str_eq(fakebot_record(b, 2).history, "");
	scene_end(s, b);
}
END_TEST

START_TEST(d14_json_chat_goes_on_with_ids_and_streams)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker;

	hold(b);
	peer_send(p, "{\"user\":\"ann\",\"text\":\"hold\",\"id\":1}\n");
	peer_send(p, "{\"text\":\"two\",\"id\":\"b\",\"stream\":true}\n{\"text\":\"thr");
	fakebot_wait_requests(b, 1);
	worker = server_worker_of(s, peer_port(p));
	moving_begin(s, worker);
	release(b);
	peer_expect(p, "{\"id\":1,\"robot\":\"model\",\"text\":\"echo:hold\"}\n");
	(void)moving_end(s, worker);
	peer_send(p, "ee\",\"id\":3}\n");
	peer_expect_prefix(p, "{\"id\":\"b\",\"piece\":\"");
	while (strncmp(peer_line(p), "{\"id\":\"b\",\"robot\":", 18) != 0)
		continue;
	peer_expect(p, "{\"id\":3,\"robot\":\"model\",\"text\":\"echo:three\"}\n");
	ck_assert_int_eq(fakebot_requests(b), 3);
	scene_end(s, b);
}
END_TEST

/* As the tutorial's client: no newline, one answer is awaited before the next is said. */
START_TEST(d14_raw_chat_goes_on_without_newlines)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker;

	peer_send(p, "me::hi");
	peer_expect(p, "echo:hi");
	worker = moving_chat(s, p);
	peer_send(p, "me::still raw");
	peer_expect(p, "echo:still raw");
	(void)moving_done(s, worker);
	peer_send(p, "me::exit");
	peer_eof(p);
	scene_end(s, b);
}
END_TEST

START_TEST(d14_chat_that_said_nothing_yet_can_still_become_any_dialect)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *line = scene_chat(s), *json = scene_chat(s), *raw = scene_chat(s);

	(void)moving_done(s, moving_chat(s, line));
	talk(line, "me::hi");
	ck_assert_str_eq(scene_ask_json(json, "hi"), "echo:hi");
	peer_send(raw, "me::hi");
	peer_expect(raw, "echo:hi");
	scene_end(s, b);
}
END_TEST

START_TEST(d14_nine_messages_under_way_are_answered_once_and_in_order)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char answer[32];
	pid_t worker;

	hold(b);
	peer_send(p, "me::hold 0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	peer_expect_prefix(p, "ERR busy ");
	fakebot_wait_requests(b, 1);
	worker = server_worker_of(s, peer_port(p));
	moving_begin(s, worker);
	release(b);
	peer_expect(p, "echo:hold 0\n");
	for (int i = 1; i <= 8; i++) {
		snprintf(answer, sizeof answer, "echo:%d\n", i);
		peer_expect(p, answer);
	}
	(void)moving_end(s, worker);
	talk(p, "the last");
	ck_assert_int_eq(fakebot_requests(b), 10);
	scene_end(s, b);
}
END_TEST

START_TEST(d14_half_typed_line_is_finished_elsewhere)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker;

	talk(p, "me::hi");
	peer_send(p, "half a ");
	worker = moving_chat(s, p);
	peer_send(p, "line, and \xe5\xb0");
	(void)moving_done(s, worker);
	peer_send(p, "\x8f\n");
	peer_expect(p, "echo:half a line, and \xe5\xb0\x8f\n");
	scene_end(s, b);
}
END_TEST

START_TEST(d14_half_closed_chat_gets_all_its_answers_and_the_end)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker;

	hold(b);
	peer_send(p, "me::hold\nb\nc\n");
	peer_half_close(p);
	fakebot_wait_requests(b, 1);
	worker = server_worker_of(s, peer_port(p));
	moving_begin(s, worker);
	release(b);
	peer_expect(p, "echo:hold\necho:b\necho:c\n");
	peer_eof(p);
	(void)moving_end(s, worker);
	scene_end(s, b);
}
END_TEST

START_TEST(d14_answer_under_way_is_finished_piece_by_piece_before_the_move)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker;

	fakebot_play(b, &(struct fakebot_script){ .first_n = 1, .piece_hold = true });
	peer_send(p, "me::what is slow?\n");
	fakebot_wait_requests(b, 1);
	for (int i = 0; i < 8 && peer_fill(p) == PEER_NOTHING; i++) {
		fakebot_step(b);
		peer_wait_any(&p, 1, 100);
	}
	peer_expect(p, "echo:wha");
	worker = server_worker_of(s, peer_port(p));
	moving_begin(s, worker);
	for (int i = 0; i < 8; i++)
		fakebot_step(b);
	peer_expect(p, "t is slow?\n");
	(void)moving_end(s, worker);
	talk(p, "next");
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

START_TEST(d14_exit_ends_the_chat_after_a_move_and_when_said_before_it)
{
	struct server *s = server_start(MODEL_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *after = scene_chat(s), *before;
	pid_t worker;

	talk(after, "me::hi");
	(void)moving_chat(s, after);
	peer_send(after, "exit\n");
	peer_eof(after);
	hold(b);
	before = scene_chat(s);
	peer_send(before, "me::hold\nb\nexit\nnever\n");
	fakebot_wait_requests(b, 2);
	worker = server_worker_of(s, peer_port(before));
	moving_begin(s, worker);
	release(b);
	peer_expect(before, "echo:hold\necho:b\n");
	peer_eof(before);
	(void)moving_end(s, worker);
	peer_close_all();
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	(void)server_wait_log(s, "ev=chat_close reason=exit");
	scene_end(s, b);
}
END_TEST

START_TEST(d14_chosen_robot_stays_chosen)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE
	    "robots = ( { name = \"hello\"; type = \"hello\"; },\n"
	    "  { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = \"" KEY
	    "\"; } );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::hi");
	peer_send(p, "/robot turing\n");
	ck_assert_str_ne(peer_line(p), "");
	(void)moving_chat(s, p);
	talk(p, "hi");
	scene_end(s, b);
}
END_TEST

/* --- doors ----------------------------------------------------------------------------------- */

/* The worker that opened the chat last. */
static pid_t
worker_of_last(struct server *s)
{
	return (pid_t)server_log_number(server_wait_log(s, "ev=chat_open"), "pid");
}

START_TEST(d14_chat_at_a_unix_socket_moves)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; }, { path = \"$DIR/door\"; } );\n");
	struct peer *p;
	char path[96];
	pid_t worker;

	snprintf(path, sizeof path, "%s/door", s->folder);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	worker = worker_of_last(s);
	scene_hello(p, "me::hi");
	(void)moving_done(s, worker);
	scene_hello(p, "still here");
	scene_end(s, NULL);
}
END_TEST

START_TEST(d14_chat_over_ipv6_moves)
{
	int port = 20000 + getpid() % 20000;
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; }, "
	    "{ address = \"::1\"; port = %d; } );\n",
	    port);
	struct peer *p = peer_open("::1", port);
	pid_t worker = worker_of_last(s);

	peer_expect(p, GREETING);
	scene_hello(p, "me::hi");
	(void)moving_done(s, worker);
	scene_hello(p, "still here");
	scene_end(s, NULL);
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

START_TEST(b6_limit_of_an_address_counts_chats_that_moved)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) HELLO
	    "limits = { chats_per_address = 3; messages_per_minute = 0; };\n");
	struct peer *chats[3], *p;
	pid_t worker;

	for (int i = 0; i < 3; i++) {
		chats[i] = peer_open_from("127.0.0.2", s->address, SERVER_PORT);
		peer_expect(chats[i], GREETING);
	}
	worker = moving_chat(s, chats[0]);
	(void)moving_done(s, worker);
	p = peer_open_from("127.0.0.2", s->address, SERVER_PORT);
	peer_expect_prefix(p, "ERR busy ");
	peer_eof(p);
	for (int i = 0; i < 3; i++)
		scene_hello(chats[i], "me::hi");
	peer_reset(chats[0]);
	(void)server_wait_log(s, "ev=chat_close");
	do {
		p = peer_open_from("127.0.0.2", s->address, SERVER_PORT);
	} while (strncmp(peer_line(p), "ERR", 3) == 0);
	scene_hello(p, "me::one left");
	scene_end(s, NULL);
}
END_TEST

START_TEST(b8_messages_a_minute_are_counted_over_a_move)
{
	struct server *s =
	    server_start(PLAIN POOL(2) DOOR(9999) HELLO "limits = { messages_per_minute = 3; };\n");
	struct peer *p = scene_chat(s);

	scene_hello(p, "me::1");
	scene_hello(p, "2");
	(void)moving_chat(s, p);
	scene_hello(p, "3");
	peer_send(p, "4\n");
	peer_expect_prefix(p, "ERR rate ");
	scene_end(s, NULL);
}
END_TEST

/* The bytes that the other side has not read yet. */
static void
wait_until_read(struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	int left;

	do {
		ck_assert_int_eq(ioctl(p->fd, SIOCOUTQ, &left), 0);
		procfs_tick();
	} while (left > 0 && lapse_now_ms() < by_ms);
	ck_assert_int_eq(left, 0);
}

START_TEST(d14_chat_too_large_to_move_is_told_goodbye_and_logged)
{
	struct server *s = server_start(BIG_SERVER);
	char *text = mem_zalloc(HUGE_BYTES), path[96];
	struct peer *p;
	pid_t worker;

	memset(text, 'x', HUGE_BYTES);
	snprintf(path, sizeof path, "%s/door", s->folder);
	p = peer_open_unix(path);
	peer_expect(p, GREETING);
	worker = worker_of_last(s);
	peer_send_bytes(p, text, HUGE_BYTES);
	wait_until_read(p);
	moving_begin(s, worker);
	peer_expect_prefix(p, "BYE shutdown ");
	peer_eof(p);
	(void)server_wait_log(s, "ev=chat_not_moved why=size");
	peer_close(p);
	(void)moving_end(s, worker);
	free(text);
	scene_end(s, NULL);
}
END_TEST

/* What it asked is still answered, or it is told goodbye; in any case it is not left hanging. */
START_TEST(d14_chat_whose_questions_are_too_large_to_move_is_not_left_hanging)
{
	struct server *s = server_start(BIG_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char *text = mem_zalloc(BIG + 2);
	pid_t worker;

	hold(b);
	memset(text, 'x', BIG);
	text[BIG] = '\n';
	peer_send(p, "me::hold\n");
	for (int i = 0; i < 9; i++)
		peer_send(p, text);
	peer_expect_prefix(p, "ERR busy ");
	worker = server_worker_of(s, peer_port(p));
	moving_begin(s, worker);
	release(b);
	peer_expect(p, "echo:hold\n");
	(void)server_wait_log(s, "ev=chat_not_moved why=size");
	while (strncmp(peer_line(p), "BYE shutdown ", 13) != 0)
		continue;
	peer_eof(p);
	peer_close(p);
	(void)moving_end(s, worker);
	free(text);
	scene_end(s, b);
}
END_TEST

static void
add_chats(TCase *tc)
{
	tcase_add_test(tc, d14_line_chat_goes_on_and_its_robot_remembers);
	tcase_add_test(tc, d14_json_chat_goes_on_with_ids_and_streams);
	tcase_add_test(tc, d14_raw_chat_goes_on_without_newlines);
	tcase_add_test(tc, d14_chat_that_said_nothing_yet_can_still_become_any_dialect);
	tcase_add_test(tc, d14_nine_messages_under_way_are_answered_once_and_in_order);
	tcase_add_test(tc, d14_half_typed_line_is_finished_elsewhere);
	tcase_add_test(tc, d14_half_closed_chat_gets_all_its_answers_and_the_end);
	tcase_add_test(tc, d14_answer_under_way_is_finished_piece_by_piece_before_the_move);
	tcase_add_test(tc, d14_exit_ends_the_chat_after_a_move_and_when_said_before_it);
	tcase_add_test(tc, d14_chosen_robot_stays_chosen);
}

Suite *
move_suite(void)
{
	Suite *suite = suite_create("move");
	TCase *tc = scene_case(suite, "door");

	add_chats(scene_case(suite, "chat"));
	tcase_add_test(tc, d14_chat_at_a_unix_socket_moves);
	tcase_add_test(tc, d14_chat_over_ipv6_moves);
	tc = scene_case(suite, "limit");
	tcase_add_test(tc, b6_limit_of_an_address_counts_chats_that_moved);
	tcase_add_test(tc, b8_messages_a_minute_are_counted_over_a_move);
	tcase_add_test(tc, d14_chat_too_large_to_move_is_told_goodbye_and_logged);
	tcase_add_test(tc, d14_chat_whose_questions_are_too_large_to_move_is_not_left_hanging);
	return suite;
}
