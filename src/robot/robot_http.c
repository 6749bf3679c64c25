/* robot_http.c - see robot_http.h.
 *
 * Transfers are spread over lanes (http_lane.h): the lowest lane with room first, and in it the
 * handle used last. The multi is never called from inside a curl callback: the write callback only
 * keeps the bytes, and they are handed on in the after-turn queue, as results are.
 *
 * Connect and total time are libcurl's own timers. First byte and gap are lists, because they are
 * about progress, which libcurl cannot know. */
#include "robot/robot_http.h"
#include "robot/http_end.h"
#include "robot/http_lane.h"
#include "robot/http_setup.h"

#include "base/lapse.h"
#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANE_CALLS = 32, MAX_LANES = 512, QUIET_SWEEPS = 2 };
#define SWEEP_S 10.0
/* Headers of a reply; a rest nobody waits for; how long we wait for an account, or for a rest. */
enum { HEAD_BYTES = 65536, REST_BYTES = 65536, LAST_MS = 1000 };

struct http_call {
	struct list link;  /* in the lane's idle list */
	struct list ready; /* in http->ready: bytes or an end to be handed on */
	struct http *http;
	struct http_lane *lane;
	CURL *easy;
	struct curl_slist *headers;
	const char *header; /* the one that came with http_start() */
	char *id_digits;    /* inside the first header */
	uint64_t id;
	struct buf body, pending;
	size_t n_head, n_rest;
	struct lapse_entry progress;
	const struct http_sink *sink; /* NULL: idle, or nobody waits for the rest */
	void *arg;
	bool began, counts, overflow; /* the head was told; the clock of the gap runs */
	bool finished;                /* the answer is whole, its account may follow */
	bool paused, stuck;           /* stuck: libcurl was told to pause, too */
	bool held_up;     /* it was paused once: what is late is not the robot's fault */
	bool ended, gets; /* gets: the handle was used for a GET */
	enum why why;     /* of the end */
};

struct http {
	struct http_options o;
	struct robot_env env;
	struct lapse first_byte, gap, last;
	struct later_task drain;
	struct list ready;
	struct ev_timer sweep;
	struct http_lane *lanes[MAX_LANES];
	int n_lanes;
};

/* --- libcurl hands bytes over ---------------------------------------------------------------- */

