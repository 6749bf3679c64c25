/* test_load.c - the big one: 200 chats talk without pause while all that can change changes. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"

#include <stdio.h>
#include <string.h>

enum { CHATS = 200, RELOADS = 10, ROUND_MS = 20000 };

/* Each chat has one question under way at a time, so that answer k must belong to question k. */
struct talker {
	struct peer *p;
	int asked, answered; /* questions so far */
	int key;             /* the key its last answer was bought with */
	int generation;      /* of the settings, when its last question was asked */
	int old_generation;  /* as sent with the one under way */
	bool gone;           /* told goodbye by a worker that left */
};

struct load {
	struct server *s;
	struct fakebot *b;
	struct talker talkers[CHATS];
	int generation; /* settings the server confirmed */
	int n_answers, n_bye;
};

/* The door moves between two ports, the pool between two and four, and each round has a key of its
 * own: the robot's echo tells by whose last two digits it was paid. */
static void
configure(struct load *l, int round)
{
	server_config(l->s,
	    PLAIN "workers = %d; limits = { messages_per_minute = 0; };\n"
		  "listen = ( { address = \"$ADDR\"; port = %d; } );\n"
		  "robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = "
		  "\"0123456789abcdef0123456789abcd%02d\"; } );\n",
	    2 + round % 3, 9999 - round % 2, round);
}

static void
ask(struct load *l, struct talker *t)
{
	char question[32];
	int n = snprintf(question, sizeof question, "me::q%d\n", ++t->asked);

	t->old_generation = l->generation;
	peer_push(t->p, question, (size_t)n); /* the worker may just be leaving: hear() judges */
}

static void
hear_answer(struct load *l, struct talker *t, const char *line)
{
	int number, key;

	if (strncmp(line, "BYE shutdown ", 13) == 0) {
		t->gone = true;
		l->n_bye++;
		return;
	}
	if (sscanf(line, "echo:q%d by %d", &number, &key) != 2)
		ck_abort_msg("question %d: unexpected answer \"%s\"", t->asked, line);
	ck_assert_int_eq(number, t->asked);
	if (key < t->old_generation)
		ck_abort_msg("asked after reload %d, paid with key %d", t->old_generation, key);
	ck_assert_int_ge(key, t->key);
	t->key = key;
	t->answered = number;
	l->n_answers++;
}

static void
hear(struct load *l, struct talker *t)
{
	enum peer_got got;
	const char *line;

	do {
		got = t->p->ended ? PEER_NOTHING : peer_fill(t->p);
		while (!t->gone && (line = peer_take_line(t->p)) != NULL) {
			hear_answer(l, t, line);
			if (!t->gone)
				ask(l, t);
		}
	} while (got == PEER_BYTES);
	if (got == PEER_RESET || (got == PEER_END && !t->gone))
		ck_abort_msg("a chat was dropped after %d answers", t->answered);
}

static bool
everybody_heard(const struct load *l, const int *goals)
{
	for (int i = 0; i < CHATS; i++)
		if (!l->talkers[i].gone && l->talkers[i].answered < goals[i])
			return false;
	return true;
}

/* Talk on until the server has told the outcome and everybody got two answers more. */
static void
talk(struct load *l, const char *outcome, int n_outcomes)
{
	int64_t by_ms = lapse_now_ms() + ROUND_MS, looked_ms = 0;
	struct peer *peers[CHATS];
	int goals[CHATS];
	bool told = false;

	for (int i = 0; i < CHATS; i++) {
		peers[i] = l->talkers[i].p;
		goals[i] = l->talkers[i].answered + 2;
	}
	while (!told || !everybody_heard(l, goals)) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("%s", told ? "a chat got no answer" : outcome);
		peer_wait_any(peers, CHATS, 20);
		for (int i = 0; i < CHATS; i++)
			hear(l, &l->talkers[i]);
		if (!told && lapse_now_ms() - looked_ms > 20) {
			told = server_count_log(l->s, outcome) >= n_outcomes;
			looked_ms = lapse_now_ms();
		}
	}
}

/* Those whose worker left come back, as their users would. */
static void
return_all(struct load *l, int port)
{
	for (int i = 0; i < CHATS; i++) {
		struct talker *t = &l->talkers[i];

		if (t->p != NULL && !t->gone)
			continue;
		if (t->p != NULL)
			peer_close(t->p);
		*t = (struct talker){ .p = scene_chat_at(l->s, port) };
		ask(l, t);
	}
}

static void
reload(struct load *l, int round)
{
	configure(l, round);
	server_hup(l->s);
	talk(l, "ev=reload result=ok", round);
	l->generation = round;
	talk(l, "ev=reload result=ok", round);
	return_all(l, 9999 - round % 2);
}

static void
reload_broken(struct load *l, int nth, const char *text)
{
	int workers = l->s->workers;

	server_config(l->s, "%s", text);
	server_hup(l->s);
	talk(l, "ev=reload result=rejected", nth);
	l->s->workers = workers;
}

/* Those with a question under way get its answer, nothing else comes. */
static void
finish(struct load *l)
{
	for (int i = 0; i < CHATS; i++) {
		struct talker *t = &l->talkers[i];

		if (t->gone)
			continue;
		hear_answer(l, t, peer_line(t->p));
		ck_assert_uint_eq(t->p->in.len, 0);
		ck_assert_int_eq(t->asked, t->answered);
	}
}

START_TEST(two_hundred_chats_talk_through_ten_reloads_and_three_broken_files)
{
	static struct load l;

	l.s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE
	    "robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = "
	    "\"0123456789abcdef0123456789abcd00\"; } );\n");
	l.b = scene_bot(l.s);
	fakebot_play(l.b, &(struct fakebot_script){ .name_key = true });
	return_all(&l, 9999);
	for (int round = 1; round <= RELOADS; round++) {
		reload(&l, round);
		if (round == 2)
			reload_broken(&l, 1, "workers = 3;\n}} no file of ours\n");
		if (round == 5)
			reload_broken(&l, 2, PLAIN POOL(2) TURING_WITH("", "") DOOR(9999));
		if (round == 8)
			reload_broken(&l, 3, PLAIN POOL(2) TURING DOOR(99999));
	}
	finish(&l);
	ck_assert_int_eq(fakebot_requests(l.b), l.n_answers);
	ck_assert_int_eq(l.n_bye, 0);
	peer_close_all();
	l.s->worker_slack = CHATS;
	server_wait_workers(l.s, l.s->workers, SERVER_MS);
	configure(&l, 12); /* two workers and port 9999 again, as at the baseline */
	server_reload_ok(l.s);
	scene_end(l.s, l.b);
}
END_TEST

Suite *
load_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *tc = scene_case(suite, "reload");

	tcase_set_timeout(tc, 4 * SCENE_TIMEOUT_S);
	tcase_add_test(tc, two_hundred_chats_talk_through_ten_reloads_and_three_broken_files);
	return suite;
}
