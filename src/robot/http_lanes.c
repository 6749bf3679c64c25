/* http_lanes.c - see http_lanes.h. The socket callback maps curl's sockets to libev watchers, the
 * timer callback to one timer of the lane. */
#include "robot/http_lanes.h"
#include "robot/http_setup.h"

#include "base/mem.h"

#include <stdlib.h>

enum { QUIET_SWEEPS = 2 };
#define SWEEP_S 10.0

struct http_lane {
	CURLM *multi;
	struct http_lanes *all;
	struct ev_loop *loop;
	struct ev_timer timer;
	struct list acted; /* in all->acted */
	struct list idle;  /* transfers at rest, the one used last in front; how many are not, */
	int n_busy, at;    /* its place among the lanes */
	int n_quiet;       /* and how often none was under way when the sweep came by */
	bool shut;         /* closing: libcurl's callbacks must not arm anything any more */
};

/* A socket of libcurl in our loop. */
struct socket_watch {
	struct ev_io io;
	struct http_lane *lane;
};

/* --- libcurl's callbacks --------------------------------------------------------------------- */

static void
act(struct http_lane *lane, curl_socket_t fd, int what)
{
	int running;

	/* It fails for want of memory alone, as curl_multi_add_handle() does. */
	if (curl_multi_socket_action(lane->multi, fd, what, &running) != CURLM_OK)
		abort();
	if (list_is_empty(&lane->acted))
		list_append(&lane->all->acted, &lane->acted);
	later_add(lane->all->env.later, &lane->all->drain);
}

static void
on_io(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct socket_watch *w = io->data;

	(void)loop;
	act(w->lane, io->fd,
	    (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	act(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct http_lane *lane = arg;
	struct ev_loop *loop = lane->loop;

	(void)multi;
	ev_timer_stop(loop, &lane->timer);
	if (ms < 0 || lane->shut)
		return 0;
	ev_now_update(loop);
	ev_timer_set(&lane->timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(loop, &lane->timer);
	return 0;
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *fd_arg)
{
	struct http_lane *lane = arg;
	struct socket_watch *w = fd_arg;
	struct ev_loop *loop = lane->loop;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			ev_io_stop(loop, &w->io);
		free(w);
		curl_multi_assign(lane->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		w = mem_zalloc(sizeof *w);
		w->lane = lane;
		ev_io_init(&w->io, on_io, (int)fd, 0);
		w->io.data = w;
		curl_multi_assign(lane->multi, fd, w);
	}
	ev_io_stop(loop, &w->io);
	ev_io_set(&w->io, (int)fd,
	    (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	ev_io_start(loop, &w->io);
	return 0;
}

/* --- a lane ---------------------------------------------------------------------------------- */

static struct http_lane *
lane_new(struct http_lanes *l)
{
	struct http_lane *lane = mem_zalloc(sizeof *lane);

	lane->all = l;
	lane->loop = l->env.loop;
	list_init(&lane->idle);
	list_init(&lane->acted);
	ev_timer_init(&lane->timer, on_timer, 0.0, 0.0);
	lane->timer.data = lane;
	lane->multi = curl_multi_init();
	if (lane->multi == NULL)
		abort();
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_LANE_TRANSFERS);
	return lane;
}

static void
lane_free(struct http_lane *lane)
{
	struct http_lanes *l = lane->all;

	lane->shut = true;
	ev_timer_stop(lane->loop, &lane->timer);
	list_remove(&lane->acted);
	while (!list_is_empty(&lane->idle)) {
		struct http_transfer *t = list_item(lane->idle.next, struct http_transfer, link);

		list_remove(&t->link);
		l->sink->free(l->arg, t);
	}
	curl_multi_cleanup(lane->multi);
	ev_timer_stop(lane->loop, &lane->timer);
	free(lane);
}

/* --- all of them ----------------------------------------------------------------------------- */

static void
on_drain(void *arg)
{
	struct http_lanes *l = arg;
	CURLMsg *m;
	int left;

	while (!list_is_empty(&l->acted)) {
		struct http_lane *lane = list_item(l->acted.next, struct http_lane, acted);

		list_remove(&lane->acted);
		while ((m = curl_multi_info_read(lane->multi, &left))) {
			struct http_transfer *t;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
			l->sink->done(l->arg, t, m->data.result);
		}
	}
}

/* The last ones first, because the first are used first. */
static void
on_sweep(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct http_lanes *l = timer->data;

	(void)events;
	for (int i = 0; i < l->n; i++)
		l->lanes[i]->n_quiet = l->lanes[i]->n_busy ? 0 : l->lanes[i]->n_quiet + 1;
	while (l->n && l->lanes[l->n - 1]->n_quiet > QUIET_SWEEPS)
		lane_free(l->lanes[--l->n]);
	if (l->n == 0)
		ev_timer_stop(loop, timer);
}

void
http_lanes_init(struct http_lanes *l, const struct robot_env *env,
    const struct http_lanes_sink *sink, void *arg)
{
	l->sink = sink;
	l->arg = arg;
	l->env = *env;
	l->n = l->low = 0;
	list_init(&l->acted);
	later_task_init(&l->drain, on_drain, l);
	ev_timer_init(&l->sweep, on_sweep, 0.0, SWEEP_S);
	l->sweep.data = l;
}

void
http_lanes_release(struct http_lanes *l)
{
	later_remove(&l->drain);
	ev_timer_stop(l->env.loop, &l->sweep);
	while (l->n)
		lane_free(l->lanes[--l->n]);
}

static struct http_lane *
pick_lane(struct http_lanes *l)
{
	while (l->low < l->n && l->lanes[l->low]->n_busy >= HTTP_LANE_TRANSFERS)
		l->low++;
	if (l->low < l->n)
		return l->lanes[l->low];
	/* Beyond 16,384 transfers at once the last lane takes them all: slower, not wrong. */
	if (l->n == HTTP_MAX_LANES)
		return l->lanes[HTTP_MAX_LANES - 1];
	l->lanes[l->n] = lane_new(l);
	l->lanes[l->n]->at = l->n;
	return l->lanes[l->n++];
}

struct http_transfer *
http_lanes_take(struct http_lanes *l)
{
	struct http_lane *lane = pick_lane(l);
	struct http_transfer *t;

	if (list_is_empty(&lane->idle)) {
		t = l->sink->make(l->arg);
		list_init(&t->link);
		t->lane = lane;
		http_set(t->easy, CURLOPT_PRIVATE, t);
	} else {
		t = list_item(lane->idle.next, struct http_transfer, link);
		list_remove(&t->link);
	}
	lane->n_busy++;
	lane->n_quiet = 0;
	if (!ev_is_active(&l->sweep))
		ev_timer_again(l->env.loop, &l->sweep);
	return t;
}

void
http_transfer_start(struct http_transfer *t)
{
	if (curl_multi_add_handle(t->lane->multi, t->easy) != CURLM_OK)
		abort();
}

void
http_transfer_rest(struct http_transfer *t)
{
	curl_multi_remove_handle(t->lane->multi, t->easy);
	t->lane->n_busy--;
	if (t->lane->at < t->lane->all->low)
		t->lane->all->low = t->lane->at;
	/* In front: used last, reused first. */
	list_append(t->lane->idle.next, &t->link);
}
