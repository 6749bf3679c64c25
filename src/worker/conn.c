/* conn.c - a chat's bytes, deadlines and end; see conn.h. */
#include "worker/conn.h"

#include "base/log.h"
#include "base/mem.h"
#include "wire/sentence.h"
#include "worker/conn_io.h"
#include "worker/enter.h"
#include "worker/move.h"
#include "worker/roster.h"
#include "worker/visit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_LIMIT = 1 << 20, JSON_GROWTH = 6, LOW_WATER = 16384 };

static const char *const reasons[] = { [LEAVE_NOT] = "reset",
	[LEAVE_EXIT] = "exit",
	[LEAVE_EOF] = "eof",
	[LEAVE_ERROR] = "error",
	[LEAVE_BUSY] = "busy",
	[LEAVE_DENIED] = "denied",
	[LEAVE_IDLE] = "idle",
	[LEAVE_LIMIT] = "limit",
	[LEAVE_SLOW_READER] = "slow_reader",
	[LEAVE_DRAIN] = "drain",
	[LEAVE_MOVED] = "moved" };

/* BYE_COUNT: leaves without a word. */
static const enum bye byes[] = { [LEAVE_NOT] = BYE_COUNT,
	[LEAVE_EXIT] = BYE_COUNT,
	[LEAVE_EOF] = BYE_COUNT,
	[LEAVE_ERROR] = BYE_COUNT,
	[LEAVE_BUSY] = BYE_COUNT,
	[LEAVE_DENIED] = BYE_COUNT,
	[LEAVE_IDLE] = BYE_IDLE,
	[LEAVE_LIMIT] = BYE_LIMIT,
	[LEAVE_SLOW_READER] = BYE_SLOW_READER,
	[LEAVE_DRAIN] = BYE_SHUTDOWN,
	[LEAVE_MOVED] = BYE_COUNT };

void
conn_uncount(struct conn *c)
{
	struct worker *w = c->w;

	score_add(&w->score->chats, -(int64_t)c->counted);
	score_add(&w->score->visitors, -(int64_t)c->visiting);
	if (c->address)
		(void)tally_add(w->boot->tally, w->boot->slot, c->address, -1);
	c->address = 0;
	c->counted = c->visiting = false;
}

void
conn_end(struct conn *c)
{
	struct worker *w = c->w;
	bool counted = c->counted;

	/* Whoever reads that it closed finds its place free. */
	conn_uncount(c);
	if (counted && c->leave == LEAVE_MOVED)
		log_debug("chat_moved chat=%" PRIu64, c->id);
	else if (counted)
		log_info("chat_close chat=%" PRIu64 " reason=%s", c->id, reasons[c->leave]);
	conn_drop_questions(c);
	store_mem.forget(w->store, c->id);
	ev_io_stop(w->loop, &c->io);
	lapse_stop(&c->deadline);
	later_remove(&c->update);
	roster_on_gone(c);
	list_remove(&c->link);
	list_remove(&c->moving);
	wire_done(&c->wire, &c->in);
	buf_release(&c->in);
	buf_release(&c->out);
	guest_free(c->guest);
	close(c->io.fd);
	free(c);
	worker_check_left(w);
}

void
conn_later(struct conn *c)
{
	later_add(&c->w->later, &c->update);
}

