/* worker.c - see worker.h: boot, the master's messages, drain. */
#include "worker/worker.h"

#include "base/log.h"
#include "base/mem.h"
#include "robot/http_setup.h"
#include "worker/conn.h"
#include "worker/dgram.h"
#include "worker/move.h"
#include "worker/settle.h"
#include "worker/roster.h"
#include "worker/tired.h"
#include "worker/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { LINGER_MS = 1000, TAKE_AT_ONCE = 64 };
#define BEAT_S   1.0
#define ORPHAN_S 0.4

/* --- drain ----------------------------------------------------------------------------------- */

/* Chats on their way that nobody else takes up any more, because all leave: they get a goodbye. */
static void
take_in(struct worker *w)
{
	while (move_receive(w, TAKE_AT_ONCE) > 0)
		continue;
}

static void
leave_now(struct worker *w)
{
	move_stop(w);
	while (!list_is_empty(&w->conns))
		conn_kick(list_item(w->conns.next, struct conn, link));
	dgram_kick_all(w);
	ev_break(w->loop, EVBREAK_ALL);
}

void
worker_check_left(struct worker *w)
{
	if ((w->draining || w->moving) && list_is_empty(&w->conns) && list_is_empty(&w->datagrams))
		ev_break(w->loop, EVBREAK_ALL);
}

static void
serve(struct worker *w)
{
	if (w->draining || w->moving)
		return;
	atomic_store(&w->score->serving, 1);
	doors_open(&w->doors);
}

static void
stop_serving(struct worker *w, int64_t limit_ms)
{
	atomic_store(&w->score->serving, 0);
	doors_close(&w->doors);
	ev_timer_stop(w->loop, &w->drain);
	ev_timer_set(&w->drain, (double)limit_ms / 1000.0, 0.0);
	ev_timer_start(w->loop, &w->drain);
}

static void
drain(struct worker *w, int64_t limit_ms)
{
	if (limit_ms == 0)
		return leave_now(w);
	if (w->draining)
		return;
	log_info("worker_drains chats=%" PRId64, (int64_t)w->score->chats);
	w->draining = true;
	stop_serving(w, limit_ms);
	move_stop(w);
	list_each_safe (it, &w->conns)
		conn_drain(list_item(it, struct conn, link));
	worker_check_left(w);
}

/* Others stay: our chats go to them, each after its running answer. */
static void
move(struct worker *w, int64_t limit_ms)
{
	if (w->draining || w->moving)
		return;
	log_info("worker_moves chats=%" PRId64, (int64_t)w->score->chats);
	stop_serving(w, limit_ms);
	move_all(w);
	worker_check_left(w);
}

static void
on_drain_over(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct worker *w = t->data;

	(void)loop;
	(void)events;
	if (w->draining || w->orphan)
		leave_now(w);
	else
		drain(w, w->setup->conf->drain_ms);
}

/* --- settings -------------------------------------------------------------------------------- */

static void
set_deadlines(struct worker *w)
{
	const struct conf *c = w->setup->conf;

	lapse_set_limit(&w->quiet, c->quiet_ms);
	lapse_set_limit(&w->message, c->message_ms);
	lapse_set_limit(&w->idle, c->idle_ms);
	lapse_set_limit(&w->notice, c->notice_ms);
}

static void
answer(struct worker *w, enum chan_kind kind, int64_t number, const char *text)
{
	struct chan_msg m = { .kind = kind, .number = number };
	size_t n = strlen(text);

	memcpy(m.text, text, n < CHAN_TEXT ? n : CHAN_TEXT - 1);
	(void)chan_send(w->boot->chan, &m);
}

static void
close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

static void
forget_next(struct worker *w)
{
	if (w->next)
		close_all(w->next_fds, w->next->conf->n_listen);
	setup_drop(w->next);
	w->next = NULL;
}

/* Make the snapshot real, beside the one in force. */
static void
prepare(struct worker *w, const struct chan_msg *m)
{
	struct err e = { "" };
	int n = m->n_fds - 1;

	forget_next(w);
	if (n < 0) {
		answer(w, CHAN_REFUSED, m->number, "no snapshot");
		return;
	}
	w->next = setup_open(m->fds[0], &w->env, &e);
	close(m->fds[0]);
	if (w->next && w->next->conf->n_listen != n) {
		setup_drop(w->next);
		w->next = NULL;
		err_set(&e, "%d doors came with the snapshot", n);
	}
	if (w->next == NULL) {
		close_all(m->fds + 1, n);
		answer(w, CHAN_REFUSED, m->number, e.text);
		return;
	}
	memcpy(w->next_fds, m->fds + 1, (size_t)n * sizeof *w->next_fds);
	w->next_number = m->number;
	answer(w, CHAN_PREPARED, m->number, "");
}

