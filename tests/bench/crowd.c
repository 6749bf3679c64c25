/* crowd.c - see crowd.h.
 * One loop serves every order: it starts what is due (a message, a connection), sleeps until the
 * next is due or something comes, and ends when nothing is due or under way any more. A peer's k-th
 * message of ORDER_RATE is meant for begin + (i + k * n) * gap, which needs no queue. */
#include "bench/crowd.h"

#include "base/mem.h"
#include "bench/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_ONCE = 256, CONNECTS = 128, NOBODY = -1 };

struct crowd {
	enum peer_speaks how;
	int port, epoll, most, n_peers, n_open, n_connecting, n_waiting;
	unsigned part, n_connects;
	struct peer *peers;
	const struct order *order;
	struct outcome *out;
	int64_t
	    next; /* of ORDER_RATE, _WAVE and _SERIAL: the message; of ORDER_OPEN: the connect */
	int64_t ends_ns;
};

struct crowd *
crowd_new(enum peer_speaks how, int port, unsigned part, int most)
{
	struct crowd *c = mem_zalloc(sizeof *c);

	c->how = how;
	c->port = port;
	c->part = part;
	c->most = most;
	c->peers = mem_zalloc((size_t)most * sizeof *c->peers);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0)
		tool_die("epoll_create1");
	return c;
}

static void
end_peer(struct crowd *c, struct peer *p)
{
	if (p->state == PEER_CONNECTS)
		c->n_connecting--;
	else
		c->n_open--;
	if (p->state == PEER_WAITS) {
		c->n_waiting--;
		c->out->n_lost++;
	}
	c->out->n_lost += p->n_owed;
	peer_close(p);
}

static void
start_peer(struct crowd *c, struct peer *p, int64_t meant_ns)
{
	struct epoll_event ev = { .data.ptr = p,
		.events = c->how == PEER_CHAT ? EPOLLIN : EPOLLOUT };

	p->fd = tool_connect(c->port, c->part, c->n_connects++);
	if (p->fd < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, p->fd, &ev) < 0)
		tool_die("connect");
	p->state = PEER_CONNECTS;
	p->since_ns = meant_ns;
	c->n_connecting++;
}

static int64_t
meant_ns(const struct crowd *c, int64_t message)
{
	const struct order *o = c->order;

	if (o->kind == ORDER_WAVE)
		return o->begin_ns + (int64_t)((double)o->length_ns * (double)message / c->n_peers);
	return o->begin_ns + message * o->gap_ns;
}

static void
say(struct crowd *c, struct peer *p, int64_t at_ns)
{
	p->since_ns = at_ns;
	c->n_waiting++;
	if (!peer_say(p, c->how)) {
		p->state = PEER_WAITS;
		end_peer(c, p);
	}
}

/* What this peer says after an answer, if anything. */
static void
go_on(struct crowd *c, struct peer *p, int64_t now_ns)
{
	const struct order *o = c->order;

	switch (o->kind) {
	case ORDER_TALK:
		if (o->each ? p->n_said < (uint32_t)o->each : now_ns < c->ends_ns)
			say(c, p, now_ns);
		break;
	case ORDER_RATE:
		if (p->n_owed) {
			p->n_owed--;
			say(c, p, meant_ns(c, p - c->peers + (int64_t)p->n_said * c->n_peers));
		}
		break;
	case ORDER_VISIT:
	case ORDER_OPEN:
	case ORDER_WAVE:
	case ORDER_SERIAL:
	case ORDER_CLOSE:
		break;
	}
}

static void
on_ready(struct crowd *c, struct peer *p, int64_t now_ns)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };

	c->n_connecting--;
	c->n_open++;
	c->out->last_ns = now_ns;
	spread_add(&c->out->took, now_ns - p->since_ns);
	if (c->how != PEER_CHAT && epoll_ctl(c->epoll, EPOLL_CTL_MOD, p->fd, &ev) < 0)
		tool_die("epoll_ctl");
	if (c->order->kind != ORDER_VISIT)
		return;
	c->out->n_answers++;
	if (now_ns < c->ends_ns)
		c->out->n_in_time++;
	end_peer(c, p);
	if (now_ns < c->ends_ns)
		start_peer(c, p, now_ns);
}

static void
on_answer(struct crowd *c, struct peer *p, bool good, int64_t now_ns)
{
	struct outcome *out = c->out;

	c->n_waiting--;
	out->last_ns = now_ns;
	if (good) {
		out->n_answers++;
		out->n_in_time += now_ns < c->ends_ns;
	} else {
		out->n_refusals++;
	}
	spread_add(&out->took, now_ns - p->since_ns);
	go_on(c, p, now_ns);
}

static void
on_event(struct crowd *c, struct peer *p, uint32_t events)
{
	bool connects = p->state == PEER_CONNECTS && c->how != PEER_CHAT;
	bool waits = p->state == PEER_WAITS;
	enum peer_event what;

	if (p->state == PEER_NONE)
		return;
	what = connects ? peer_is_connected(p) : peer_read(p, c->how);
	if (events & EPOLLERR && what == PEER_NOTHING)
		what = PEER_GONE;
	switch (what) {
	case PEER_NOTHING:
		break;
	case PEER_READY:
		on_ready(c, p, tool_now_ns());
		break;
	case PEER_ANSWER:
	case PEER_REFUSAL:
		if (waits)
			on_answer(c, p, what == PEER_ANSWER, tool_now_ns());
		else
			c->out->n_refusals++;
		break;
	case PEER_GONE:
		end_peer(c, p);
		break;
	}
}

