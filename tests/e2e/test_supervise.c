/* test_supervise.c - workers that hang, cannot start or are replaced all the time (FAULTS, rows E
 * and D). */
#include "e2e/crowd.h"
#include "e2e/moving.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"
#include "lib/tracer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CROWD = 50,
	SIGNALS = 10000,
	HUPS = 1000,
	BATCH = 100,
	ROUNDS = 15,
	RESPAWNS = 1000,
	HELD = 20,
	ID_BYTES = 64
};

#define BEATS(ms) "timeouts = { heartbeat = \"" #ms "ms\"; };\n"

/* How long a process stands still is the fault itself, nothing is waited for. */
static void
stand_still(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	ck_assert_int_eq(nanosleep(&t, NULL), 0);
}

/* More of it in `make soak`. */
static int
times(void)
{
	return getenv("XIAOTU_SOAK") ? 5 : 1;
}

static void
signal_all(const pid_t *pids, int n, int number)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(pids[i], number), 0);
}

/* --- hanging --------------------------------------------------------------------------------- */

START_TEST(e6_hung_worker_is_killed_and_replaced_and_others_are_unaffected)
{
	struct server *s = server_start(HELLO_SERVER BEATS(2000));
	struct peer *hung = scene_chat(s), *well;
	pid_t victim, pids[SERVER_WORKERS_MAX];
	int64_t began;

	scene_hello(hung, "me::hi");
	victim = server_worker_of(s, peer_port(hung));
	ck_assert_int_eq(kill(victim, SIGSTOP), 0);
	began = lapse_now_ms();
	well = scene_chat(s);
	for (int i = 0; i < 20; i++)
		scene_hello(scene_chat(s), "me::new");
	ck_assert(strstr(server_wait_log(s, "ev=worker_killed why=hung"), "slot=") != NULL);
	ck_assert_int_ge(lapse_now_ms() - began, 900);
	ck_assert(procfs_wait_gone(victim, SERVER_MS));
	peer_drop(hung);
	server_wait_workers(s, 2, SERVER_MS);
	for (int i = 0; i < server_pids(s, pids); i++)
		ck_assert_int_ne(pids[i], victim);
	scene_hello(well, "me::still here");
	scene_hello(scene_chat(s), "me::new");
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 1);
	s->may_crash = true;
	scene_end(s, NULL);
}
END_TEST

START_TEST(e6_worker_that_goes_on_in_time_is_not_killed)
{
	struct server *s = server_start(HELLO_SERVER BEATS(2500));
	struct peer *p = scene_chat(s);
	pid_t victim;

	scene_hello(p, "me::hi");
	victim = server_worker_of(s, peer_port(p));
	for (int i = 0; i < times(); i++) {
		ck_assert_int_eq(kill(victim, SIGSTOP), 0);
		stand_still(1200);
		ck_assert_int_eq(kill(victim, SIGCONT), 0);
		scene_hello(p, "still here");
		stand_still(1100); /* its heart beats once a second */
	}
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	scene_end(s, NULL);
}
END_TEST

/* A heart beats once a second; a shorter limit must be refused, or mean something else. */
START_TEST(e6_limit_shorter_than_a_beat_kills_nobody)
{
	struct server *s = server_new(HELLO_SERVER BEATS(300));
	struct scene_done d = scene_run(s, NULL, ARGS("xiaotud", "-t", "-c", "$CONF"));

	if (d.status == 0) {
		server_run(s);
		server_wait_ready(s);
		stand_still(3500);
		ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
		scene_end(s, NULL);
	} else {
		ck_assert_ptr_nonnull(strstr(d.err, "heartbeat"));
		server_end(s);
	}
	scene_free(&d);
}
END_TEST

START_TEST(e17_master_that_stood_still_kills_nobody)
{
	struct server *s = server_start(HELLO_SERVER BEATS(2000));
	pid_t before[SERVER_WORKERS_MAX], after[SERVER_WORKERS_MAX];
	struct peer *p = scene_chat(s);
	int n = server_pids(s, before);

	server_signal(s, SIGSTOP);
	stand_still(3000);
	scene_hello(p, "me::hi");
	server_signal(s, SIGCONT);
	stand_still(1200); /* the master looks once a second */
	scene_hello(p, "still here");
	ck_assert_int_eq(server_pids(s, after), n);
	ck_assert_int_eq(memcmp(before, after, (size_t)n * sizeof *before), 0);
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	scene_end(s, NULL);
}
END_TEST