static void
commit(struct worker *w, int64_t number)
{
	if (w->next && w->next_number == number) {
		struct setup *old = w->setup;

		w->setup = w->next;
		w->next = NULL;
		list_each (it, &w->conns)
			conn_use_settings(list_item(it, struct conn, link), old);
		setup_drop(old);
		set_deadlines(w);
		if (w->draining || w->moving)
			close_all(w->next_fds, w->setup->conf->n_listen);
		else
			doors_use(&w->doors, w->setup, w->next_fds);
	}
	answer(w, CHAN_COMMITTED, number, "");
}

/* --- the channel ----------------------------------------------------------------------------- */

/* A worker may use up its descriptors, and the kernel drops those that a message brings then. A
 * reload that fails for it changes nothing; but a log that was opened again would be lost for good,
 * so one is kept back for it. */
static void
keep_spare(struct worker *w)
{
	if (w->spare < 0)
		w->spare = fcntl(w->boot->chan, F_DUPFD_CLOEXEC, 0);
}

static void
give_spare(struct worker *w)
{
	if (w->spare >= 0)
		close(w->spare);
	w->spare = -1;
}

static void
take_log(struct chan_msg *m)
{
	if (m->lost_fds)
		log_warn("log_kept why=\"no descriptors\"");
	else
		log_use(m->n_fds ? m->fds[0] : -2, (enum log_level)m->number);
	m->n_fds = 0;
}

static void
take(struct worker *w, struct chan_msg *m)
{
	switch (m->kind) {
	case CHAN_PREPARE:
		prepare(w, m);
		return;
	case CHAN_COMMIT:
		commit(w, m->number);
		break;
	case CHAN_ABORT:
		forget_next(w);
		break;
	case CHAN_LOG:
		take_log(m);
		break;
	case CHAN_SERVE:
		serve(w);
		break;
	case CHAN_DRAIN:
		if (!w->moving)
			take_in(w);
		drain(w, m->number);
		break;
	case CHAN_MOVE:
		move(w, m->number);
		break;
	case CHAN_LIST:
		roster_start(w, m->number);
		break;
	default:
		break;
	}
	close_all(m->fds, m->n_fds);
}

/* Nobody is above us any more; both the channel and a TERM tell, and both must come to this. */
static void
master_gone(struct worker *w)
{
	log_notice("master_gone");
	ev_io_stop(w->loop, &w->chan);
	/* Who was told to move knows that there are others who take up chats: a moment for those
	 * that can go, which is well within the second that the end of a master may take. */
	if (w->moving && !w->draining) {
		w->orphan = true;
		ev_timer_stop(w->loop, &w->drain);
		ev_timer_set(&w->drain, ORPHAN_S, 0.0);
		ev_timer_start(w->loop, &w->drain);
		return;
	}
	take_in(w);
	leave_now(w);
}

/* What the master said last comes before its end. */
static void
hear(struct worker *w)
{
	struct chan_msg m;
	int got;

	do {
		give_spare(w);
		got = chan_receive(w->boot->chan, &m);
		if (got > 0)
			take(w, &m);
		keep_spare(w);
	} while (got > 0);
	if (got < 0 && ev_is_active(&w->chan))
		master_gone(w);
}

static void
on_chan(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)loop;
	(void)events;
	hear(io->data);
}

static void
on_term(struct ev_loop *loop, struct ev_signal *s, int events)
{
	struct worker *w = s->data;

	(void)loop, (void)events;
	if (getppid() != w->boot->master)
		hear(w); /* the kernel says so, and the channel will */
	else
		drain(w, w->setup->conf->drain_ms);
}

/* --- signs of life --------------------------------------------------------------------------- */

static void
beat(struct worker *w)
{
	atomic_store_explicit(&w->score->beat_ms, lapse_now_ms(), memory_order_relaxed);
}

static void
on_beat(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct worker *w = t->data;

	(void)loop;
	(void)events;
	beat(w);
	mem_give_back(&w->kept);
	if (w->told_tired || w->draining || w->moving || !tired_is(w))
		return;
	w->told_tired = true;
	answer(w, CHAN_TIRED, 0, "");
}