/* How many messages or connects this order begins by the clock; the others begin by answers. */
static int64_t
n_to_start(const struct crowd *c)
{
	const struct order *o = c->order;

	switch (o->kind) {
	case ORDER_OPEN:
	case ORDER_SERIAL:
		return o->n;
	case ORDER_WAVE:
	case ORDER_TALK:
		return c->n_peers;
	case ORDER_VISIT:
		return o->n;
	case ORDER_RATE:
		return o->length_ns / o->gap_ns;
	case ORDER_CLOSE:
		break;
	}
	return 0;
}

/* The moment the next is due; INT64_MAX while it waits for others. */
static int64_t
due_ns(const struct crowd *c)
{
	switch (c->order->kind) {
	case ORDER_OPEN:
	case ORDER_VISIT:
		return c->n_connecting < CONNECTS ? meant_ns(c, c->next) : INT64_MAX;
	case ORDER_SERIAL:
		return c->n_waiting ? INT64_MAX : 0;
	case ORDER_TALK:
		return c->order->begin_ns;
	case ORDER_RATE:
	case ORDER_WAVE:
		return meant_ns(c, c->next);
	case ORDER_CLOSE:
		break;
	}
	return INT64_MAX;
}

static void
start_next(struct crowd *c, int64_t now_ns)
{
	enum order_kind kind = c->order->kind;
	int64_t at_ns = due_ns(c), message = c->next++;
	struct peer *p;

	if (kind == ORDER_OPEN || kind == ORDER_VISIT) {
		start_peer(c, &c->peers[message], c->order->gap_ns ? at_ns : now_ns);
		if (c->n_peers < c->next)
			c->n_peers = (int)c->next;
		return;
	}
	p = &c->peers[message % c->n_peers];
	if (p->state == PEER_NONE)
		c->out->n_lost++;
	else if (p->state == PEER_WAITS)
		p->n_owed++;
	else
		say(c, p, kind == ORDER_SERIAL ? now_ns : at_ns);
}

/* Sleep until something comes or the moment is there (INT64_MAX: only until until_ns). */
static void
wait_for(struct crowd *c, int64_t at_ns, int64_t until_ns)
{
	struct epoll_event got[AT_ONCE];
	int64_t now_ns = tool_now_ns(), left_ns = (at_ns < until_ns ? at_ns : until_ns) - now_ns;
	struct timespec ts;
	int n;

	if (left_ns < 0)
		left_ns = 0;
	ts = (struct timespec){ .tv_sec = left_ns / SECOND_NS, .tv_nsec = left_ns % SECOND_NS };
	n = epoll_pwait2(c->epoll, got, AT_ONCE, &ts, NULL);
	if (n < 0 && errno != EINTR)
		tool_die("epoll_pwait2");
	for (int i = 0; i < n; i++)
		on_event(c, got[i].data.ptr, got[i].events);
}

static void
run(struct crowd *c)
{
	int64_t total = n_to_start(c), until_ns = c->ends_ns + c->order->limit_ns;

	while (c->next < total || c->n_waiting || c->n_connecting) {
		int64_t now_ns = tool_now_ns(), at_ns = INT64_MAX;

		if (now_ns >= until_ns)
			break;
		for (int i = 0; i < AT_ONCE && c->next < total && due_ns(c) <= now_ns; i++)
			start_next(c, now_ns);
		if (c->next < total)
			at_ns = due_ns(c);
		wait_for(c, at_ns, until_ns);
	}
}

/* What did not come in time is lost; those who wait in vain leave. */
static void
give_up(struct crowd *c)
{
	for (int i = 0; i < c->n_peers; i++)
		if (c->peers[i].state == PEER_WAITS || c->peers[i].state == PEER_CONNECTS)
			end_peer(c, &c->peers[i]);
}

void
crowd_obey(struct crowd *c, const struct order *o, struct outcome *out)
{
	memset(out, 0, sizeof *out);
	c->order = o;
	c->out = out;
	c->ends_ns = o->begin_ns + o->length_ns;
	c->next = o->kind == ORDER_OPEN ? c->n_peers : 0;
	for (int i = 0; i < c->n_peers; i++)
		c->peers[i].n_said = c->peers[i].n_owed = 0;
	if (o->kind == ORDER_CLOSE) {
		for (int i = 0; i < c->n_peers; i++)
			if (c->peers[i].state != PEER_NONE)
				end_peer(c, &c->peers[i]);
	} else {
		run(c);
		give_up(c);
	}
	if (o->kind == ORDER_CLOSE || o->kind == ORDER_VISIT)
		c->n_peers = 0;
	out->n_open = c->n_open;
}

void
crowd_free(struct crowd *c)
{
	for (int i = 0; i < c->n_peers; i++)
		peer_close(&c->peers[i]);
	close(c->epoll);
	free(c->peers);
	free(c);
}
