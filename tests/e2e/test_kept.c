/* test_kept.c - connections to a robot that are kept for the next question (FAULTS, row C16). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/mem.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

START_TEST(connection_is_kept_for_the_next_question)
{
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	for (int i = 0; i < 5; i++) {
		peer_send(p, "me::hi\n");
		peer_expect(p, "echo:hi\n");
	}
	ck_assert_int_eq(fakebot_connections(b), 1);
	scene_end(s, b);
}
END_TEST

START_TEST(c16_repeat_behind_a_connection_that_closed_can_be_told_by_its_id)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	peer_send(p, "me::one\n");
	peer_expect(p, "echo:one\n");
	fakebot_play(b, &(struct fakebot_script){
			    .only = "two", .first_n = 1, .hang_up = true, .reset = _i == 1 });
	peer_send(p, "two\n");
	peer_expect(p, "echo:two\n");
	ck_assert_int_eq(fakebot_requests(b), 3);
	ck_assert_str_eq(fakebot_record(b, 1).id, fakebot_record(b, 2).id);
	ck_assert_str_ne(fakebot_record(b, 0).id, fakebot_record(b, 1).id);
	ck_assert_uint_ge(strlen(fakebot_record(b, 0).id), 16);
	peer_send(p, "three\n");
	peer_expect(p, "echo:three\n");
	scene_end(s, b);
}
END_TEST

START_TEST(connection_that_closes_between_questions_is_made_anew)
{
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .close_after = true });
	for (int i = 1; i <= 5; i++) {
		peer_send(p, "me::hi\n");
		peer_expect(p, "echo:hi\n");
		ck_assert_int_eq(fakebot_requests(b), i);
	}
	scene_end(s, b);
}
END_TEST

/* It has stopped when this returns, not a moment later with what came meanwhile. */
static void
stop(pid_t worker)
{
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	while (!procfs_holds(worker, "status", "State:\tT"))
		procfs_tick();
}

/* A robot says more than it was asked for, and a worker that was busy finds that and the next
 * question at once: it is no answer to that one. */
START_TEST(what_comes_behind_an_answer_is_no_answer_to_the_next_question)
{
	static const char raw[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{\"code\":100000,\"text\":\"one\"}\f"
	    "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"code\":100000,\"text\":\"wrong\"}";
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .first_n = 1,
			    .raw = raw,
			    .n_raw = sizeof raw - 1,
			    .piece_hold = true,
			    .stay_open = true });
	peer_send(p, "me::one\n");
	peer_expect(p, "one\n");
	stop(worker);
	if (_i == 1)
		peer_send(q, "me::two\n");
	fakebot_step(b);
	while (fakebot_sent_bytes(b) < (int64_t)sizeof raw - 2)
		procfs_tick();
	if (_i == 0)
		peer_send(q, "me::two\n");
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	peer_expect(q, "echo:two\n");
	ck_assert_int_eq(fakebot_requests(b), 2);
	scene_end(s, b);
}
END_TEST

/* The answer fills what the worker reads at once, so what is behind it stays in the socket while
 * the next question of the chat, which waits, has its turn. */
START_TEST(question_that_waits_does_not_hear_what_comes_behind_the_answer_before_it)
{
	enum { READ_BYTES = 65536, SPARE_BYTES = 256, WARM_BYTES = 4 * READ_BYTES };
	/* With the 42 bytes of the head the whole has READ_BYTES. */
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 65494\r\n\r\n";
	static const char wrong[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"code\":100000,\"text\":\"wrong\"}";
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));
	char *raw = mem_zalloc(WARM_BYTES + SPARE_BYTES);
	int64_t before;

	scene_canary(s);
	memset(raw, ' ', WARM_BYTES); /* so that the socket takes that much */
	memcpy(raw, "{\"code\":100000,\"text\":\"warm\"}", 29);
	fakebot_play(b, &(struct fakebot_script){ .body = raw });
	peer_send(p, "me::hi\n");
	peer_expect(p, "warm\n");
	before = fakebot_sent_bytes(b);
	memset(raw, ' ', READ_BYTES);
	memcpy(raw, head, sizeof head - 1);
	memcpy(raw + sizeof head - 1, "{\"code\":100000,\"text\":\"one\"}", 28);
	memcpy(raw + READ_BYTES, wrong, sizeof wrong);
	fakebot_play(b, &(struct fakebot_script){ .first_n = 1,
			    .hold = true,
			    .raw = raw,
			    .n_raw = READ_BYTES + sizeof wrong - 1,
			    .stay_open = true });
	peer_send(p, "one\ntwo\n");
	fakebot_wait_requests(b, 2);
	stop(worker);
	fakebot_release(b);
	while (fakebot_sent_bytes(b) < before + READ_BYTES + (int64_t)sizeof wrong - 1)
		procfs_tick();
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	peer_expect(p, "one\n");
	peer_expect(p, "echo:two\n");
	ck_assert_int_eq(fakebot_requests(b), 3);
	free(raw);
	s->worker_slack = 4;
	scene_end(s, b);
}
END_TEST

Suite *
kept_suite(void)
{
	Suite *suite = suite_create("kept");
	TCase *tc = scene_case(suite, "kept");

	tcase_add_loop_test(tc, connection_is_kept_for_the_next_question, 0, SCENE_MODELS);
	tcase_add_loop_test(
	    tc, c16_repeat_behind_a_connection_that_closed_can_be_told_by_its_id, 0, 2);
	tcase_add_test(tc, connection_that_closes_between_questions_is_made_anew);
	tcase_add_loop_test(
	    tc, what_comes_behind_an_answer_is_no_answer_to_the_next_question, 0, 2);
	tcase_add_test(
	    tc, question_that_waits_does_not_hear_what_comes_behind_the_answer_before_it);
	return suite;
}