/* --- life ------------------------------------------------------------------------------------ */

static void
init_loop(struct worker *w)
{
	w->spare = -1;
	keep_spare(w);
	later_init(&w->later, w->loop);
	list_init(&w->conns);
	list_init(&w->datagrams);
	list_init(&w->to_move);
	lapse_init(&w->quiet, w->loop, 0, conn_on_lapse, w);
	lapse_init(&w->message, w->loop, 0, conn_on_lapse, w);
	lapse_init(&w->idle, w->loop, 0, conn_on_lapse, w);
	lapse_init(&w->linger, w->loop, LINGER_MS, conn_on_lapse, w);
	lapse_init(&w->notice, w->loop, 0, turn_on_notice, w);
	ev_io_init(&w->chan, on_chan, w->boot->chan, EV_READ);
	ev_signal_init(&w->term, on_term, SIGTERM);
	ev_timer_init(&w->drain, on_drain_over, 0.0, 0.0);
	ev_timer_init(&w->beat, on_beat, 0.0, BEAT_S);
	w->chan.data = w->term.data = w->drain.data = w->beat.data = w;
	ev_io_start(w->loop, &w->chan);
	ev_signal_start(w->loop, &w->term);
	ev_timer_again(w->loop, &w->beat);
}

/* Keys that came by the environment are in the snapshot now. */
static void
wipe_keys(const struct conf *c)
{
	for (int i = 0; i < c->n_robots; i++) {
		char *value = *c->robots[i].api_key_env ? getenv(c->robots[i].api_key_env) : NULL;

		if (value)
			explicit_bzero(value, strlen(value));
	}
}

static int
start(struct worker *w, struct err *e)
{
	const struct boot *boot = w->boot;

	if (settle_down(boot, e) || http_setup_begin(e))
		return -1;
	w->loop = ev_loop_new(EVBACKEND_EPOLL);
	if (w->loop == NULL)
		return err_set(e, "no event loop: epoll is missing");
	init_loop(w);
	w->score = &boot->score->slots[boot->slot];
	tired_init(w);
	w->store = store_mem.open(e);
	w->env = (struct robot_env){ .loop = w->loop,
		.later = &w->later,
		.standings = boot->standings,
		.slot = boot->standing_slot };
	w->setup = w->store ? setup_open(boot->snapshot, &w->env, e) : NULL;
	close(boot->snapshot);
	if (w->setup == NULL || doors_init(&w->doors, w, e))
		return -1;
	wipe_keys(w->setup->conf);
	set_deadlines(w);
	doors_use(&w->doors, w->setup, boot->listeners);
	return jail_enter(&w->jail, w->setup->conf->sandbox, boot->score, e);
}

static void
finish(struct worker *w)
{
	/* Nothing may happen any more: the settings go now. */
	ev_io_stop(w->loop, &w->chan);
	ev_signal_stop(w->loop, &w->term);
	ev_timer_stop(w->loop, &w->drain);
	ev_timer_stop(w->loop, &w->beat);
	move_stop(w);
	roster_stop(w);
	doors_close(&w->doors);
	forget_next(w);
	setup_drop(w->setup);
	w->setup = NULL;
	/* One more turn, for what waits to be freed. */
	ev_run(w->loop, EVRUN_NOWAIT);
	give_spare(w);
	store_mem.close(w->store);
	lapse_release(&w->quiet);
	lapse_release(&w->message);
	lapse_release(&w->idle);
	lapse_release(&w->linger);
	lapse_release(&w->notice);
	later_release(&w->later);
	ev_loop_destroy(w->loop);
}

/* Of the jitter, which must differ from worker to worker. */
static void
seed(void)
{
	unsigned n = (unsigned)getpid();

	(void)!getrandom(&n, sizeof n, GRND_NONBLOCK);
	srandom(n);
}

int
worker_run(const struct boot *boot)
{
	struct worker *w = mem_zalloc(sizeof *w);
	struct err e = { "" };

	w->boot = boot;
	w->doors.epoll = -1;
	log_role("worker");
	settle_signals();
	seed();
	if (start(w, &e)) {
		log_error("worker_failed why=%s", log_quote(e.text, strlen(e.text)));
		return 1;
	}
	beat(w);
	if (boot->serves)
		serve(w);
	answer(w, CHAN_READY, 0, "");
	ev_run(w->loop, 0);
	finish(w);
	free(w);
	return 0;
}
