/* test_packed.c - replies that come packed, and bombs among them (FAULTS, row C12). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/mem.h"
#include "lib/procfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = FAKEBOT_BODY_BYTES };

/* Memory that a worker may take for a reply it refuses; sanitizers keep what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { GROWTH_KIB = 32 << 10 };
#else
enum { GROWTH_KIB = 2 << 10 };
#endif

/* A hundred megabytes take three times as long. */
enum { MOST_CPU_MS = 100 };

/* The most memory that any worker had so far. */
static int64_t
most_kib(struct server *s)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int64_t most = 0;

	for (int i = server_pids(s, pids); i-- > 0;) {
		int64_t kib = procfs_memory_kib(pids[i], "VmHWM:");

		most = kib > most ? kib : most;
	}
	return most;
}

/* What a shell prints, behind a head that says it is packed. Returns its length. */
static size_t
packed(struct server *s, int status, const char *shell, const char *encoding, char *raw)
{
	char path[128], command[512];
	size_t n, n_head;
	FILE *f;

	snprintf(path, sizeof path, "%s/packed", s->folder);
	snprintf(command, sizeof command, "%s > '%s'", shell, path);
	scene_exits(s, 0, ARGS("sh", "-c", command));
	n_head = (size_t)sprintf(raw,
	    "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\n\r\n",
	    status, encoding);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	n = fread(raw + n_head, 1, BODY_BYTES - n_head, f);
	fclose(f);
	return n_head + n;
}

#define BOMB                                                                                       \
	"{ printf '{\"code\":100000,\"text\":\"'; head -c 100000000 /dev/zero | tr '\\0' x; "      \
	"printf '\"}'; } | gzip -1"

START_TEST(c12_a_hundred_megabytes_in_a_small_packet_are_cut)
{
	struct server *s =
	    server_start(ONE_WORKER "%s", _i == 0 ? TURING : MODEL("openai", "stream = false;"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char *raw = mem_zalloc(BODY_BYTES);
	size_t n = packed(s, 200, BOMB, "gzip", raw);
	int64_t before;

	scene_canary(s);
	ck_assert_uint_gt(n, 50000);
	ck_assert_uint_lt(n, BODY_BYTES - 100);
	peer_send(p, "me::hi\n"); /* the robot's memory is there */
	peer_expect(p, "echo:hi\n");
	before = most_kib(s);
	fakebot_play(b, &(struct fakebot_script){ .raw = raw, .n_raw = n });
	peer_send(p, "hi\n");
	peer_expect_prefix(p, "ERR robot-bad-reply ");
	ck_assert_int_lt(most_kib(s) - before, GROWTH_KIB);
	free(raw);
	fakebot_echo(b);
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

#define SMALL "printf '{\"code\":100000,\"text\":\"unpacked\"}' | gzip -1"

START_TEST(c12_packed_once_is_read_and_six_times_is_not)
{
	static const struct {
		const char *shell, *encoding, *answer;
	} packs[] = {
		{ SMALL, "gzip", "unpacked" },
		{ SMALL "| gzip | gzip | gzip | gzip | gzip", "gzip,gzip,gzip,gzip,gzip,gzip",
		    "ERR robot-bad-reply " },
		{ SMALL, "zz", "ERR robot-bad-reply " },
		{ "printf garbage", "gzip", "ERR robot-bad-reply " },
	};
	struct server *s = server_start(ONE_WORKER TURING);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char *raw = mem_zalloc(BODY_BYTES);
	size_t n = packed(s, 200, packs[_i].shell, packs[_i].encoding, raw);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .raw = raw, .n_raw = n });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, packs[_i].answer);
	free(raw);
	scene_end(s, b);
}
END_TEST

/* Nothing of it is said, but unpacking it takes a worker as long as it is large. */
#define BLANKS "head -c 100000000 /dev/zero | tr '\\0' ' ' | gzip -1"

START_TEST(c12_bomb_that_says_nothing_costs_nobody_time)
{
	static const struct {
		int status;
		const char *answer;
	} bombs[] = { { 404, "ERR robot-refused " }, { 200, "ERR robot-bad-reply " } };
	struct server *s =
	    server_start(ONE_WORKER "%s", _i < 2 ? TURING : MODEL("openai", "stream = true;"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));
	char *raw = mem_zalloc(BODY_BYTES);
	size_t n_bomb, n = packed(s, bombs[_i % 2].status, BLANKS, "gzip", raw);
	size_t n_head = (size_t)(strstr(raw, "\r\n\r\n") + 4 - raw);
	int64_t before_ms;

	scene_canary(s);
	for (n_bomb = n - n_head; n + n_bomb <= BODY_BYTES; n += n_bomb)
		memcpy(raw + n, raw + n_head, n_bomb);
	fakebot_play(b, &(struct fakebot_script){ .raw = raw, .n_raw = n });
	before_ms = procfs_cpu_ms(worker);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, bombs[_i % 2].answer);
	ck_assert_int_lt(procfs_cpu_ms(worker) - before_ms, MOST_CPU_MS);
	free(raw);
	scene_end(s, b);
}
END_TEST

Suite *
packed_suite(void)
{
	Suite *suite = suite_create("packed");
	TCase *tc = scene_case(suite, "packed");

	tcase_add_loop_test(tc, c12_a_hundred_megabytes_in_a_small_packet_are_cut, 0, 2);
	tcase_add_loop_test(tc, c12_packed_once_is_read_and_six_times_is_not, 0, 4);
	tcase_add_loop_test(tc, c12_bomb_that_says_nothing_costs_nobody_time, 0, 4);
	return suite;
}
