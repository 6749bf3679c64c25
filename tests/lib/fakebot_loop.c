/* fakebot_loop.c - see fakebot_stage.h: the robot's process and its connections.
 * advance() drives a connection until it has to wait: for bytes, for room, or for a clock. There
 * are three clocks, which only grow: the time, and the test's releases and steps. So whatever
 * waits, waits alike. */
#include "lib/fakebot_stage.h"

#include "base/lapse.h"
#include "base/list.h"
#include "base/mem.h"
#include "lib/fakebot_robot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A turn sends BATCH_BYTES a few times for one connection, then it is the others' turn. */
enum { IN_BYTES = 1 << 20, OUT_BYTES = 1 << 20, BATCH_BYTES = 1 << 16, ROUNDS = 8, EVENTS = 256 };

/* READS: for a request; WAITS: its time has not come; TELLS: an answer is under way; ENDS: over. */
enum phase { READS, WAITS, TELLS, ENDS };

struct call {
	struct list link; /* in `calls` */
	struct link io;
	enum phase phase;
	struct pause pause; /* of WAITS and TELLS */
	bool owes;          /* the client has not heard the end of its answer */
	int slot;           /* the script that was in force for its question; -1: none */
	int steps;          /* the stage's, when the question was complete */
	uint32_t events;    /* what epoll is told */
	size_t n_head;      /* bytes at the front of `out` that are no body */
	struct buf in, out;
	struct question q;
	struct answer answer;
};

static struct stage *stage;
static struct list calls;
static int epoll_fd;
static int64_t clocks[CLOCKS];

static bool
is_over(const struct pause *p)
{
	return clocks[p->clock] >= p->until;
}

static void
read_clocks(void)
{
	clocks[CLOCK_MS] = lapse_now_ms();
	pthread_mutex_lock(&stage->mutex);
	clocks[CLOCK_RELEASES] = stage->releases;
	clocks[CLOCK_STEPS] = stage->steps;
	pthread_mutex_unlock(&stage->mutex);
}

/* --- the stage, under its mutex -------------------------------------------------------------- */

static void
record(const struct fakebot_record *r)
{
	int i;

	stage->records[stage->n_requests % FAKEBOT_RECORDS] = *r;
	for (i = 0; i < stage->n_keys; i++)
		if (strcmp(stage->keys[i].key, r->key) == 0)
			break;
	if (i < STAGE_KEYS) {
		memcpy(stage->keys[i].key, r->key, sizeof r->key);
		stage->keys[i].n++;
		stage->n_keys = i < stage->n_keys ? stage->n_keys : i + 1;
	}
	stage->n_requests++;
	pthread_cond_broadcast(&stage->changed);
}

static bool
is_for(const struct play *p, const struct fakebot_record *r)
{
	const char *only = p->script.only;

	return only == NULL || strstr(r->info, only) != NULL || strcmp(r->key, only) == 0;
}

/* The script that counts for a new question; -1: none does. */
static int
cast(const struct fakebot_record *r)
{
	for (int i = 0; i < stage->n_plays; i++) {
		struct play *p = &stage->plays[i];

		if (!is_for(p, r) || (p->script.first_n && p->n_taken >= p->script.first_n))
			continue;
		p->n_taken++;
		return i;
	}
	return -1;
}

/* As its script is now: it may have been replaced since. */
static const struct fakebot_script *
script_of(const struct call *c)
{
	static const struct fakebot_script echo;

	return c->slot >= 0 && c->slot < stage->n_plays &&
		       is_for(&stage->plays[c->slot], &c->q.record)
		   ? &stage->plays[c->slot].script
		   : &echo;
}

/* --- a connection ---------------------------------------------------------------------------- */

/* The client is gone. */
static void
leave(struct call *c)
{
	pthread_mutex_lock(&stage->mutex);
	stage->n_gone += c->owes;
	pthread_cond_broadcast(&stage->changed);
	pthread_mutex_unlock(&stage->mutex);
	c->phase = ENDS;
}

static void
begin_answer(struct call *c, const struct fakebot_script *how)
{
	fakebot_http_answer(&c->answer, &c->q, how, c->steps, &c->out);
	c->n_head = c->out.len;
	c->pause = (struct pause){ 0 };
	c->phase = how->hang_up ? ENDS : TELLS;
}

/* Returns whether there was a request. */
static bool
take_request(struct call *c)
{
	static const struct fakebot_script no_http = {
		.status = 400, .body = "no HTTP", .close_after = true
	};
	const struct fakebot_script *how;
	int taken = fakebot_http_take(&c->q, &c->in);

	if (taken < 0)
		begin_answer(c, &no_http);
	if (taken <= 0)
		return taken < 0;
	pthread_mutex_lock(&stage->mutex);
	record(&c->q.record);
	c->slot = cast(&c->q.record);
	c->steps = stage->steps;
	how = script_of(c);
	c->pause = (struct pause){ 0 };
	if (how->hold)
		c->pause = (struct pause){ CLOCK_RELEASES, stage->releases + 1 };
	else if (how->delay_ms)
		c->pause = (struct pause){ CLOCK_MS, lapse_now_ms() + how->delay_ms };
	pthread_mutex_unlock(&stage->mutex);
	c->phase = WAITS;
	c->owes = true;
	return true;
}

