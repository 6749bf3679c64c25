/* crowd.c - see crowd.h. */
#include "e2e/crowd.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/moving.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { MOST_MS = 30000, LOOK_MS = 20 };

struct talker {
	struct peer *p;
	int number, asked, answered;
};

struct crowd {
	struct server *s;
	int n, n_answers;
	struct talker visitor; /* comes, is greeted, asks once, goes */
	bool greeted;
	struct talker *talkers;
	struct peer **peers; /* theirs, and the visitor's */
};

static void
ask(struct talker *t)
{
	peer_sendf(t->p, "me::chat %d question %d\n", t->number, ++t->asked);
}

static void
hear_answer(struct crowd *c, struct talker *t, const char *line)
{
	char expected[64];

	snprintf(expected, sizeof expected, "echo:chat %d question %d", t->number, t->asked);
	if (strcmp(line, expected) != 0)
		ck_abort_msg("expected \"%s\", heard \"%s\"", expected, line);
	t->answered = t->asked;
	c->n_answers++;
}

static void
check_stream(const struct talker *t, enum peer_got got)
{
	if (got == PEER_RESET || got == PEER_END)
		ck_abort_msg("chat %d was %s after %d answers", t->number,
		    got == PEER_END ? "closed" : "reset", t->answered);
}

static void
hear(struct crowd *c, struct talker *t)
{
	enum peer_got got = peer_fill(t->p);
	const char *line;

	while ((line = peer_take_line(t->p)) != NULL) {
		hear_answer(c, t, line);
		ask(t);
	}
	check_stream(t, got);
}

/* The door is never shut: whoever left is followed by the next one. */
static void
attend_visitor(struct crowd *c)
{
	struct talker *v = &c->visitor;
	enum peer_got got = peer_fill(v->p);
	const char *line = peer_take_line(v->p);

	if (line == NULL)
		return check_stream(v, got);
	if (!c->greeted) {
		ck_assert_str_eq(line, "Welcome");
		c->greeted = true;
		ask(v);
		return;
	}
	hear_answer(c, v, line);
	peer_close(v->p);
	v->p = c->peers[c->n] = peer_open(c->s->address, SERVER_PORT);
	c->greeted = false;
}

static void
turn(struct crowd *c)
{
	peer_wait_any(c->peers, c->n + 1, LOOK_MS);
	for (int i = 0; i < c->n; i++)
		hear(c, &c->talkers[i]);
	attend_visitor(c);
}

struct crowd *
crowd_open(struct server *s, int n)
{
	struct crowd *c = mem_zalloc(sizeof *c);

	c->s = s;
	c->n = n;
	c->talkers = mem_zalloc((size_t)n * sizeof *c->talkers);
	c->peers = mem_zalloc((size_t)(n + 1) * sizeof *c->peers);
	c->visitor.p = c->peers[n] = peer_open(s->address, SERVER_PORT);
	for (int i = 0; i < n; i++) {
		c->talkers[i] = (struct talker){ .p = scene_chat(s), .number = i + 1 };
		c->peers[i] = c->talkers[i].p;
		ask(&c->talkers[i]);
	}
	crowd_talk(c, NULL, 0);
	return c;
}

static bool
everybody_heard(const struct crowd *c, const int *goals)
{
	for (int i = 0; i < c->n; i++)
		if (c->talkers[i].answered < goals[i])
			return false;
	return true;
}

static void
two_answers_more(struct crowd *c)
{
	int64_t by_ms = lapse_now_ms() + MOST_MS;
	int *goals = mem_zalloc((size_t)c->n * sizeof *goals);

	for (int i = 0; i < c->n; i++)
		goals[i] = c->talkers[i].answered + 2;
	while (!everybody_heard(c, goals)) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("a chat got no answer");
		turn(c);
	}
	free(goals);
}

void
crowd_talk(struct crowd *c, const char *words, int n_lines)
{
	int64_t by_ms = lapse_now_ms() + MOST_MS, look_ms = 0;

	while (words != NULL) {
		turn(c);
		if (lapse_now_ms() < look_ms)
			continue;
		if (server_count_log(c->s, words) >= n_lines)
			break;
		look_ms = lapse_now_ms() + LOOK_MS;
		if (look_ms > by_ms)
			ck_abort_msg("the log does not say \"%s\"", words);
	}
	two_answers_more(c);
}

void
crowd_talk_until_workers(struct crowd *c, int n_workers)
{
	int64_t by_ms = lapse_now_ms() + MOST_MS;
	pid_t pids[SERVER_WORKERS_MAX];
	int n, zombies = 0;

	while ((n = procfs_children(c->s->pid, pids, SERVER_WORKERS_MAX, &zombies)) != n_workers ||
	       zombies > 0) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("expected %d workers, there are %d and %d zombies", n_workers,
			    n, zombies);
		turn(c);
	}
	two_answers_more(c);
}

void
crowd_upgrade(struct crowd *c, int nth)
{
	struct server *s = c->s;
	pid_t old = s->pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	crowd_talk(c, "ev=upgrade result=", nth);
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	crowd_talk_until_workers(c, s->workers);
	ck_assert_int_eq(moving_wait_exit(old), 0);
}

int
crowd_finish(struct crowd *c)
{
	struct talker *v = &c->visitor;

	for (int i = 0; i < c->n; i++) {
		struct talker *t = &c->talkers[i];

		hear_answer(c, t, peer_line(t->p));
		check_stream(t, peer_fill(t->p));
		ck_assert_uint_eq(t->p->in.len, 0);
	}
	if (!c->greeted) {
		peer_expect(v->p, GREETING);
		ask(v);
	}
	hear_answer(c, v, peer_line(v->p));
	return c->n_answers;
}

void
crowd_close(struct crowd *c)
{
	for (int i = 0; i <= c->n; i++)
		peer_close(c->peers[i]);
	free(c->talkers);
	free(c->peers);
	free(c);
}
