/* test_torture.c - memory that is not there (FAULTS E11): each allocation fails in turn, in a
 * worker that serves, in one that starts, in the child that parses and in the master. Nothing but
 * whole answers and failures that say so is heard, other workers' chats do not notice, and when
 * memory is back the server is well. With XIAOTU_SOAK each allocation of all, otherwise some. */
#include "e2e/crowd.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/procfs.h"
#include "lib/torture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sanitizers have an allocator of their own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_TORTURE
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define NO_TORTURE
#endif

#if !defined(NO_TORTURE)

/* DEATHS: of workers, before the master makes a pause. */
enum { DEATHS = 3, MOST_CHATS = 400, GONE_MS = 3000, TIMEOUT_S = 900 };

/* A request that nobody remembers is over when its time is. */
#define TIMERS   "connect_timeout = 1; first_byte_timeout = 2; gap_timeout = 2; total_timeout = 3;"
#define ROBOTS   "robots = ( " MODEL_ROBOT(TIMERS) ", " HELLO_ROBOT " );\n"
#define TORTURED PLAIN POOL(2) DOOR(9999) NO_RATE ROBOTS

/* A dialect: the first message, the next ones, what the model answers, and the only other things
 * that may be heard. */
struct tongue {
	const char *first, *next, *answer, *other, *fail;
};

static const struct tongue tongues[] = {
	{ "me::hi\n", "hi\n", "echo:hi", "Hello, hi!", "ERR robot-" },
	{ "{\"user\":\"me\",\"text\":\"hi\"}\n", "{\"text\":\"hi\"}\n",
	    "{\"robot\":\"model\",\"text\":\"echo:hi\"}",
	    "{\"robot\":\"hello\",\"text\":\"Hello, hi!\"}", "{\"error\":{\"code\":\"robot-" },
};

struct stage {
	struct server *s;
	struct torture *t;
	struct fakebot *b;
	const struct tongue *tongue;
	struct peer *chats[2]; /* with different workers */
	pid_t workers[2];
	int n_deaths;
};

/* The step from one tortured allocation to the next. */
static int
step(int of)
{
	return getenv("XIAOTU_SOAK") ? 1 : of;
}

static void
start(struct stage *st, const char *config)
{
	st->s = server_new("%s", config);
	st->t = torture_new(st->s);
	server_run(st->s);
	server_wait_ready(st->s);
	st->s->may_crash = true;
}

/* One that has just come may be slower than the test for a while. */
static void
open_chats(struct stage *st)
{
	for (int i = 0; i < MOST_CHATS; i++) {
		int k = i > 0;

		st->chats[k] = scene_chat(st->s);
		st->workers[k] = server_worker_of(st->s, peer_port(st->chats[k]));
		if (k && st->workers[0] != st->workers[1])
			break;
		procfs_tick();
	}
	ck_assert_int_ne(st->workers[0], st->workers[1]);
	for (int i = 0; i < 2; i++) {
		peer_send(st->chats[i], st->tongue->first);
		ck_assert_str_eq(peer_line(st->chats[i]), st->tongue->answer);
	}
}

static void
begin(struct stage *st, const struct tongue *tongue)
{
	*st = (struct stage){ .tongue = tongue };
	start(st, TORTURED);
	st->b = scene_bot(st->s);
	open_chats(st);
}

static void
end(struct stage *st)
{
	scene_end(st->s, st->b);
	torture_free(st->t);
}

/* --- what is heard --------------------------------------------------------------------------- */

/* The next line, or NULL: the stream has ended. */
static const char *
hear(struct peer *p)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	const char *line;

	while ((line = peer_take_line(p)) == NULL) {
		enum peer_got got = peer_fill(p);

		if (got == PEER_END || got == PEER_RESET)
			return NULL;
		ck_assert_msg(lapse_now_ms() < by_ms, "it hangs");
		if (got == PEER_NOTHING)
			peer_wait_any(&p, 1, 100);
	}
	return line;
}

static bool
begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* An answer, of whichever robot; or its beginning and why there is no more; or the end. Returns
 * false: the chat is over. */
static bool
makes_sense(const struct stage *st, struct peer *p)
{
	const struct tongue *t = st->tongue;
	const char *line = hear(p);

	if (line == NULL)
		return false;
	if (strcmp(line, t->answer) == 0 || strcmp(line, t->other) == 0 || begins(line, t->fail))
		return true;
	ck_assert_msg(begins(t->answer, line), "what is this? %s", line);
	line = hear(p);
	ck_assert_msg(
	    line == NULL || begins(line, t->fail), "a part of an answer, and then: %s", line);
	return line != NULL;
}

/* --- a worker that serves -------------------------------------------------------------------- */

