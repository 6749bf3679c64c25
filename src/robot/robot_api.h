/* robot_api.h - what the files of the engine behind all HTTP robots share.
 * For:     robot_api.c, api_line.c, api_keys.c.     Callers: those alone.
 * Memory:  a call is freed by robot_api_finish() or by a cancel. */
#ifndef ROBOT_ROBOT_API_H
#define ROBOT_ROBOT_API_H

#include "robot/api.h"
#include "robot/http_end.h"
#include "robot/robot_http.h"

#include "base/lapse.h"
#include "base/seldom.h"

struct api_robot {
	struct robot *r;
	const struct api *api;
	struct http *http;
	struct pseudonym *pseudonym;
	struct buf url;
	char **headers;      /* with the key, for each; NULL when the key is in the body */
	struct list waiting; /* api_calls in line */
	struct lapse total;  /* those of total_timeout */
	struct list spare;   /* api_calls to be used again, with their parsers */
	int n_spare;
	struct ev_timer look;
	struct later_task look_soon;
	unsigned without;               /* API_NO_..., learned */
	struct seldom refusals, misses; /* that are logged */
};

struct api_call {
	struct list link; /* in line, or spare */
	struct ask *ask;
	const struct talk *talk;
	struct http_call *http;
	struct reply reply;
	struct ev_timer again; /* a pause before the same once more */
	struct lapse_entry total;
	int64_t since_ms, line_ms; /* it was asked; it is in line */
	unsigned without;          /* API_NO_... that the request under way went by */
	int key, n_history, n_retries, n_requests;
	bool counted; /* in the standing's requests under way */
	bool begun;   /* the reply was told its head */
};

static inline struct api_robot *
robot_api_of(const struct api_call *call)
{
	return call->ask->robot->own;
}

/* Make the request, for the first time or once more. */
void robot_api_send(struct api_call *call);
/* The end: frees the call, then tells. */
void robot_api_finish(struct api_call *call, enum why why);

/* --- api_line.c: who waits for max_inflight -------------------------------------------------- */

void api_line_init(struct api_robot *a);
void api_line_release(struct api_robot *a);
/* Send it when there is room, at once or later; or finish it as WHY_BUSY after the time of the
 * first byte. Without a limit it is sent at once. */
void api_line_enter(struct api_call *call);
/* It is over, wherever it was. */
void api_line_leave(struct api_call *call);

/* --- api_keys.c: which key is used ----------------------------------------------------------- */

/* The first key that is not set aside; -1: all are. A robot without keys has one that is empty. */
int api_keys_find(const struct robot *r);
const char *api_keys_at(const struct robot *r, int i);
/* WHY_KEY: it was rejected; WHY_QUOTA: its calls are used up. All workers leave it alone for a
 * while, and one of them says so in the log. */
void api_keys_set_aside(const struct api_call *call, enum why why, long status);
/* What the server said of its error, as a value for the log: without keys, and without sentences
 * unless log.messages is set. */
const char *api_keys_hide(const struct api_call *call);

#endif