/* The first reason stays, but a drain gives way to anything. */
void
conn_leave(struct conn *c, enum leave why)
{
	if (c->leave == LEAVE_NOT || c->leave == LEAVE_DRAIN)
		c->leave = why;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static bool
hears(const struct conn *c)
{
	return !c->in_end && (c->leave != LEAVE_NOT || c->deaf ||
				 (c->out.len < CONN_HIGH_WATER && c->in.len < c->in.limit));
}

void
conn_watch(struct conn *c)
{
	bool closes = c->said_bye && !c->shut;
	int events = (hears(c) ? EV_READ : 0) | (c->out.len || closes ? EV_WRITE : 0);

	/* Until that is out, TLS reads nothing: what comes would wake us in vain. */
	if (conn_io_wants_write(c))
		events = EV_WRITE;

	if (ev_is_active(&c->io) && c->io.events == events)
		return;
	ev_io_stop(c->w->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	if (events)
		ev_io_start(c->w->loop, &c->io);
}

/* --- the one place where state becomes action ------------------------------------------------ */

static bool
may_go(const struct conn *c)
{
	return c->leave != LEAVE_NOT &&
	       (c->leave != LEAVE_DRAIN || (c->turn == NULL && c->first == NULL));
}

static void
say_bye(struct conn *c)
{
	enum conf_language language = (enum conf_language)c->w->setup->conf->language;
	enum bye bye = byes[c->leave];

	conn_drop_questions(c);
	if (bye != BYE_COUNT) {
		const char *text = sentence_bye(bye, language);

		(void)wire_encode(&c->wire, PART_BYE, NULL, text, strlen(text), &c->out);
	}
	(void)wire_encode(&c->wire, PART_CLOSE, NULL, "", 0, &c->out);
	c->said_bye = true;
}

/* Talk and write until nothing more can be done now. Returns 0, or -1: the peer is gone. */
static int
work(struct conn *c)
{
	bool blocked;

	do {
		if (!c->said_bye)
			conn_talk(c);
		if (c->leave == LEAVE_NOT && c->in_end && c->in.len == 0 && c->turn == NULL &&
		    c->first == NULL)
			conn_leave(c, LEAVE_EOF);
		if (may_go(c) && !c->said_bye)
			say_bye(c);
		blocked = c->out.len >= CONN_HIGH_WATER;
		if (conn_io_flush(c))
			return -1;
	} while (blocked && c->out.len < CONN_HIGH_WATER && !c->said_bye);
	return 0;
}

/* Everything is said. Closing now would throw away what the peer has not read yet, if more of its
 * bytes come in (RFC 9112 section 9.6): say that we are done, and wait for its end for a moment.
 * Returns whether the chat is over. */
static bool
is_over(struct conn *c)
{
	if (!c->said_bye || (c->out.len && c->leave != LEAVE_SLOW_READER))
		return false;
	if (c->leave == LEAVE_SLOW_READER || (c->in_end && !enter_is_tied(c)))
		return true;
	if (!c->shut) {
		int got = conn_io_shut(c);

		if (got < 0)
			return true;
		c->shut = got == 0;
	}
	return c->shut && c->in_end;
}

/* Between two answers, and nobody is being waved off. */
static bool
is_movable(const struct conn *c)
{
	return c->w->moving && c->turn == NULL && c->leave == LEAVE_NOT &&
	       (c->counted || c->visiting) && c->out.len < CONN_HIGH_WATER;
}

/* It does nothing any more: what comes waits in the socket. */
static void
wait_to_move(struct conn *c)
{
	ev_io_stop(c->w->loop, &c->io);
	conn_wait_none(c);
	move_enqueue(c);
}

void
conn_update(struct conn *c)
{
	/* What is behind TLS cannot be handed over. */
	if (c->w->moving && c->leave == LEAVE_NOT && enter_is_tied(c)) {
		conn_drain(c);
		return;
	}
	if (work(c) || is_over(c)) {
		conn_end(c);
		return;
	}
	if (c->turn && c->out.len <= LOW_WATER)
		turn_pause(c->turn, false);
	if (is_movable(c)) {
		wait_to_move(c);
		return;
	}
	conn_watch(c);
	conn_wait_set(c);
	if (conn_io_has_pending(c) && hears(c))
		conn_later(c);
}

static void
on_later(void *arg)
{
	struct conn *c = arg;

	if (enter_is_on(c))
		return;
	if (conn_io_has_pending(c) && hears(c) && conn_io_receive(c))
		conn_end(c);
	else
		conn_update(c);
}

static void
on_io(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct conn *c = io->data;

	(void)loop;
	if (enter_is_on(c))
		enter_go(c);
	else if ((events & EV_READ) && conn_io_receive(c))
		conn_end(c);
	else
		conn_update(c);
}

void
conn_on_lapse(struct lapse_entry *e, void *arg)
{
	struct conn *c = list_item(e, struct conn, deadline);

	(void)arg;
	switch (conn_wait_over(c)) {
	case CONN_OVER:
		if (enter_is_on(c))
			enter_is_late(c);
		else
			conn_end(c);
		break;
	case CONN_CHANGED:
		conn_update(c);
		break;
	case CONN_WAITS_ON:
		break;
	}
}

/* --- the beginning ---------------------------------------------------------------------------- */

static uint32_t
out_limit(const struct conf *conf)
{
	return (uint32_t)(conf_answer_bytes(conf) * JSON_GROWTH + OUT_LIMIT);
}

static uint32_t
greatest(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void
set_limits(struct conn *c)
{
	const struct conf *conf = c->w->setup->conf;

	c->wire.limit_bytes = (uint32_t)conf->limit_message_bytes;
	/* What is in stays in. */
	c->in.limit = greatest(c->in.len, wire_in_limit(c->wire.limit_bytes));
	c->out.limit = greatest(c->out.len, out_limit(conf));
}

/* The robots may be others, or stand in another order. */
void
conn_use_settings(struct conn *c, const struct setup *old)
{
	set_limits(c);
	if (c->robot >= 0) {
		const char *name = chain_name_at(old->chain, c->robot);

		c->robot = chain_find(c->w->setup->chain, name, strlen(name));
	}
	c->answered_by = -1;
	c->n_passed = 0;
}

struct conn *
conn_new(struct worker *w, int fd)
{
	struct conn *c = mem_zalloc(sizeof *c);

	c->w = w;
	c->robot = c->answered_by = -1;
	c->since_ms = lapse_now_ms();
	c->last = &c->first;
	ev_io_init(&c->io, on_io, fd, EV_READ);
	c->io.data = c;
	lapse_entry_init(&c->deadline);
	later_task_init(&c->update, on_later, c);
	list_init(&c->moving);
	wire_init(&c->wire, 0);
	set_limits(c);
	list_append(&w->conns, &c->link);
	return c;
}

/* --- moving ---------------------------------------------------------------------------------- */

void
conn_moved(struct conn *c)
{
	c->leave = LEAVE_MOVED;
	conn_end(c);
}

/* Limits do not count here: it was let in already. */
void
conn_taken_up(struct conn *c)
{
	struct sock_addr peer;

	enter_peer(c, &peer);
	(void)enter_count(c, tally_key(&peer), NULL);
	log_debug("chat_taken chat=%" PRIu64 " fd=%d", c->id, c->io.fd);
	conn_later(c);
}

/* --- the end --------------------------------------------------------------------------------- */

void
conn_drain(struct conn *c)
{
	if (enter_is_on(c) || conn_io_receive(c)) {
		conn_end(c);
		return;
	}
	/* What has come by now is still answered. */
	if (c->leave == LEAVE_NOT)
		conn_talk(c);
	conn_leave(c, LEAVE_DRAIN);
	conn_update(c);
}

void
conn_kick(struct conn *c)
{
	if (enter_is_on(c)) {
		conn_end(c);
		return;
	}
	conn_leave(c, LEAVE_DRAIN);
	conn_drop_questions(c);
	if (!c->said_bye)
		say_bye(c);
	(void)conn_io_flush(c);
	(void)conn_io_shut(c);
	conn_end(c);
}