/* As when the machine sleeps; and the master wakes up first. */
START_TEST(e17_machine_that_slept_kills_nobody)
{
	struct server *s = server_start(HELLO_SERVER BEATS(2000));
	pid_t pids[SERVER_WORKERS_MAX];
	struct peer *p = scene_chat(s);
	int n = server_pids(s, pids);

	scene_hello(p, "me::hi");
	signal_all(pids, n, SIGSTOP);
	server_signal(s, SIGSTOP);
	stand_still(3200); /* it is a pause when the master was late by 3 s */
	server_signal(s, SIGCONT);
	stand_still(1100);
	signal_all(pids, n, SIGCONT);
	scene_hello(p, "still here");
	stand_still(2500);
	scene_hello(p, "and still");
	ck_assert_int_eq(server_count_log(s, "ev=worker_killed"), 0);
	scene_end(s, NULL);
}
END_TEST

/* --- starting -------------------------------------------------------------------------------- */

/* A worker cannot give up new privileges: that is as fatal as anything else. */
START_TEST(e7_server_whose_workers_cannot_start_backs_off_and_gives_up)
{
	struct server *s = server_new(HELLO_SERVER);
	int64_t began = lapse_now_ms();
	char script[512];

	ck_assert_int_lt(snprintf(script, sizeof script,
			     "#!/bin/sh\nexec strace -D -f -qq -o /dev/null -e "
			     "inject=prctl:error=EPERM %s \"$@\"\n",
			     server_program("xiaotud")),
	    (int)sizeof script);
	moving_program(s, script, 0755);
	ck_assert_int_eq(setenv("XIAOTU_BIN", s->folder, 1), 0);
	server_run(s);
	if (!procfs_wait_gone(s->pid, 2 * SERVER_STOP_MS))
		ck_abort_msg("it does not give up");
	ck_assert_int_eq(server_wait_exit(s), 1);
	s->may_alert = true;
	s->may_crash = true; /* who is just starting then is killed */
	if (server_count_log(s, "strace") > 0) {
		fprintf(stderr, "SKIPPED for want of strace: E7\n");
	} else {
		ck_assert_int_ge(server_count_log(s, "ev=giving_up"), 1);
		ck_assert_int_ge(server_count_log(s, "ev=worker_failed privileges"), 5);
		ck_assert_int_ge(server_count_log(s, "ev=worker_retry"), 2);
		ck_assert_int_lt(server_count_log(s, "ev=worker_exit"), 10); /* forks */
		ck_assert_int_ge(lapse_now_ms() - began, 3000);
	}
	server_end(s);
}
END_TEST

/* Three deaths are free, then the pauses grow: nothing is forked in a storm. */
START_TEST(e7_worker_that_dies_again_and_again_is_replaced_more_and_more_slowly)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE HELLO);
	pid_t pids[SERVER_WORKERS_MAX];
	char words[64];

	s->may_crash = true;
	for (int i = 1; i <= 5; i++) {
		ck_assert_int_eq(server_pids(s, pids), 1);
		ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
		if (i > 3) {
			snprintf(words, sizeof words, "ev=worker_retry seconds=%d", i - 3);
			(void)server_wait_log(s, words);
		}
		(void)server_wait_log(s, "ev=worker_ready");
	}
	ck_assert_int_eq(server_count_log(s, "ev=worker_retry"), 2);
	ck_assert_int_eq(server_count_log(s, "ev=worker_exit"), 5);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(d15_hup_while_a_worker_is_replaced_ends_with_all_on_the_new_settings)
{
	struct server *s = server_start(PLAIN POOL(3) DOOR(9999) NO_RATE HELLO);
	pid_t pids[SERVER_WORKERS_MAX];
	struct peer *p;
	char greeting[32];

	s->may_crash = true;
	for (int round = 0; round < 3; round++) {
		server_config(s,
		    POOL(3) DOOR(9999) NO_RATE HELLO
		    "language = \"en\"; greeting = \"Round %d\\n\"; "
		    "control = \"$DIR/control.sock\";\n",
		    round);
		ck_assert_int_eq(server_pids(s, pids), 3);
		ck_assert_int_eq(kill(pids[round], SIGKILL), 0);
		server_hup(s);
		while (strstr(server_wait_log(s, "ev=reload result="), "result=ok") == NULL)
			server_hup(s); /* it may have died while it prepared */
		server_wait_workers(s, 3, SERVER_MS);
		snprintf(greeting, sizeof greeting, "Round %d\n", round);
		for (int i = 0; i < 30; i++) {
			p = peer_open(s->address, SERVER_PORT);
			peer_expect(p, greeting);
		}
		peer_close_all();
	}
	scene_end(s, NULL);
}
END_TEST