/* Is it dead? Then another one has come for it, unless it is time to begin anew. */
static void
note_death(struct stage *st, pid_t worker)
{
	if (!procfs_wait_gone(worker, GONE_MS))
		return;
	(void)server_wait_log(st->s, "ev=worker_exit");
	if (++st->n_deaths < DEATHS)
		(void)server_wait_log(st->s, "ev=worker_ready");
}

/* The chat goes on with one allocation failing. Returns false: there is none of that number. */
static bool
talk_without(struct stage *st, int64_t nth)
{
	const char *next = st->tongue->next;
	bool lives;

	torture_begin(st->t, TORTURE_ONE, st->workers[1], nth, 0);
	peer_push(st->chats[1], next, strlen(next));
	lives = makes_sense(st, st->chats[1]);
	if (torture_end(st->t) == 0)
		return false;
	/* It is well again, or replaced. */
	if (lives) {
		peer_push(st->chats[1], next, strlen(next));
		lives = makes_sense(st, st->chats[1]);
	}
	if (!lives)
		note_death(st, st->workers[1]);
	peer_send(st->chats[0], next);
	ck_assert_str_eq(peer_line(st->chats[0]), st->tongue->answer);
	return true;
}

static void
go_on(struct stage *st)
{
	if (st->n_deaths >= DEATHS) {
		end(st);
		begin(st, st->tongue);
		return;
	}
	peer_close_all();
	open_chats(st);
}

START_TEST(e11_each_allocation_of_an_answer_fails_in_turn)
{
	struct stage st;
	int64_t nth = 1;

	begin(&st, &tongues[_i]);
	while (talk_without(&st, nth)) {
		nth += step(5);
		go_on(&st);
	}
	ck_assert_int_gt(nth, 1);
	end(&st);
}
END_TEST

/* A chat begins with one allocation failing, and says something. */
static bool
enter_without(struct stage *st, int64_t nth)
{
	struct peer *p;
	const char *line;
	bool lives;

	torture_begin(st->t, TORTURE_ONE, st->workers[0], nth, 0);
	p = peer_open(st->s->address, SERVER_PORT);
	line = hear(p);
	ck_assert_msg(line == NULL || strcmp(line, "Welcome") == 0, "what is this? %s", line);
	if (line)
		peer_push(p, st->tongue->first, strlen(st->tongue->first));
	lives = line && makes_sense(st, p);
	if (torture_end(st->t) == 0)
		return false;
	if (lives) {
		peer_push(p, st->tongue->next, strlen(st->tongue->next));
		lives = makes_sense(st, p);
	}
	peer_close(p);
	if (!lives)
		note_death(st, st->workers[0]);
	return true;
}

static void
begin_alone(struct stage *st)
{
	*st = (struct stage){ .tongue = &tongues[0] };
	start(st, ONE_WORKER ROBOTS);
	st->b = scene_bot(st->s);
}

START_TEST(e11_each_allocation_of_a_new_chat_fails_in_turn)
{
	struct stage st;
	int64_t nth = 1;
	pid_t pids[SERVER_WORKERS_MAX];

	begin_alone(&st);
	for (;; nth += step(3)) {
		if (st.n_deaths >= DEATHS) {
			end(&st);
			begin_alone(&st);
		}
		ck_assert_int_eq(server_pids(st.s, pids), 1);
		st.workers[0] = pids[0];
		if (!enter_without(&st, nth))
			break;
	}
	ck_assert_int_gt(nth, 1);
	end(&st);
}
END_TEST

/* --- a worker that leaves, and the one that takes its chats ---------------------------------- */

static bool
move_without(int which, int64_t nth)
{
	struct stage st;
	int64_t n_failed;

	begin(&st, &tongues[0]);
	torture_begin(st.t, TORTURE_ONE, st.workers[which], nth, 0);
	server_signal(st.s, SIGTTOU);
	server_wait_workers(st.s, 1, SERVER_MS);
	n_failed = torture_end(st.t);
	/* One may be over, with its worker. */
	for (int i = 0; i < 2; i++) {
		peer_push(st.chats[i], "hi\n", 3);
		ck_assert(makes_sense(&st, st.chats[i]) || n_failed > 0);
	}
	server_signal(st.s, SIGTTIN);
	server_wait_workers(st.s, 2, SERVER_MS);
	end(&st);
	return n_failed > 0;
}

START_TEST(e11_each_allocation_of_a_move_fails_in_turn)
{
	int64_t nth = 1;

	while (move_without(_i, nth))
		nth += step(4);
}
END_TEST

/* --- a worker that starts -------------------------------------------------------------------- */

