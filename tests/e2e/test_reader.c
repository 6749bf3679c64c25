/* test_reader.c - answers that come faster than a chat reads them (FAULTS, row B4, for streams). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What kernel and server may take of an answer that nobody reads; and the worker's memory for it,
 * of which sanitizers keep what was freed. */
enum { TAKEN_BYTES = 8 << 20 };
#ifdef __SANITIZE_ADDRESS__
enum { GROWTH_KIB = 300 << 10 };
#else
enum { GROWTH_KIB = 16 << 10 };
#endif

#define NO_LIMIT    "limits = { messages_per_minute = 0; answer_bytes = 0; };\n"
#define READERS(ms) PLAIN POOL(1) DOOR(9999) NO_LIMIT "timeouts = { message = \"" ms "\"; };\n"
#define TEN         "0123456789"
#define FIFTY       TEN TEN TEN TEN TEN
#define TEXT        FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

enum { TEXT_BYTES = sizeof TEXT - 1 };

/* A piece of an answer, and its end, for each API. */
static const struct {
	const char *type, *piece;
} streams[SCENE_MODELS] = {
	{ "text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"" TEXT "\"}}]}\n\n" },
	{ "application/x-ndjson", "{\"message\":{\"content\":\"" TEXT "\"},\"done\":false}\n" },
	{ "text/event-stream", "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
			       "{\"type\":\"text_delta\",\"text\":\"" TEXT "\"}}\n\n" },
};

static void
play_stream(struct fakebot *b, int api, int n_pieces)
{
	fakebot_play(b, &(struct fakebot_script){ .only = "much",
			    .chunked = true,
			    .type = streams[api].type,
			    .body = streams[api].piece,
			    .repeat = n_pieces });
}

static pid_t
only_worker(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];

	ck_assert_int_eq(server_pids(s, pids), 1);
	return pids[0];
}

/* Wait until the robot could send nothing for so long. */
static void
wait_for_stall(struct fakebot *b, int ms)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS, since_ms = lapse_now_ms(), sent = 0;

	while (sent == 0 || lapse_now_ms() - since_ms < ms) {
		int64_t now = fakebot_sent_bytes(b);

		if (lapse_now_ms() > by_ms)
			ck_abort_msg("the robot still sends after %lld bytes", (long long)now);
		if (now != sent)
			since_ms = lapse_now_ms();
		sent = now;
		procfs_tick();
	}
}

START_TEST(b4_endless_answer_that_nobody_reads_is_bounded_and_ended)
{
	struct server *s = server_start(READERS("700ms") MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *canary = scene_chat(s);
	pid_t worker = only_worker(s);
	int64_t before;

	peer_send(canary, "me::hi\n");
	peer_expect(canary, "echo:hi\n");
	before = procfs_memory_kib(worker, "VmHWM:");
	play_stream(b, _i, 1 << 30);
	peer_send(p, "me::much\n");
	wait_for_stall(b, 300);
	peer_send(canary, "hi\n");
	peer_expect(canary, "echo:hi\n");
	(void)server_wait_log(s, "ev=chat_close reason=slow_reader");
	fakebot_wait_gone(b, 1);
	ck_assert_int_lt(fakebot_sent_bytes(b), TAKEN_BYTES);
	ck_assert_int_lt(procfs_memory_kib(worker, "VmHWM:") - before, GROWTH_KIB);
	ck_assert_int_eq(only_worker(s), worker);
	scene_end(s, b);
}
END_TEST

/* Read in small portions up to the end of the line. Returns its length, all of it digits in order.
 */
static size_t
read_slowly(struct peer *p)
{
	static char bytes[32768];
	size_t sum = 0;

	for (;;) {
		ssize_t got;

		peer_wait_any(&p, 1, PEER_MS);
		got = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got <= 0)
			ck_abort_msg("heard only %zu bytes", sum);
		for (ssize_t i = 0; i < got; i++, sum++) {
			if (bytes[i] == '\n')
				return sum;
			if (bytes[i] != (char)('0' + sum % 10))
				ck_abort_msg("after %zu bytes came \"%.20s\"", sum, bytes + i);
		}
		procfs_tick();
	}
}

/* For longer than the gap that the robot may make, and than the time to read on: both are about
 * something else. */
