/* http_lane.c - see http_lane.h. */
#include "robot/http_lane.h"

#include "base/mem.h"

#include <stdlib.h>

/* A socket of libcurl in our loop. */
struct socket_watch {
	struct ev_io io;
	struct http_lane *lane;
};

static void
act(struct http_lane *lane, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(lane->multi, fd, what, &running);
	lane->on_act(lane->arg);
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

struct http_lane *
http_lane_new(struct ev_loop *loop, int most_connections, void (*on_act)(void *arg), void *arg)
{
	struct http_lane *lane = mem_zalloc(sizeof *lane);

	lane->loop = loop;
	lane->on_act = on_act;
	lane->arg = arg;
	list_init(&lane->idle);
	ev_timer_init(&lane->timer, on_timer, 0.0, 0.0);
	lane->timer.data = lane;
	lane->multi = curl_multi_init();
	if (lane->multi == NULL)
		abort();
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
	curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)most_connections);
	return lane;
}

void
http_lane_close(struct http_lane *lane)
{
	lane->shut = true;
	ev_timer_stop(lane->loop, &lane->timer);
}

void
http_lane_free(struct http_lane *lane)
{
	curl_multi_cleanup(lane->multi);
	ev_timer_stop(lane->loop, &lane->timer);
	free(lane);
}
