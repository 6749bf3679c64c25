/* test_queue.c - robots that take a few requests at once: who waits, for how long, and what those
 * who wait are told. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { CHATS = 6 };

#define NOTICE "Thinking, one moment please…\n"
/* A chat is told at once that it waits, so a test knows that its question is there. */
#define NOTICE_AT_ONCE "timeouts = { notice_after = \"1ms\"; };\n"
#define TWO_WORKERS    PLAIN POOL(2) DOOR(9999) NO_RATE

/* An answer that begins, so that no clock of the first byte ends it, and waits for a step. */
static const struct fakebot_script half = { .piece_hold = true,
	.body = "{\"code\":100000,\"text\":\f\"done\"}" };

/* Nobody hears anything for a moment. */
static void
expect_silence(struct peer **chats, int n)
{
	peer_wait_any(chats, n, 25);
	for (int i = 0; i < n; i++)
		if (peer_fill(chats[i]) == PEER_BYTES)
			ck_abort_msg("chat %d hears \"%.*s\"", i, (int)chats[i]->in.len,
			    buf_head(&chats[i]->in));
}

/* Chats whose workers take turns. */
static void
alternate(struct server *s, struct peer **chats)
{
	pid_t first = 0;

	for (int i = 0; i < CHATS; i += 2) {
		struct peer *apart[2];
		pid_t worker;

		scene_chats_apart(s, apart);
		worker = server_worker_of(s, peer_port(apart[0]));
		first = first == 0 ? worker : first;
		chats[i] = apart[worker != first];
		chats[i + 1] = apart[worker == first];
	}
}

/* --- max_inflight ---------------------------------------------------------------------------- */

START_TEST(one_request_at_a_time_over_all_workers_and_who_came_first_is_first)
{
	struct server *s =
	    server_start(TWO_WORKERS NOTICE_AT_ONCE TURING_WITH(KEY, "max_inflight = 1;"));
	struct fakebot *b = scene_bot(s);
	struct peer *chats[CHATS];
	char text[16];

	alternate(s, chats);
	fakebot_play(b, &half);
	for (int i = 0; i < CHATS; i++) {
		peer_sendf(chats[i], "me::q%d\n", i);
		peer_expect(chats[i], NOTICE);
	}
	for (int i = 0; i < CHATS; i++) {
		fakebot_wait_requests(b, i + 1);
		snprintf(text, sizeof text, "q%d", i);
		ck_assert_str_eq(fakebot_record(b, i).info, text);
		expect_silence(chats, CHATS);
		ck_assert_int_eq(fakebot_requests(b), i + 1);
		fakebot_step(b);
		peer_expect(chats[i], "done\n");
	}
	scene_end(s, b);
}
END_TEST

