/* http_lanes.h - libcurl on our loop: multi handles ("lanes") and the transfers spread over them.
 * For:     http_curl.c, whose transfers they are, and http_dial.c, which only connects.
 * Holds:   libcurl searches a multi handle's connections linearly (60 us a request at 512
 *          connections, 39 at 64; FAULTS M16), so a lane has at most 32 transfers. The lowest lane
 *          with room is used first, and in it the handle used last; lanes that a rush left behind
 *          go again. Results are told after the turn, never from inside libcurl.
 * Memory:  struct http_lanes is embedded; transfers are allocated by the caller, and freed here
 *          through its `free`. */
#ifndef ROBOT_HTTP_LANES_H
#define ROBOT_HTTP_LANES_H

#include "robot/robot.h"

#include <curl/curl.h>
#include <ev.h>

enum { HTTP_LANE_TRANSFERS = 32, HTTP_MAX_LANES = 512 };

struct http_lane;

/* A handle of libcurl. The caller embeds it in a struct of its own. */
struct http_transfer {
	struct list link; /* in its lane, at rest */
	struct http_lane *lane;
	CURL *easy;
};

struct http_lanes_sink {
	struct http_transfer *(*make)(
	    void *arg); /* with its easy handle, CURLOPT_PRIVATE is ours */
	void (*done)(void *arg, struct http_transfer *t, CURLcode result);
	void (*free)(void *arg, struct http_transfer *t);
};

struct http_lanes {
	const struct http_lanes_sink *sink;
	void *arg;
	struct robot_env env;
	struct later_task drain;
	struct list acted; /* lanes in which something may have ended */
	struct ev_timer sweep;
	struct http_lane *lanes[HTTP_MAX_LANES];
	int n, low; /* those below `low` are full */
};

void http_lanes_init(struct http_lanes *l, const struct robot_env *env,
    const struct http_lanes_sink *sink, void *arg);
/* All transfers must be at rest. */
void http_lanes_release(struct http_lanes *l);

/* A transfer to be prepared, and started; put at rest again when it is done or given up. */
struct http_transfer *http_lanes_take(struct http_lanes *l);
void http_transfer_start(struct http_transfer *t);
void http_transfer_rest(struct http_transfer *t);

#endif
