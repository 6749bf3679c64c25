/* pool.c - see pool.h. */
#include "master/pool.h"

#include "base/lapse.h"
#include "base/log.h"
#include "master/master.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEADY_MS = 10000, FREE_DEATHS = 3, START_TRIES = 5, MOST_S = 30 };
enum { MOVE_SLACK_MS = 30000, TICK_LATE_MS = 3000 };
#define TICK_S  1.0
#define LEAVE_S 2.0
#define HURRY_S 1.0

enum slot_event {
	EVENT_READY,
	EVENT_EXIT,
	EVENT_DRAIN,
	EVENT_MOVE,
	EVENT_LATE,
	EVENT_HUNG,
	EVENT_TIRED,
	SLOT_EVENTS
};

static void happen(struct slot *s, enum slot_event event);

int
pool_index(const struct slot *s)
{
	return (int)(s - s->m->pool.slots);
}

/* --- what events do -------------------------------------------------------------------------- */

void
pool_set_late(struct slot *s, double seconds)
{
	ev_timer_stop(s->m->loop, &s->late);
	ev_timer_set(&s->late, seconds, 0.0);
	ev_timer_start(s->m->loop, &s->late);
}

/* The tired ones leave when there are enough others. */
static void
relieve_tired(struct pool *p)
{
	if (pool_ready(p) < p->wanted)
		return;
	for (int i = 0; i < SCORE_SLOTS; i++)
		if (p->slots[i].tired && p->slots[i].state == SLOT_READY)
			happen(&p->slots[i], EVENT_MOVE);
}

static void
become_tired(struct slot *s)
{
	log_notice("worker_recycled slot=%d child=%d", pool_index(s), (int)s->pid);
	s->tired = true;
	pool_fit(&s->m->pool);
}

static void
become_ready(struct slot *s)
{
	ev_timer_stop(s->m->loop, &s->late);
	s->state = SLOT_READY;
	s->m->pool.ever_ready = true;
	log_info("worker_ready slot=%d child=%d", pool_index(s), (int)s->pid);
	relieve_tired(&s->m->pool);
	if (pool_ready(&s->m->pool) >= s->m->pool.wanted)
		master_on_ready(s->m);
}

static void
begin_drain(struct slot *s)
{
	struct chan_msg msg = { .kind = CHAN_DRAIN, .number = s->m->conf->drain_ms };

	s->state = SLOT_DRAINING;
	(void)chan_send(s->chan, &msg);
	pool_set_late(s, (double)msg.number / 1000.0 + LEAVE_S);
}

/* As long as an answer may take, and a goodbye after it. */
static int64_t
move_ms(const struct conf *c)
{
	int64_t most = 0;

	for (int i = 0; i < c->n_robots; i++)
		if (c->robots[i].total_ms > most)
			most = c->robots[i].total_ms;
	return most + MOVE_SLACK_MS;
}

static void
begin_move(struct slot *s)
{
	struct chan_msg msg = { .kind = CHAN_MOVE, .number = move_ms(s->m->conf) };

	s->state = SLOT_DRAINING;
	(void)chan_send(s->chan, &msg);
	pool_set_late(s, (double)(msg.number + s->m->conf->drain_ms) / 1000.0 + LEAVE_S);
}

static void
kill_slot(struct slot *s)
{
	struct score_events *events = &s->m->pool.score->events;

	score_add(s->is_hung                  ? &events->death_hang
		  : s->state == SLOT_STARTING ? &events->death_start
					      : &events->death_drain,
	    1);
	s->is_killed = true;
	log_warn("worker_killed slot=%d child=%d why=%s", pool_index(s), (int)s->pid,
	    s->is_hung                  ? "hung"
	    : s->state == SLOT_STARTING ? "start"
					: "drain");
	kill(s->pid, SIGKILL);
}

static void
empty(struct slot *s)
{
	ev_timer_stop(s->m->loop, &s->late);
	ev_io_stop(s->m->loop, &s->io);
	close(s->chan);
	s->chan = -1;
	s->pid = 0;
	s->state = SLOT_EMPTY;
	score_reset_now(s->m->pool.score, pool_index(s));
	tally_reset(s->m->pool.tally, pool_index(s));
	standings_forget_slot(s->m->pool.standings, s->m->pool.first_slot + pool_index(s));
}

/* One timer for all: a death meanwhile does not put off those who wait already. */
static void
retry_later(struct pool *p, int n)
{
	int seconds = 1 << (n > 6 ? 6 : n - 1);

	if (ev_is_active(&p->retry))
		return;
	if (seconds > MOST_S)
		seconds = MOST_S;
	log_warn("worker_retry seconds=%d failures=%d", seconds, p->n_failures);
	ev_timer_set(&p->retry, seconds, 0.0);
	ev_timer_start(p->m->loop, &p->retry);
}