START_TEST(as_many_requests_at_once_as_allowed)
{
	struct server *s =
	    server_start(TWO_WORKERS NOTICE_AT_ONCE TURING_WITH(KEY, "max_inflight = 3;"));
	struct fakebot *b = scene_bot(s);
	struct peer *chats[CHATS];

	for (int i = 0; i < CHATS; i++)
		chats[i] = scene_chat(s);
	fakebot_play(b, &half);
	for (int i = 0; i < CHATS; i++) {
		peer_sendf(chats[i], "me::q%d\n", i);
		peer_expect(chats[i], NOTICE);
	}
	fakebot_wait_requests(b, 3);
	expect_silence(chats, CHATS);
	ck_assert_int_eq(fakebot_requests(b), 3);
	fakebot_step(b);
	fakebot_wait_requests(b, CHATS);
	fakebot_step(b);
	for (int i = 0; i < CHATS; i++)
		peer_expect(chats[i], "done\n");
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

/* What came first is still under way when the second one has waited long enough. */
START_TEST(who_waited_too_long_is_answered_by_the_next_robot)
{
	struct server *s = server_start(ONE_WORKER "robots = ( " TURING_ROBOT(
	    "max_inflight = 1; first_byte_timeout = \"200ms\";") ", " HELLO_ROBOT " );\n");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	fakebot_play(b, &half);
	peer_send(p, "me::first\n");
	fakebot_wait_requests(b, 1);
	scene_hello(q, "me::second");
	peer_send(q, "/robot\n");
	peer_expect(q, "turing\nhello\nLast answer by: hello (turing: busy)\n");
	ck_assert_int_eq(server_count_log(s, "ev=robot_rests"), 0);
	fakebot_step(b);
	peer_expect(p, "done\n");
	ck_assert_int_eq(fakebot_requests(b), 1);
	scene_end(s, b);
}
END_TEST

START_TEST(who_waited_too_long_is_told_when_there_is_no_other_robot)
{
	struct server *s = server_start(
	    ONE_WORKER TURING_WITH(KEY, "max_inflight = 1; first_byte_timeout = \"200ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	fakebot_play(b, &half);
	peer_send(p, "me::first\n");
	fakebot_wait_requests(b, 1);
	peer_send(q, "me::second\n");
	peer_expect_prefix(q, "ERR robot-timeout ");
	fakebot_step(b);
	peer_expect(p, "done\n");
	scene_end(s, b);
}
END_TEST

/* Whoever waits or is under way leaves: the place in line is free. */
START_TEST(chat_that_leaves_gives_its_place_in_line_up)
{
	struct server *s =
	    server_start(TWO_WORKERS NOTICE_AT_ONCE TURING_WITH(KEY, "max_inflight = 1;"));
	struct fakebot *b = scene_bot(s);
	struct peer *apart[2], *last = scene_chat(s);

	scene_chats_apart(s, apart);
	fakebot_play(b, &half);
	peer_send(apart[0], "me::first\n");
	fakebot_wait_requests(b, 1);
	peer_send(apart[1], "me::second\n");
	peer_expect(apart[1], NOTICE);
	peer_send(last, "me::third\n");
	peer_expect(last, NOTICE);
	peer_reset(apart[1]);
	(void)server_wait_log(s, "ev=message outcome=cancelled");
	peer_reset(apart[0]);
	fakebot_wait_requests(b, 2);
	ck_assert_str_eq(fakebot_record(b, 1).info, "third");
	fakebot_step(b);
	peer_expect(last, "done\n");
	scene_end(s, b);
}
END_TEST

/* The time in line is that in line: not that of the request before, nor of the pause behind it. */
START_TEST(request_made_again_has_its_time_in_line)
{
	struct server *s = server_start(
	    ONE_WORKER TURING_WITH(KEY, "max_inflight = 1; first_byte_timeout = \"500ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b,
	    &(struct fakebot_script){
		.first_n = 1, .status = 429, .headers = "retry-after-ms: 700\r\n", .body = "no" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

/* The requests of a worker that died are not under way any more. */
START_TEST(worker_that_dies_gives_its_places_up)
{
	struct server *s =
	    server_start(TWO_WORKERS NOTICE_AT_ONCE TURING_WITH(KEY, "max_inflight = 1;"));
	struct fakebot *b = scene_bot(s);
	struct peer *apart[2];

	s->may_crash = true;
	scene_chats_apart(s, apart);
	fakebot_play(b, &half);
	peer_send(apart[0], "me::first\n");
	fakebot_wait_requests(b, 1);
	peer_send(apart[1], "me::second\n");
	peer_expect(apart[1], NOTICE);
	ck_assert_int_eq(kill(server_worker_of(s, peer_port(apart[0])), SIGKILL), 0);
	fakebot_wait_requests(b, 2);
	fakebot_step(b);
	peer_expect(apart[1], "done\n");
	scene_end(s, b);
}
END_TEST

START_TEST(reload_keeps_the_line)
{
	struct server *s =
	    server_start(ONE_WORKER NOTICE_AT_ONCE TURING_WITH(KEY, "max_inflight = 1;"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s), *after = scene_chat(s);

	fakebot_play(b, &half);
	peer_send(p, "me::first\n");
	peer_expect(p, NOTICE);
	fakebot_wait_requests(b, 1);
	peer_send(q, "me::second\n");
	peer_expect(q, NOTICE);
	server_reload_ok(s);
	peer_send(after, "me::third\n");
	peer_expect(after, NOTICE);
	expect_silence(&q, 1);
	ck_assert_int_eq(fakebot_requests(b), 1);
	fakebot_step(b);
	peer_expect(p, "done\n");
	fakebot_wait_requests(b, 2);
	expect_silence(&q, 1);
	ck_assert_int_eq(fakebot_requests(b), 2);
	fakebot_step(b);
	fakebot_wait_requests(b, 3);
	fakebot_step(b);
	peer_expect(q, "done\n");
	peer_expect(after, "done\n");
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

/* --- notices --------------------------------------------------------------------------------- */

#define NOTICE_SOON "timeouts = { notice_after = \"150ms\"; };\n"

START_TEST(chat_that_waits_is_told_once)
{
	struct server *s = server_start(ONE_WORKER NOTICE_SOON TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *line = scene_chat(s), *json = scene_chat(s), *raw = scene_chat(s);
	struct peer *late = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(line, "me::hi\n");
	peer_send(raw, "me::hi");
	peer_send(json, "{\"user\":\"me\",\"text\":\"hi\",\"id\":7}\n");
	peer_expect(line, NOTICE);
	peer_expect(json, "{\"id\":7,\"notice\":\"Thinking, one moment please…\"}\n");
	fakebot_wait_requests(b, 3);
	peer_send(late, "me::hi\n");
	peer_expect(late, NOTICE); /* so long again */
	fakebot_release(b);
	peer_expect(line, "echo:hi\n");
	peer_expect(json, "{\"id\":7,\"robot\":\"turing\",\"text\":\"echo:hi\"}\n");
	peer_expect(raw, "echo:hi");
	peer_send(line, "quick\n");
	peer_expect(line, "echo:quick\n");
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(chat_that_hears_a_piece_in_time_is_told_nothing)
{
	struct server *s = server_start(ONE_WORKER NOTICE_SOON MODEL("ollama", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *late = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .only = "hi", .piece_hold = true });
	fakebot_also(b, &(struct fakebot_script){ .only = "late", .hold = true });
	peer_send(p, "me::hi\n");
	peer_expect(p, "ech");
	peer_send(late, "me::late\n");
	peer_expect(late, NOTICE);
	for (int i = 0; i < 3; i++)
		fakebot_step(b);
	peer_expect(p, "o:hi\n");
	fakebot_release(b);
	peer_expect(late, "echo:late\n");
	scene_end(s, b);
}
END_TEST

START_TEST(nobody_is_told_by_default)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .delay_ms = 200 });
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

Suite *
queue_suite(void)
{
	Suite *suite = suite_create("queue");
	TCase *tc = scene_case(suite, "line");

	tcase_add_test(tc, one_request_at_a_time_over_all_workers_and_who_came_first_is_first);
	tcase_add_test(tc, as_many_requests_at_once_as_allowed);
	tcase_add_test(tc, who_waited_too_long_is_answered_by_the_next_robot);
	tcase_add_test(tc, who_waited_too_long_is_told_when_there_is_no_other_robot);
	tcase_add_test(tc, chat_that_leaves_gives_its_place_in_line_up);
	tcase_add_test(tc, request_made_again_has_its_time_in_line);
	tcase_add_test(tc, worker_that_dies_gives_its_places_up);
	tcase_add_test(tc, reload_keeps_the_line);
	tc = scene_case(suite, "notice");
	tcase_add_test(tc, chat_that_waits_is_told_once);
	tcase_add_test(tc, chat_that_hears_a_piece_in_time_is_told_nothing);
	tcase_add_test(tc, nobody_is_told_by_default);
	return suite;
}