/* While its replacement takes long to start, the pool becomes smaller: the old one leaves all the
 * same, and its chat with it. */
START_TEST(recycled_worker_leaves_although_the_pool_shrinks_meanwhile)
{
	struct server *s = server_start(HELLO_SERVER "recycle_after = 1;\n");
	struct peer *p = scene_chat(s);
	struct tracer t;
	pid_t tired;

	if (tracer_attach(&t, s->pid, true, "prctl:delay_enter=300000", NULL)) {
		tired = server_worker_of(s, peer_port(p));
		scene_hello(p, "me::hi");
		scene_hello(p, "one more"); /* the second worker is tired after two */
		(void)server_wait_log(s, "ev=worker_recycled");
		server_signal(s, SIGTTOU);
		(void)server_wait_log(s, "ev=resize workers=1");
		server_wait_workers(s, 1, SERVER_MS);
		ck_assert(procfs_wait_gone(tired, 0));
		tracer_detach(&t);
		server_config(s, "%s", HELLO_SERVER);
		server_reload_ok(s);
		scene_hello(p, "still here");
		server_signal(s, SIGTTIN);
		server_wait_workers(s, 2, SERVER_MS);
	}
	scene_end(s, NULL);
}
END_TEST

/* Descriptors of a worker that starts among busy ones are those of one that starts alone; and no
 * two requests of all their lives have the same id. */
START_TEST(e16_new_worker_has_nothing_of_the_others_and_request_ids_are_its_own)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) NO_RATE ECHOES);
	struct fakebot *b = scene_bot(s);
	pid_t pids[SERVER_WORKERS_MAX], first;
	int n_fresh, rounds = getenv("XIAOTU_SOAK") ? RESPAWNS : ROUNDS;
	char(*ids)[ID_BYTES] = mem_zalloc((size_t)(HELD + rounds) * ID_BYTES);
	struct peer *held[HELD], *p;

	ck_assert_int_eq(server_pids(s, pids), 1);
	first = pids[0];
	n_fresh = procfs_descriptors(first);
	fakebot_play(b, &(struct fakebot_script){ .only = "hold", .hold = true });
	for (int i = 0; i < HELD; i++) {
		held[i] = scene_chat(s);
		peer_send(held[i], "me::hold\n");
	}
	fakebot_wait_requests(b, HELD);
	for (int i = 0; i < HELD; i++)
		memcpy(ids[i], fakebot_record(b, i).id, ID_BYTES);
	for (int i = 0; i < rounds; i++) {
		server_signal(s, SIGTTIN);
		(void)server_wait_log(s, "ev=worker_ready");
		ck_assert_int_eq(server_pids(s, pids), 2);
		ck_assert_int_eq(procfs_descriptors(pids[0] == first ? pids[1] : pids[0]), n_fresh);
		p = scene_chat(s);
		peer_send(p, "me::hi\n");
		peer_expect(p, "echo:hi\n");
		peer_close(p);
		memcpy(ids[HELD + i], fakebot_record(b, HELD + i).id, ID_BYTES);
		server_signal(s, SIGTTOU);
		server_wait_workers(s, 1, SERVER_MS);
	}
	for (int i = 0; i < HELD + rounds; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(ids[i], ids[k]);
	free(ids);
	fakebot_release(b);
	for (int i = 0; i < HELD; i++)
		peer_expect(held[i], "echo:hold\n");
	s->worker_slack = 40;
	scene_end(s, b);
}
END_TEST

/* --- signals --------------------------------------------------------------------------------- */