/* A death nobody asked for. */
static void
count_death(struct slot *s)
{
	struct pool *p = &s->m->pool;
	bool starting = s->state == SLOT_STARTING;

	if (lapse_now_ms() - s->since_ms >= STEADY_MS)
		p->n_failures = 0;
	p->n_failures++;
	if (!p->ever_ready && p->n_failures >= START_TRIES) {
		master_give_up(s->m, "no worker can start");
		return;
	}
	if (starting)
		retry_later(p, p->n_failures);
	else if (p->n_failures > FREE_DEATHS)
		retry_later(p, p->n_failures - FREE_DEATHS);
}

static void
on_death(struct slot *s)
{
	reload_on_death(&s->m->reload, s);
	count_death(s);
	empty(s);
	pool_fit(&s->m->pool);
}

static void
on_left(struct slot *s)
{
	empty(s);
	if (s->m->stopping && pool_left(&s->m->pool) == 0)
		master_on_empty(s->m);
}

static void
nothing(struct slot *s)
{
	(void)s;
}

/* A worker that is starting when it is told to leave says READY first: let it. */
/* clang-format off */
static void (*const table[SLOT_STATES][SLOT_EVENTS])(struct slot *s) = {
	/*                  READY         EXIT      DRAIN        MOVE        LATE       HUNG      
	 * TIRED */
	[SLOT_EMPTY]    = { nothing,      nothing,  nothing,     nothing,    nothing,   nothing,   nothing },
	[SLOT_STARTING] = { become_ready, on_death, begin_drain, begin_move, kill_slot, nothing,   nothing },
	[SLOT_READY]    = { nothing,      on_death, begin_drain, begin_move, nothing,   kill_slot, become_tired },
	[SLOT_DRAINING] = { nothing,      on_left,  begin_drain, nothing,    kill_slot, kill_slot, nothing },
};
/* clang-format on */

static void
happen(struct slot *s, enum slot_event event)
{
	table[s->state][event](s);
}

/* --- where events come from ------------------------------------------------------------------ */

static void
on_late(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	happen(t->data, EVENT_LATE);
}

void
pool_on_chan(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct slot *s = io->data;
	struct chan_msg msg;
	int got;

	(void)events;
	while ((got = chan_receive(io->fd, &msg)) > 0) {
		if (msg.kind == CHAN_LISTED)
			control_on_listed(s->m->control, pool_index(s), &msg);
		for (int i = 0; i < msg.n_fds; i++)
			close(msg.fds[i]);
		if (msg.kind == CHAN_READY)
			happen(s, EVENT_READY);
		else if (msg.kind == CHAN_TIRED)
			happen(s, EVENT_TIRED);
		else
			reload_on_answer(&s->m->reload, s, &msg);
	}
	if (got < 0)
		ev_io_stop(loop, io); /* its end comes with SIGCHLD */
}