START_TEST(e11_workers_that_cannot_start_come_when_memory_is_back)
{
	struct stage st = { .tongue = &tongues[0] };

	begin(&st, &tongues[0]);
	torture_begin(st.t, TORTURE_NEW, 0, 1, 1);
	ck_assert_int_eq(kill(st.workers[1], SIGKILL), 0);
	(void)server_wait_log(st.s, "ev=worker_retry");
	peer_send(st.chats[0], "hi\n");
	peer_expect(st.chats[0], "echo:hi\n");
	ck_assert_int_gt(torture_end(st.t), 0);
	(void)server_wait_log(st.s, "ev=worker_ready");
	peer_close_all();
	open_chats(&st);
	end(&st);
}
END_TEST

/* --- the child that parses ------------------------------------------------------------------- */

#define GREETS(text)                                                                               \
	"language = \"en\"; greeting = \"" text "\\n\"; workers = 2; control = \"$DIR/c\";\n"
#define HELLO_DOOR DOOR(9999) NO_RATE HELLO

/* What it took is all there, what it refused changed nothing. Returns false: it did not fail. */
static bool
reload_without(struct stage *st, int64_t nth, const char **greeting)
{
	const char *next = strcmp(*greeting, "One") == 0 ? "Two" : "One";
	struct peer *p;

	server_config(
	    st->s, strcmp(next, "One") == 0 ? GREETS("One") HELLO_DOOR : GREETS("Two") HELLO_DOOR);
	torture_begin(st->t, TORTURE_NEW, 0, nth, 0);
	server_hup(st->s);
	if (strstr(server_wait_log(st->s, "ev=reload result="), "result=ok") != NULL)
		*greeting = next;
	p = peer_open(st->s->address, SERVER_PORT);
	ck_assert_str_eq(peer_line(p), *greeting);
	scene_hello(p, "me::hi");
	peer_close(p);
	return torture_end(st->t) > 0;
}

START_TEST(e11_each_allocation_of_the_child_that_parses_fails_in_turn)
{
	struct stage st = { .n_deaths = 0 };
	const char *greeting = "One";
	int64_t nth = 1;

	start(&st, GREETS("One") HELLO_DOOR);
	while (reload_without(&st, nth, &greeting))
		nth += step(17);
	ck_assert_int_gt(nth, 17);
	ck_assert_int_gt(server_count_log(st.s, "ev=reload result=rejected"), 0);
	end(&st);
}
END_TEST

/* --- the master ------------------------------------------------------------------------------ */

/* Wait until the reload is over in one way or another. Returns false: the master is dead. */
static bool
survives_reload(struct server *s)
{
	for (int64_t by_ms = lapse_now_ms() + SERVER_MS; lapse_now_ms() < by_ms;) {
		if (procfs_wait_gone(s->pid, 10))
			return false;
		if (server_count_log(s, "ev=reload result=") > 0)
			return true;
	}
	ck_abort_msg("it hangs");
	return false;
}

/* Dead or alive: nobody is left behind, and the door can be had at once, as the next one shows.
 * Returns false: no allocation failed. */
static bool
master_without(int64_t nth)
{
	struct stage st = { .n_deaths = 0 };
	int64_t n_failed;
	bool lives;

	start(&st, GREETS("One") HELLO_DOOR);
	server_config(st.s, GREETS("Two") HELLO_DOOR);
	torture_begin(st.t, TORTURE_ONE, st.s->pid, nth, 0);
	server_hup(st.s);
	lives = survives_reload(st.s);
	n_failed = torture_end(st.t);
	if (lives) {
		scene_end(st.s, NULL);
	} else {
		/* We abort; libconfig follows the null pointer, or exits. */
		ck_assert_int_ne(server_wait_exit(st.s), 0);
		server_end(st.s);
	}
	torture_free(st.t);
	return n_failed > 0;
}

START_TEST(e11_each_allocation_of_the_master_fails_in_turn)
{
	int64_t nth = 1;

	while (master_without(nth))
		nth += step(37);
	ck_assert_int_gt(nth, 1);
}
END_TEST

#endif

Suite *
torture_suite(void)
{
	Suite *suite = suite_create("torture");
#if !defined(NO_TORTURE)
	TCase *tc = scene_case(suite, "memory");

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_loop_test(tc, e11_each_allocation_of_an_answer_fails_in_turn, 0, 2);
	tcase_add_test(tc, e11_each_allocation_of_a_new_chat_fails_in_turn);
	tcase_add_loop_test(tc, e11_each_allocation_of_a_move_fails_in_turn, 0, 2);
	tcase_add_test(tc, e11_workers_that_cannot_start_come_when_memory_is_back);
	tcase_add_test(tc, e11_each_allocation_of_the_child_that_parses_fails_in_turn);
	tcase_add_test(tc, e11_each_allocation_of_the_master_fails_in_turn);
#endif
	return suite;
}