static void
be_ready(struct http_call *call)
{
	struct http *h = call->http;

	if (list_is_empty(&call->ready))
		list_append(&h->ready, &call->ready);
	later_add(h->env.later, &h->drain);
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	n *= size;
	if (call->paused) {
		call->stuck = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (call->sink == NULL) {
		call->n_rest += n;
		return call->n_rest <= REST_BYTES ? n : 0;
	}
	if (buf_add(&call->pending, bytes, n)) {
		call->overflow = true;
		return 0; /* libcurl ends the transfer */
	}
	be_ready(call);
	return n;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	(void)bytes;
	call->n_head += size * n;
	return call->n_head <= HEAD_BYTES ? size * n : 0;
}

/* --- one transfer ---------------------------------------------------------------------------- */

static void
set_headers(struct http_call *call, const char *header)
{
	curl_slist_free_all(call->headers);
	call->headers = http_setup_headers(&call->http->o, header, &call->id_digits);
	call->header = header;
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static struct http_call *
call_new(struct http *h, struct http_lane *lane)
{
	struct http_call *call = mem_zalloc(sizeof *call);

	call->http = h;
	call->lane = lane;
	list_init(&call->link);
	list_init(&call->ready);
	lapse_entry_init(&call->progress);
	buf_init(&call->pending, call->http->o.limit_bytes);
	call->easy = curl_easy_init();
	if (call->easy == NULL)
		abort();
	http_setup_easy(call->easy, &call->http->o);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	return call;
}

static void
call_free(struct http_call *call)
{
	list_remove(&call->ready);
	lapse_stop(&call->progress);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buf_release(&call->body);
	buf_release(&call->pending);
	free(call);
}

static void
call_rest(struct http_call *call)
{
	curl_multi_remove_handle(call->lane->multi, call->easy);
	lapse_stop(&call->progress);
	list_remove(&call->ready);
	call->sink = NULL;
	call->id = 0;
	buf_release(&call->body);
	buf_release(&call->pending);
	call->began = call->counts = call->overflow = call->ended = false;
	call->finished = call->paused = call->stuck = call->held_up = false;
	call->n_head = call->n_rest = 0;
	call->lane->n_busy--;
	/* In front: used last, reused first. */
	list_append(call->lane->idle.next, &call->link);
}

static void
finish(struct http_call *call, enum why why)
{
	const struct http_sink *sink = call->sink;
	void *arg = call->arg;
	struct http_end end;

	http_end_read(call->easy, &end);
	end.held_up = call->held_up;
	call_rest(call);
	if (sink)
		sink->end(arg, why, &end);
}

/* --- after the turn -------------------------------------------------------------------------- */

static void
wind_clock(struct http_call *call, enum reply_step step)
{
	struct http *h = call->http;

	if (call->paused || step == REPLY_BLANK)
		return;
	if (step == REPLY_FINISHED && !call->finished)
		lapse_touch(&h->last, &call->progress);
	else if (step == REPLY_FINISHED)
		return;
	else if (step == REPLY_PROGRESS || !call->counts)
		lapse_touch(&h->gap, &call->progress);
	call->counts = true;
	call->finished = step == REPLY_FINISHED;
}

/* Hand on what came. The sink may cancel, detach or pause the call. */
static void
deliver(struct http_call *call)
{
	struct buf bytes = call->pending;
	uint64_t id = call->id;
	enum reply_step step;

	buf_init(&call->pending, bytes.limit);
	if (bytes.len && call->sink) {
		if (!call->began) {
			char *type = NULL;
			long status = 0;

			curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
			curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
			call->began = true;
			call->sink->head(call->arg, status, type ? type : "");
		}
		step = call->sink->bytes(call->arg, buf_head(&bytes), bytes.len);
		if (call->id == id && call->sink)
			wind_clock(call, step);
	}
	buf_release(&bytes);
	if (call->id == id && call->ended)
		finish(call, call->why);
}

static void
on_act(void *arg)
{
	struct http *h = arg;

	later_add(h->env.later, &h->drain);
}

static void
on_drain(void *arg)
{
	struct http *h = arg;
	CURLMsg *m;
	int left;

	for (int i = 0; i < h->n_lanes; i++) {
		while ((m = curl_multi_info_read(h->lanes[i]->multi, &left))) {
			struct http_call *call;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
			call->ended = true;
			call->why = call->overflow ? WHY_BAD_REPLY : http_end_why(m->data.result);
			if (list_is_empty(&call->ready))
				list_append(&h->ready, &call->ready);
		}
	}
	while (!list_is_empty(&h->ready)) {
		struct http_call *call = list_item(h->ready.next, struct http_call, ready);

		list_remove(&call->ready);
		/* An end is told to a paused reader too: it holds a place of max_inflight. */
		if (!call->paused || call->ended)
			deliver(call);
	}
}

static void
on_late(struct lapse_entry *e, void *arg)
{
	(void)arg;
	finish(list_item(e, struct http_call, progress), WHY_TIMEOUT);
}

/* --- lanes and the public face --------------------------------------------------------------- */

static struct http_lane *
pick_lane(struct http *h)
{
	for (int i = 0; i < h->n_lanes; i++)
		if (h->lanes[i]->n_busy < LANE_CALLS)
			return h->lanes[i];
	/* Beyond 16,384 transfers at once the last lane takes them all: slower, not wrong. */
	if (h->n_lanes == MAX_LANES)
		return h->lanes[MAX_LANES - 1];
	return h->lanes[h->n_lanes++] = http_lane_new(h->env.loop, LANE_CALLS, on_act, h);
}

static void
lane_free(struct http_lane *lane)
{
	http_lane_close(lane);
	while (!list_is_empty(&lane->idle)) {
		struct http_call *call = list_item(lane->idle.next, struct http_call, link);

		list_remove(&call->link);
		call_free(call);
	}
	http_lane_free(lane);
}

/* Lanes that a rush left behind go again, with their connections and handles: the last ones first,
 * because the first are used first. */
static void
on_sweep(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct http *h = t->data;

	(void)events;
	for (int i = 0; i < h->n_lanes; i++)
		h->lanes[i]->n_quiet = h->lanes[i]->n_busy ? 0 : h->lanes[i]->n_quiet + 1;
	while (h->n_lanes && h->lanes[h->n_lanes - 1]->n_quiet > QUIET_SWEEPS)
		lane_free(h->lanes[--h->n_lanes]);
	if (h->n_lanes == 0)
		ev_timer_stop(loop, t);
}

struct http *
http_open(const struct http_options *o, const struct robot_env *env)
{
	struct http *h = mem_zalloc(sizeof *h);

	h->o = *o;
	h->env = *env;
	list_init(&h->ready);
	lapse_init(&h->first_byte, env->loop, o->first_byte_ms, on_late, h);
	lapse_init(&h->gap, env->loop, o->gap_ms, on_late, h);
	lapse_init(&h->last, env->loop, LAST_MS, on_late, h);
	later_task_init(&h->drain, on_drain, h);
	ev_timer_init(&h->sweep, on_sweep, 0.0, SWEEP_S);
	h->sweep.data = h;
	return h;
}

/* Rests that nobody waits for are still under way: their entries are in `last`. */
static void
drop_rests(struct http *h)
{
	while (!list_is_empty(&h->last.entries)) {
		struct lapse_entry *e = list_item(h->last.entries.next, struct lapse_entry, link);

		call_rest(list_item(e, struct http_call, progress));
	}
}

void
http_close(struct http *h)
{
	later_remove(&h->drain);
	drop_rests(h);
	ev_timer_stop(h->env.loop, &h->sweep);
	for (int i = 0; i < h->n_lanes; i++)
		lane_free(h->lanes[i]);
	lapse_release(&h->first_byte);
	lapse_release(&h->gap);
	lapse_release(&h->last);
	free(h);
}

/* Of this request among all of this machine, for as long as anybody cares. */
static uint64_t
next_id(void)
{
	static uint64_t last;

	if (last == 0)
		last = (uint64_t)getpid() << 40 ^ (uint64_t)lapse_now_ms() << 12;
	return ++last;
}

static struct http_call *
idle_call(struct http *h, struct http_lane *lane)
{
	struct http_call *call;

	if (list_is_empty(&lane->idle))
		return call_new(h, lane);
	call = list_item(lane->idle.next, struct http_call, link);
	list_remove(&call->link);
	return call;
}

static void
set_method(struct http_call *call, const char *url)
{
	if (url) {
		curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(call->easy, CURLOPT_URL, url);
	} else {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, buf_head(&call->body));
		curl_easy_setopt(
		    call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
		if (call->gets) {
			curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
			curl_easy_setopt(call->easy, CURLOPT_URL, call->http->o.url);
		}
	}
	call->gets = url != NULL;
}

struct http_call *
http_start(struct http *h, struct buf *body, const char *url, const char *header, int64_t total_ms,
    const struct http_sink *sink, void *arg)
{
	struct http_lane *lane = pick_lane(h);
	struct http_call *call = idle_call(h, lane);
	char digits[HTTP_ID_DIGITS + 1];

	lane->n_busy++;
	lane->n_quiet = 0;
	if (!ev_is_active(&h->sweep))
		ev_timer_again(h->env.loop, &h->sweep);
	call->sink = sink;
	call->arg = arg;
	call->body = *body;
	call->id = next_id();
	buf_init(body, body->limit);
	if (call->headers == NULL || call->header != header)
		set_headers(call, header);
	snprintf(digits, sizeof digits, "%016" PRIx64, call->id);
	memcpy(call->id_digits, digits, HTTP_ID_DIGITS);
	set_method(call, url);
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)total_ms);
	lapse_touch(&h->first_byte, &call->progress);
	curl_multi_add_handle(lane->multi, call->easy);
	return call;
}

void
http_cancel(struct http_call *call)
{
	call_rest(call);
}

void
http_detach(struct http_call *call)
{
	call->sink = NULL;
	buf_release(&call->pending);
	http_pause(call, false);
	lapse_touch(&call->http->last, &call->progress);
}

void
http_pause(struct http_call *call, bool pause)
{
	if (call->paused == pause)
		return;
	call->paused = pause;
	if (pause) {
		call->held_up = true;
		lapse_stop(&call->progress);
		return;
	}
	lapse_touch(call->finished ? &call->http->last : &call->http->gap, &call->progress);
	if (call->pending.len || call->ended)
		be_ready(call);
	if (call->stuck) {
		call->stuck = false;
		curl_easy_pause(call->easy, CURLPAUSE_CONT);
	}
}