void
pool_on_exit(struct pool *p, pid_t pid, int status)
{
	for (int i = 0; i < SCORE_SLOTS; i++) {
		struct slot *s = &p->slots[i];
		bool asked = s->state == SLOT_DRAINING || p->m->stopping;

		if (s->state == SLOT_EMPTY || s->pid != pid)
			continue;
		log_line(asked ? LOG_INFO_ : LOG_WARN_, "worker_exit slot=%d child=%d %s=%d", i,
		    (int)pid, WIFSIGNALED(status) ? "sig" : "code",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		if (!s->is_killed && WIFSIGNALED(status))
			score_add(&p->score->events.death_signal, 1);
		else if (!s->is_killed && !asked)
			score_add(&p->score->events.death_exit, 1);
		happen(s, EVENT_EXIT);
		return;
	}
}

/* --- forking --------------------------------------------------------------------------------- */

static void
grow(struct pool *p, int n)
{
	for (int i = 0; i < SCORE_SLOTS && n > 0; i++) {
		if (p->slots[i].state != SLOT_EMPTY)
			continue;
		if (pool_spawn(&p->slots[i])) {
			retry_later(p, ++p->n_failures);
			return;
		}
		n--;
	}
}

/* Who leaves: the live worker with the fewest chats; of equals the last. Tired ones leave anyway.
 * */
static struct slot *
least_busy(struct pool *p)
{
	struct slot *found = NULL;
	int64_t fewest = INT64_MAX;

	for (int i = SCORE_SLOTS - 1; i >= 0; i--) {
		struct slot *s = &p->slots[i];
		int64_t chats = atomic_load(&p->score->slots[i].chats);

		if ((s->state != SLOT_STARTING && s->state != SLOT_READY) || s->tired ||
		    (found && chats >= fewest))
			continue;
		fewest = chats;
		found = s;
	}
	return found;
}

static void
shrink(struct pool *p, int n)
{
	for (; n > 0; n--) {
		struct slot *s = least_busy(p);

		assert(s != NULL); /* pool_live() counts the same ones */
		happen(s, EVENT_MOVE);
	}
}

void
pool_fit(struct pool *p)
{
	int live = pool_live(p);

	p->score->workers_wanted = p->wanted;
	if (p->m->stopping || p->m->reload.state != RELOAD_IDLE)
		return;
	if (live < p->wanted && !ev_is_active(&p->retry))
		grow(p, p->wanted - live);
	else if (live > p->wanted)
		shrink(p, live - p->wanted);
	relieve_tired(p);
}

static void
on_retry(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	pool_fit(t->data);
}

/* Who gave no sign of life for too long? A worker cannot say so itself. When we were stopped or
 * slept ourselves, nobody is to blame: everybody gets his time again (FAULTS E17). */
static void
on_tick(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct pool *p = t->data;
	int64_t now_ms = lapse_now_ms(), limit_ms = p->m->conf->heartbeat_ms;

	(void)loop;
	(void)events;
	if (now_ms - p->ticked_ms > TICK_LATE_MS)
		p->lenient_ms = now_ms + limit_ms;
	p->ticked_ms = now_ms;
	if (limit_ms == 0 || now_ms < p->lenient_ms)
		return;
	for (int i = 0; i < SCORE_SLOTS; i++) {
		struct slot *s = &p->slots[i];
		int64_t beat_ms = s->state == SLOT_EMPTY ? 0 : p->score->slots[i].beat_ms;

		if (beat_ms == 0 || now_ms - beat_ms < limit_ms || s->is_hung)
			continue;
		s->is_hung = true;
		happen(s, EVENT_HUNG);
	}
}

int
pool_init(struct pool *p, struct master *m, worker_main *work, struct err *e)
{
	p->m = m;
	p->work = work;
	p->score = score_new();
	p->tally = tally_new(SCORE_SLOTS);
	p->throttle = throttle_new();
	p->standings = standings_open(p->standings_fd);
	if (p->standings == NULL) {
		if (p->standings_fd >= 0)
			close(p->standings_fd);
		p->standings = standings_new(&p->standings_fd);
	}
	if (p->score == NULL || p->tally == NULL || p->throttle == NULL || p->standings == NULL)
		return err_errno(e, "shared memory");
	p->first_slot = standings_first_slot(p->standings);
	if (p->pair[0] < 0 && pool_make_pair(p->pair, e))
		return -1;
	ev_timer_init(&p->retry, on_retry, 0.0, 0.0);
	ev_timer_init(&p->tick, on_tick, 0.0, TICK_S);
	p->retry.data = p->tick.data = p;
	p->ticked_ms = lapse_now_ms();
	ev_timer_again(m->loop, &p->tick);
	for (int i = 0; i < SCORE_SLOTS; i++) {
		struct slot *s = &p->slots[i];

		s->m = m;
		s->chan = -1;
		ev_timer_init(&s->late, on_late, 0.0, 0.0);
		s->late.data = s;
	}
	return 0;
}

/* --- all of them ----------------------------------------------------------------------------- */

static int
count(const struct pool *p, unsigned states)
{
	int n = 0;

	for (int i = 0; i < SCORE_SLOTS; i++)
		n += (states >> p->slots[i].state & 1) && !p->slots[i].tired;
	return n;
}

int
pool_live(const struct pool *p)
{
	return count(p, 1U << SLOT_STARTING | 1U << SLOT_READY);
}

int
pool_left(const struct pool *p)
{
	int n = 0;

	for (int i = 0; i < SCORE_SLOTS; i++)
		n += p->slots[i].state != SLOT_EMPTY;
	return n;
}

int
pool_ready(const struct pool *p)
{
	return count(p, 1U << SLOT_READY);
}

int
pool_send(struct pool *p, const struct chan_msg *msg, bool draining)
{
	int n = 0;

	for (int i = 0; i < SCORE_SLOTS; i++) {
		const struct slot *s = &p->slots[i];

		if (s->state == SLOT_EMPTY || (s->state == SLOT_DRAINING && !draining))
			continue;
		n += chan_send(s->chan, msg) == 0;
	}
	return n;
}

void
pool_drain(struct pool *p)
{
	ev_timer_stop(p->m->loop, &p->retry);
	for (int i = 0; i < SCORE_SLOTS; i++)
		happen(&p->slots[i], EVENT_DRAIN);
}

void
pool_move(struct pool *p)
{
	ev_timer_stop(p->m->loop, &p->retry);
	for (int i = 0; i < SCORE_SLOTS; i++)
		happen(&p->slots[i], EVENT_MOVE);
}

void
pool_hurry(struct pool *p)
{
	struct chan_msg msg = { .kind = CHAN_DRAIN, .number = 0 };

	(void)pool_send(p, &msg, true);
	for (int i = 0; i < SCORE_SLOTS; i++)
		if (p->slots[i].state != SLOT_EMPTY)
			pool_set_late(&p->slots[i], HURRY_S);
}

void
pool_kill(struct pool *p)
{
	for (int i = 0; i < SCORE_SLOTS; i++)
		if (p->slots[i].state != SLOT_EMPTY)
			kill(p->slots[i].pid, SIGKILL);
}

void
pool_let_go(struct pool *p)
{
	for (int i = 0; i < SCORE_SLOTS; i++)
		if (p->slots[i].state != SLOT_EMPTY && p->slots[i].chan >= 0)
			close(p->slots[i].chan);
}