static void
end_answer(struct call *c)
{
	c->owes = c->answer.how.stay_open;
	c->phase = fakebot_http_closes(&c->answer) ? ENDS : READS;
	if (c->phase == READS)
		fakebot_http_release(&c->answer);
}

/* Counted under the mutex: who has heard a byte finds it counted. */
static ssize_t
send_some(struct call *c)
{
	size_t of_head;
	ssize_t n;

	pthread_mutex_lock(&stage->mutex);
	n = fakebot_link_send(&c->io, buf_head(&c->out), c->out.len);
	if (n > 0) {
		of_head = (size_t)n < c->n_head ? (size_t)n : c->n_head;
		c->n_head -= of_head;
		stage->sent_bytes += n - (ssize_t)of_head;
		buf_eat(&c->out, (size_t)n);
	}
	pthread_mutex_unlock(&stage->mutex);
	return n;
}

/* Send what is due, as the socket takes it. Returns whether that was all. */
static bool
tell(struct call *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		ssize_t n;

		while (!c->answer.over && c->out.len < BATCH_BYTES && is_over(&c->pause))
			c->pause = fakebot_http_more(&c->answer, &c->out);
		if (c->out.len == 0)
			return c->answer.over;
		n = send_some(c);
		if (n < 0 && errno != EAGAIN)
			leave(c);
		if (n < 0)
			return false;
	}
	return false;
}

static void
drop(struct call *c)
{
	list_remove(&c->link);
	fakebot_link_close(&c->io, c->answer.how.reset);
	fakebot_http_release(&c->answer);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c);
}

static void
watch(struct call *c)
{
	bool writes = c->io.wants_out || c->out.len || (c->phase == TELLS && is_over(&c->pause));
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

	ev.events |= writes ? (uint32_t)EPOLLOUT : 0;
	if (ev.events != c->events)
		(void)epoll_ctl(epoll_fd, c->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->io.fd, &ev);
	c->events = ev.events;
}

/* May free c. */
static void
advance(struct call *c)
{
	bool goes_on = true;

	while (goes_on && c->phase != ENDS) {
		if (c->phase == READS) {
			goes_on = take_request(c);
		} else if (c->phase == TELLS) {
			goes_on = tell(c);
			if (goes_on)
				end_answer(c);
		} else if ((goes_on = is_over(&c->pause))) {
			pthread_mutex_lock(&stage->mutex);
			begin_answer(c, script_of(c));
			pthread_mutex_unlock(&stage->mutex);
		}
	}
	if (c->phase == ENDS)
		drop(c);
	else
		watch(c);
}

static void
on_call(struct call *c)
{
	size_t room;
	ssize_t n;

	do {
		char *at = buf_reserve(&c->in, 16384, &room);

		n = room ? fakebot_link_recv(&c->io, at, room) : 0;
		buf_grow(&c->in, n > 0 ? (size_t)n : 0);
	} while (n > 0);
	if (n == 0 || errno != EAGAIN)
		leave(c);
	advance(c);
}

static void
on_door(int door, struct ssl_ctx_st *tls)
{
	int fd;

	while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct call *c = mem_zalloc(sizeof *c);

		fakebot_link_open(&c->io, fd, tls);
		buf_init(&c->in, IN_BYTES);
		buf_init(&c->out, OUT_BYTES);
		list_append(&calls, &c->link);
		watch(c);
		pthread_mutex_lock(&stage->mutex);
		stage->n_connections++;
		pthread_mutex_unlock(&stage->mutex);
	}
}

/* --- the loop -------------------------------------------------------------------------------- */

/* Go on where a pause is over. Returns how long until the next is, ms; -1: none by itself. */
static int
end_pauses(void)
{
	int64_t next = INT64_MAX;

	list_each_safe (it, &calls) {
		struct call *c = list_item(it, struct call, link);

		if (c->phase != READS && c->pause.clock != CLOCK_NONE && is_over(&c->pause))
			advance(c);
	}
	list_each (it, &calls) {
		const struct call *c = list_item(it, struct call, link);

		if (c->phase != READS && c->pause.clock == CLOCK_MS && !is_over(&c->pause) &&
		    c->pause.until < next)
			next = c->pause.until;
	}
	return next == INT64_MAX ? -1 : (int)(next - clocks[CLOCK_MS]);
}

static void
add_source(int fd, void *tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = tag };

	(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

void
fakebot_loop(struct stage *g, int door, int wake, struct ssl_ctx_st *tls)
{
	static struct epoll_event events[EVENTS];
	static char door_tag, wake_tag;
	int wait_ms = -1;
	uint64_t count;

	/* Whatever else the test has open is none of ours: 3 and 4 stay. */
	door = fcntl(door, F_DUPFD, 1000);
	wake = fcntl(wake, F_DUPFD, 1000);
	if (dup2(door, 3) < 0 || dup2(wake, 4) < 0 || close_range(5, ~0U, 0) < 0)
		return;
	signal(SIGPIPE, SIG_IGN);
	stage = g;
	list_init(&calls);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	add_source(3, &door_tag);
	add_source(4, &wake_tag);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, wait_ms);

		/* The wake-up is taken before the clocks are read: one that comes in between comes
		 * again. */
		(void)!read(4, &count, sizeof count);
		read_clocks();
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &door_tag)
				on_door(3, tls);
			else if (events[i].data.ptr != &wake_tag)
				on_call(events[i].data.ptr);
		}
		wait_ms = end_pauses();
	}
}
