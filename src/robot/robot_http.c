/* robot_http.c - see robot_http.h: the clocks of a request, and when its reader is told what.
 *
 * First byte and gap are lists of lapses, because they are about progress, which no transport can
 * know. The time to connect is the engine's, the whole time is that of the question. */
#include "robot/http_call.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAST_MS = 1000 }; /* how long we wait for an account, or for a rest */

struct http {
	const struct http_engine *engine;
	void *own; /* the engine's */
	struct robot_env env;
	struct lapse first_byte, gap, last;
	struct later_task drain;
	struct list ready;
};

/* --- one call, for the engines --------------------------------------------------------------- */

void
http_call_init(struct http_call *call, struct http *h, uint32_t limit_bytes)
{
	*call = (struct http_call){ .http = h, .end = HTTP_END_NONE };
	list_init(&call->ready);
	lapse_entry_init(&call->progress);
	buf_init(&call->pending, limit_bytes);
}

void
http_call_release(struct http_call *call)
{
	lapse_stop(&call->progress);
	list_remove(&call->ready);
	buf_release(&call->body);
	buf_release(&call->pending);
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

void
http_call_begin(struct http_call *call, struct buf *body)
{
	call->body = *body;
	buf_init(body, body->limit);
	call->id = next_id();
	lapse_touch(&call->http->first_byte, &call->progress);
}

void
http_call_reset(struct http_call *call)
{
	struct http *h = call->http;
	uint32_t limit = call->pending.limit;

	http_call_release(call);
	http_call_init(call, h, limit);
}

static void
finish(struct http_call *call, enum why why)
{
	const struct http_sink *sink = call->sink;
	struct http_end end = call->end;
	void *arg = call->arg;

	end.held_up = call->held_up;
	call->http->engine->rest(call);
	if (sink)
		sink->end(arg, why, &end);
}

static void
be_ready(struct http_call *call)
{
	struct http *h = call->http;

	if (list_is_empty(&call->ready))
		list_append(&h->ready, &call->ready);
	later_add(h->env.later, &h->drain);
}

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

/* Hand on. The sink may cancel, detach or pause the call. */
static void
hand_on(struct http_call *call, const char *bytes, size_t n)
{
	uint64_t id = call->id;
	enum reply_step step;

	if (call->sink == NULL)
		return;
	if (!call->began) {
		call->began = true;
		call->sink->head(call->arg, call->end.status, call->type ? call->type : "");
	}
	step = call->sink->bytes(call->arg, bytes, n);
	if (call->id == id && call->sink)
		wind_clock(call, step);
}

int
http_call_keep(struct http_call *call, const char *bytes, size_t n)
{
	if (buf_add(&call->pending, bytes, n))
		return -1;
	if (!call->paused)
		be_ready(call);
	return 0;
}

int
http_call_bytes(struct http_call *call, const char *bytes, size_t n)
{
	if (call->sink && (call->paused || call->pending.len))
		return http_call_keep(call, bytes, n);
	hand_on(call, bytes, n);
	return 0;
}

void
http_call_end(struct http_call *call, enum why why)
{
	call->ended = true;
	call->why = why;
	/* It is told to a paused reader too: the request holds a place of max_inflight. But not
	 * ahead of the bytes. */
	if (call->pending.len)
		be_ready(call);
	else
		finish(call, why);
}

/* --- after the turn -------------------------------------------------------------------------- */

static void
deliver(struct http_call *call)
{
	struct buf bytes = call->pending;
	uint64_t id = call->id;

	buf_init(&call->pending, bytes.limit);
	if (bytes.len)
		hand_on(call, buf_head(&bytes), bytes.len);
	buf_release(&bytes);
	if (call->id == id && call->ended)
		finish(call, call->why);
}

static void
on_drain(void *arg)
{
	struct http *h = arg;

	while (!list_is_empty(&h->ready)) {
		struct http_call *call = list_item(h->ready.next, struct http_call, ready);

		list_remove(&call->ready);
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

/* --- the public face ------------------------------------------------------------------------- */

/* Hosts that are not ASCII are libcurl's to translate. */
static const struct http_engine *
engine_for(const char *url)
{
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p >= 0x80)
			return &http_curl;
	return strncmp(url, "http://", 7) == 0 ? &http_plain : &http_curl;
}

struct http *
http_open(const struct http_options *o, const struct robot_env *env)
{
	struct http *h = mem_zalloc(sizeof *h);

	h->env = *env;
	h->engine = engine_for(o->url);
	list_init(&h->ready);
	lapse_init(&h->first_byte, env->loop, o->first_byte_ms, on_late, h);
	lapse_init(&h->gap, env->loop, o->gap_ms, on_late, h);
	lapse_init(&h->last, env->loop, LAST_MS, on_late, h);
	later_task_init(&h->drain, on_drain, h);
	h->own = h->engine->open(h, o, env);
	return h;
}

void
http_close(struct http *h)
{
	later_remove(&h->drain);
	/* Rests that nobody waits for are still under way: their entries are in `last`. */
	while (!list_is_empty(&h->last.entries))
		h->engine->rest(list_item(h->last.entries.next, struct http_call, progress.link));
	h->engine->close(h->own);
	lapse_release(&h->first_byte);
	lapse_release(&h->gap);
	lapse_release(&h->last);
	free(h);
}

struct http_call *
http_start(struct http *h, struct buf *body, const char *url, const char *header,
    const struct http_sink *sink, void *arg)
{
	struct http_call *call = h->engine->start(h->own, body, url, header);

	call->sink = sink;
	call->arg = arg;
	return call;
}

void
http_cancel(struct http_call *call)
{
	call->http->engine->rest(call);
}

void
http_expire(struct http_call *call)
{
	finish(call, WHY_TIMEOUT);
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
	} else {
		lapse_touch(call->finished ? &call->http->last : &call->http->gap, &call->progress);
		if (call->pending.len || call->ended)
			be_ready(call);
	}
	call->http->engine->pause(call, pause);
}
