/* http_lane.h - one multi handle of libcurl on the loop.
 * For:     robot_http.c, which spreads transfers over lanes: libcurl searches a multi handle's
 *          cache of connections linearly (60 us a request at 512 connections, 39 at 64; FAULTS
  *          M16).
 * Holds:   the socket callback maps curl's sockets to libev watchers, the timer callback to one
 *          timer. on_act is called when transfers may have come on.
 * Memory:  http_lane_new() gives. */
#ifndef ROBOT_HTTP_LANE_H
#define ROBOT_HTTP_LANE_H

#include "base/list.h"

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>

struct http_lane {
	CURLM *multi;
	struct ev_loop *loop;
	struct ev_timer timer;
	void (*on_act)(void *arg);
	void *arg;
	struct list idle; /* for the caller: handles at rest, how many are not, */
	int n_busy;
	int n_quiet; /* and how often it was found without any */
	bool shut;   /* closing: libcurl's callbacks must not arm anything any more */
};

struct http_lane *http_lane_new(
    struct ev_loop *loop, int most_connections, void (*on_act)(void *arg), void *arg);
/* Nothing is to happen any more; easy handles may be freed then, and after them the lane. */
void http_lane_close(struct http_lane *lane);
void http_lane_free(struct http_lane *lane);

#endif
