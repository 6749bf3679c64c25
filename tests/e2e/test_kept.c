/* test_kept.c - connections to a robot that are kept for the next question (FAULTS, row C16). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "lib/procfs.h"

#include <signal.h>
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
	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
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
	return suite;
}