START_TEST(b4_chat_that_reads_slowly_but_steadily_gets_everything)
{
	enum { PIECES = 20000 };
	size_t n = (size_t)PIECES * TEXT_BYTES;
	struct server *s = server_start(
	    READERS("600ms") MODEL("%s", "gap_timeout = \"250ms\";"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	play_stream(b, _i, PIECES);
	peer_send(p, "me::much\n");
	wait_for_stall(b, 300);
	ck_assert_uint_eq(read_slowly(p), n);
	scene_end(s, b);
}
END_TEST

/* Two of them keep the robot busy until its time is over: that frees their places, although they
 * did not hear it yet, and is no fault of the robot's. */
START_TEST(chats_that_do_not_read_hold_no_place_and_break_no_robot)
{
	struct server *s = server_start(
	    READERS("20s") "robots = ( " MODEL_AT("model", "%s", "8000",
		"max_inflight = 2; total_timeout = \"1500ms\";") ", " HELLO_ROBOT " );\n",
	    scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s), *other = scene_chat(s);

	play_stream(b, _i, 1 << 30);
	peer_send(p, "me::much\n");
	peer_send(q, "me::much\n");
	fakebot_wait_requests(b, 2);
	wait_for_stall(b, 100); /* so that the other has time left when theirs is over */
	peer_send(other, "me::hi\n");
	peer_expect(other, "echo:hi\n");
	(void)server_wait_log(s, "ev=message outcome=robot-timeout");
	(void)server_wait_log(s, "ev=message outcome=robot-timeout");
	peer_send(other, "me::hi\n");
	peer_expect(other, "echo:hi\n");
	ck_assert_int_eq(server_count_log(s, "ev=robot_rests"), 0);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

START_TEST(chat_that_leaves_in_mid_stream_ends_the_transfer)
{
	struct server *s =
	    server_start(READERS("30s") MODEL("%s", "max_inflight = 1;"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	play_stream(b, _i, 1 << 30);
	peer_send(p, "me::much\n");
	peer_expect(p, TEXT TEXT);
	peer_close(p);
	fakebot_wait_gone(b, 1);
	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

/* The robot makes pauses: what the chat hears of it is heard before it says goodbye in order. */
START_TEST(chat_that_closes_in_order_in_mid_stream_ends_the_transfer)
{
	struct server *s = server_start(READERS("30s") MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .piece_ms = 20,
			    .repeat = 1000,
			    .type = streams[0].type,
			    .body = streams[0].piece });
	peer_send(p, "me::hi\n");
	peer_expect(p, TEXT);
	peer_close(p);
	fakebot_wait_gone(b, 1);
	(void)server_wait_log(s, "ev=chat_close reason=");
	scene_end(s, b);
}
END_TEST

static void
expect_cut_answer(int api, const struct fakebot_script *script)
{
	struct server *s = server_start(
	    PLAIN POOL(1) DOOR(9999)
		MODEL("%s", "") "limits = { messages_per_minute = 0; answer_bytes = 1250; };\n",
	    scene_models[api]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, script);
	peer_send(p, "me::much\n");
	peer_expect(p, TEXT TEXT FIFTY FIFTY FIFTY FIFTY FIFTY "\n");
	ck_assert_ptr_nonnull(strstr(server_wait_log(s, "ev=message robot=model"), "outcome=ok"));
	fakebot_wait_gone(b, 1);
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}

START_TEST(answer_ends_at_the_limit_of_its_size)
{
	expect_cut_answer(_i, &(struct fakebot_script){ .only = "much",
				  .piece_ms = 10,
				  .type = streams[_i].type,
				  .body = streams[_i].piece,
				  .repeat = 1000 });
}
END_TEST

/* Far more than that comes at once. */
START_TEST(answer_ends_at_the_limit_of_its_size_however_fast_it_comes)
{
	expect_cut_answer(_i, &(struct fakebot_script){ .only = "much",
				  .chunked = true,
				  .type = streams[_i].type,
				  .body = streams[_i].piece,
				  .repeat = 1 << 30 });
}
END_TEST

Suite *
reader_suite(void)
{
	Suite *suite = suite_create("reader");
	TCase *tc = scene_case(suite, "slow");

	tcase_add_loop_test(
	    tc, b4_endless_answer_that_nobody_reads_is_bounded_and_ended, 0, SCENE_MODELS);
	tcase_add_loop_test(
	    tc, b4_chat_that_reads_slowly_but_steadily_gets_everything, 0, SCENE_MODELS);
	tcase_add_loop_test(
	    tc, chats_that_do_not_read_hold_no_place_and_break_no_robot, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, chat_that_leaves_in_mid_stream_ends_the_transfer, 0, SCENE_MODELS);
	tcase_add_test(tc, chat_that_closes_in_order_in_mid_stream_ends_the_transfer);
	tcase_add_loop_test(tc, answer_ends_at_the_limit_of_its_size, 0, 1);
	tcase_add_loop_test(
	    tc, answer_ends_at_the_limit_of_its_size_however_fast_it_comes, 0, SCENE_MODELS);
	return suite;
}