START_TEST(e14_ten_thousand_mixed_signals_under_load_end_in_good_health)
{
	static const int mixed[] = { SIGHUP, SIGTTIN, SIGUSR1, SIGTTOU, SIGCHLD, SIGTTOU, SIGPIPE,
		SIGHUP, SIGWINCH, SIGTTOU };
	struct server *s = server_start(PLAIN POOL(3) DOOR(9999) NO_RATE ECHOES QUIET);
	struct fakebot *b = scene_bot(s);
	struct crowd *c = crowd_open(s, CROWD);
	int n;

	for (int i = 0; i < SIGNALS; i++) {
		server_signal(s, mixed[i % 10]);
		if (i % BATCH == 0)
			crowd_talk(c, NULL, 0);
	}
	crowd_talk(c, "ev=reload result=ok", 1);
	server_config(s, "%s", PLAIN POOL(2) DOOR(9999) NO_RATE ECHOES QUIET);
	server_hup(s);
	crowd_talk(c, "ev=reload result=ok workers", 1);
	crowd_talk_until_workers(c, 2);
	server_config(s, "%s", PLAIN POOL(3) DOOR(9999) NO_RATE ECHOES QUIET);
	server_hup(s);
	crowd_talk(c, "ev=reload result=ok workers", 2);
	crowd_talk_until_workers(c, 3);
	n = crowd_finish(c);
	ck_assert_int_eq(fakebot_requests(b), n);
	crowd_close(c);
	s->worker_slack = 2 * CROWD;
	scene_end(s, b);
}
END_TEST

START_TEST(d12_thousand_hups_under_load_are_coalesced_and_the_last_file_wins)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE ECHOES QUIET);
	struct fakebot *b = scene_bot(s);
	struct crowd *c = crowd_open(s, CROWD);
	struct peer *p;

	for (int i = 0; i < HUPS; i++) {
		server_hup(s);
		if (i % BATCH == 0)
			crowd_talk(c, NULL, 0);
	}
	server_config(s, "%s",
	    POOL(2) DOOR(9999) NO_RATE ECHOES QUIET
	    "language = \"en\"; greeting = \"Last\\n\"; control = \"$DIR/control.sock\";\n");
	server_hup(s);
	(void)server_wait_log(s, "ev=reload result=ok changed greeting");
	(void)crowd_finish(c);
	p = peer_open(s->address, SERVER_PORT);
	peer_expect(p, "Last\n");
	ck_assert_int_lt(server_count_log(s, "ev=reload result="), HUPS);
	ck_assert_int_eq(server_count_log(s, "ev=reload result=rejected"), 0);
	crowd_close(c);
	s->worker_slack = 2 * CROWD;
	scene_end(s, b);
}
END_TEST

Suite *
supervise_suite(void)
{
	Suite *suite = suite_create("supervise");
	TCase *tc = scene_case(suite, "hang");

	tcase_add_test(tc, e6_hung_worker_is_killed_and_replaced_and_others_are_unaffected);
	tcase_add_test(tc, e6_worker_that_goes_on_in_time_is_not_killed);
	tcase_add_test(tc, e6_limit_shorter_than_a_beat_kills_nobody);
	tcase_add_test(tc, e17_master_that_stood_still_kills_nobody);
	if (getenv("XIAOTU_SOAK"))
		tcase_add_test(tc, e17_machine_that_slept_kills_nobody);
	tc = scene_case(suite, "start");
	tcase_add_test(tc, e7_server_whose_workers_cannot_start_backs_off_and_gives_up);
	tcase_add_test(tc, e7_worker_that_dies_again_and_again_is_replaced_more_and_more_slowly);
	tcase_add_test(tc, d15_hup_while_a_worker_is_replaced_ends_with_all_on_the_new_settings);
	tcase_add_test(tc, recycled_worker_leaves_although_the_pool_shrinks_meanwhile);
	tcase_add_test(tc, e16_new_worker_has_nothing_of_the_others_and_request_ids_are_its_own);
	tc = scene_case(suite, "signal");
	tcase_add_test(tc, e14_ten_thousand_mixed_signals_under_load_end_in_good_health);
	tcase_add_test(tc, d12_thousand_hups_under_load_are_coalesced_and_the_last_file_wins);
	return suite;
}
