/* robot_api.c - every robot behind HTTP: an API's pure functions on robot_http.h.
 *
 * A question is one api_call. It may wait in line (max_inflight), is sent, read by reply.c, and
 * then there is a verdict. Until text went out, a verdict may lead to another request: with the
 * next key, with less of the chat, without a member that the server refused, or the same again
 * after a pause. Afterwards nothing is asked twice. Which class leads where is robot-apis, section
  * 6.
 *
 * api_line.c is the line, api_keys.c the keys. */
#include "robot/robot_api.h"
#include "robot/robot_kinds.h"

#include "base/log.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	REQUEST_BYTES = 1 << 24,
	SLACK_BYTES = 65536,
	TURN_BYTES = 4 << 20, /* of a stream, in one turn of the loop */
	FIRST_WAIT_MS = 500,
	QUICK_MS = 1000,   /* a wait that is worth it although others could answer */
	PATIENT_MS = 5000, /* and when nobody else can */
	MOST_REQUESTS = 8,
	NOTICE_MS = 60000,
	SPARE_CALLS = 64
};

static uint32_t
value_limit(const struct robot *r)
{
	return (uint32_t)(2 * r->env.limit_bytes + SLACK_BYTES);
}

/* --- the verdict ----------------------------------------------------------------------------- */

static void
call_free(struct api_call *call)
{
	struct api_robot *a = robot_api_of(call);

	api_line_leave(call);
	ev_timer_stop(call->ask->robot->env.loop, &call->again);
	lapse_stop(&call->total);
	reply_reset(&call->reply);
	call->ask->own = NULL;
	if (a->n_spare == SPARE_CALLS) {
		reply_release(&call->reply);
		free(call);
		return;
	}
	a->n_spare++;
	list_append(a->spare.next, &call->link); /* used last, used first */
}

static struct api_call *
call_new(struct api_robot *a, struct ask *ask, const struct talk *talk)
{
	struct api_call *call;

	if (list_is_empty(&a->spare)) {
		call = mem_zalloc(sizeof *call);
		reply_init(&call->reply, a->api->on_value, value_limit(a->r));
	} else {
		call = list_item(list_first(&a->spare), struct api_call, link);
		list_remove(&call->link);
		a->n_spare--;
	}
	call->ask = ask;
	call->talk = talk;
	call->http = NULL;
	call->since_ms = lapse_now_ms();
	call->n_retries = call->n_requests = 0;
	call->counted = call->begun = false;
	list_init(&call->link);
	lapse_entry_init(&call->total);
	return call;
}

void
robot_api_finish(struct api_call *call, enum why why)
{
	struct ask *ask = call->ask;

	ask->tokens_in = call->reply.tokens_in;
	ask->tokens_out = call->reply.tokens_out;
	call_free(call);
	ask_done(ask, why);
}

/* A refusal is the operator's to mend: say so, but once a minute. */
static void
note_refusal(const struct api_call *call, long status)
{
	struct api_robot *a = robot_api_of(call);
	int kept_back;

	if (!seldom_may(&a->refusals, 1, NOTICE_MS, lapse_now_ms(), &kept_back))
		return;
	log_warn("robot_refused robot=%s status=%ld code=%" PRId64 " says=%s", a->r->conf->name,
	    status, call->reply.code, api_keys_hide(call));
}

/* So is a server that is not there, or shows a certificate that is not good. */
static void
note_miss(const struct api_call *call, const struct http_end *end)
{
	struct api_robot *a = robot_api_of(call);
	const char *what = curl_easy_strerror(end->code), *number = strerror(end->number);
	char text[256];
	int kept_back;

	if (!seldom_may(&a->misses, 1, NOTICE_MS, lapse_now_ms(), &kept_back))
		return;
	snprintf(
	    text, sizeof text, "%s%s%s", what, end->number ? ": " : "", end->number ? number : "");
	log_warn(
	    "robot_unreachable robot=%s why=%s", a->r->conf->name, log_quote(text, strlen(text)));
}

/* Half a second, doubling, less up to a quarter by chance, so that not all come back at once. */
static int64_t
pause_ms(int n_retries)
{
	int64_t ms = (int64_t)FIRST_WAIT_MS << (n_retries < 4 ? n_retries : 4);

	return ms - ms * (random() % 1000) / 4000;
}

/* Can the same request succeed in a while that is worth it? Then wait for it. `told`: the robot
 * said itself that it cannot now, by a status or, as Turing does, by a code under 200. */
static bool
try_again_later(struct api_call *call, enum why why, bool told, const struct http_end *end)
{
	const struct robot *r = call->ask->robot;
	bool can = why == WHY_RATE || (why == WHY_UNAVAILABLE && told);
	int64_t ms = end->wait_ms > 0 ? end->wait_ms : pause_ms(call->n_retries);
	int64_t spent_ms = lapse_now_ms() - call->since_ms;

	if (end->should_retry >= 0)
		can = end->should_retry;
	if (!can || call->n_retries >= (call->ask->alone ? 2 : 1) ||
	    ms > (call->ask->alone ? PATIENT_MS : QUICK_MS) || spent_ms + ms >= r->conf->total_ms)
		return false;
	call->n_retries++;
	api_line_leave(call); /* nobody waits for a pause */
	standing_add(&r->standing->retries, 1);
	log_info("robot_retry robot=%s why=%s status=%ld ms=%" PRId64, r->conf->name,
	    why_words[why], end->status, ms);
	ev_timer_set(&call->again, (double)ms / 1000.0, 0.0);
	ev_timer_start(r->env.loop, &call->again);
	return true;
}

/* Is there another request to be made at once? Make it. */
static bool
try_otherwise(struct api_call *call, enum why why, const struct http_end *end)
{
	struct api_robot *a = robot_api_of(call);
	unsigned more = 0;
	int next;

	if (call->n_requests >= MOST_REQUESTS)
		return false;
	if (why == WHY_KEY || why == WHY_QUOTA) {
		api_keys_set_aside(call, why, end->status);
		next = api_keys_find(a->r);
		if (next < 0)
			return false;
		call->key = next;
	} else if (why == WHY_TOO_LONG && call->n_history > 0) {
		call->n_history /= 2;
		log_info("robot_memory_cut robot=%s turns=%d", a->r->conf->name, call->n_history);
	} else if ((more = api_can_leave_out(
			a->api, a->r->conf, call->without, why, end->status, call->reply.says))) {
		a->without |= more;
	} else {
		return false;
	}
	robot_api_send(call);
	return true;
}

static void
conclude(struct api_call *call, enum why transport, const struct http_end *end)
{
	bool told = end->status >= 400 || transport == WHY_OK;
	enum why why = reply_end(&call->reply, transport);

	call->http = NULL;
	if (call->reply.text.len)
		ask_piece(call->ask, buf_head(&call->reply.text), call->reply.text.len);
	buf_cut(&call->reply.text, 0);
	if (why != WHY_OK && call->ask->n_bytes == 0 &&
	    (try_otherwise(call, why, end) || try_again_later(call, why, told, end)))
		return;
	if (why == WHY_REFUSED || why == WHY_TOO_LONG)
		note_refusal(call, end->status);
	if (why == WHY_UNAVAILABLE && end->code != CURLE_OK)
		note_miss(call, end);
	call->ask->held_up = end->held_up;
	if (why == WHY_RATE || why == WHY_UNAVAILABLE)
		call->ask->wait_ms = end->wait_ms > 0 ? end->wait_ms : 0;
	robot_api_finish(call, why);
}

/* --- the transfer ---------------------------------------------------------------------------- */

static void
on_head(void *arg, long status, const char *type)
{
	struct api_call *call = arg;

	call->begun = true;
	reply_head(&call->reply, status, type);
}

static enum reply_step
on_bytes(void *arg, const char *bytes, size_t n)
{
	struct api_call *call = arg;
	struct reply *r = &call->reply;
	enum reply_step step = reply_feed(r, bytes, n);

	if (r->text.len && !r->whole) {
		ask_piece(call->ask, buf_head(&r->text), r->text.len);
		buf_cut(&r->text, 0);
		if (ask_is_full(call->ask))
			r->finished = r->over = true, step = REPLY_OVER;
	}
	/* An error's end is near, and brings what the server wants of us along. */
	if (step == REPLY_OVER && r->status < 400) {
		const struct http_end end = {
			.status = r->status, .wait_ms = -1, .should_retry = -1
		};

		http_detach(call->http);
		conclude(call, WHY_OK, &end);
	}
	return step;
}

static void
on_end(void *arg, enum why why, const struct http_end *end)
{
	struct api_call *call = arg;

	if (!call->begun)
		reply_head(&call->reply, end->status, "");
	conclude(call, why, end);
}

static const struct http_sink sink = { on_head, on_bytes, on_end };

/* The body of a POST; or the address of a GET, for a server that takes no POST. */
static void
make_request(struct api_call *call, struct buf *body, struct buf *url)
{
	struct api_robot *a = robot_api_of(call);
	struct timespec now;
	struct api_question q = { .conf = a->r->conf,
		.key = api_keys_at(a->r, call->key),
		.talk = call->talk,
		.n_history = call->n_history,
		.without = call->without,
		.pseudonym = a->pseudonym };

	clock_gettime(CLOCK_REALTIME, &now);
	q.wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	buf_init(body, REQUEST_BYTES);
	buf_init(url, REQUEST_BYTES);
	if (!(call->without & API_NO_POST)) {
		a->api->request(&q, body);
		return;
	}
	(void)buf_adds(url, buf_head(&a->url));
	a->api->query(&q, url);
	(void)buf_add(url, "", 1);
}

void
robot_api_send(struct api_call *call)
{
	struct api_robot *a = robot_api_of(call);
	struct buf body, url;

	reply_reset(&call->reply);
	call->begun = false;
	call->without = a->without;
	call->ask->clean = (struct text_clean){ .n_part = 0 };
	/* The time in line is bounded by that of the first byte. */
	if (call->n_requests++ == 0)
		lapse_touch(&a->total, &call->total);
	make_request(call, &body, &url);
	call->http = http_start(a->http, &body, url.len ? buf_head(&url) : NULL,
	    a->headers ? a->headers[call->key] : NULL, &sink, call);
	buf_release(&url);
}

static void
on_again(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	api_line_enter(t->data);
}

/* Its time is up, wherever it is. */
static void
on_total(struct lapse_entry *e, void *arg)
{
	struct api_call *call = list_item(e, struct api_call, total);

	(void)arg;
	call->n_requests = MOST_REQUESTS; /* no other one, whatever was heard by now */
	if (call->http)
		http_expire(call->http);
	else
		robot_api_finish(call, WHY_TIMEOUT);
}

/* --- the vtable ------------------------------------------------------------------------------ */

/* All keys are set aside: nobody is asked. */
static void
on_no_key(void *arg)
{
	struct ask *ask = arg;

	robot_api_finish(ask->own, WHY_RESTS);
}

static void
api_ask(struct robot *r, const struct talk *talk, struct ask *ask)
{
	struct api_call *call = call_new(r->own, ask, talk);

	call->n_history = r->ops->wants_history ? talk->n_history : 0;
	call->key = api_keys_find(r);
	ev_timer_init(&call->again, on_again, 0.0, 0.0);
	call->again.data = call;
	ask->own = call;
	if (call->key >= 0) {
		api_line_enter(call);
		return;
	}
	later_task_init(&ask->later, on_no_key, ask);
	later_add(r->env.later, &ask->later);
}

static void
api_cancel(struct ask *ask)
{
	struct api_call *call = ask->own;

	if (call == NULL)
		return;
	if (call->http)
		http_cancel(call->http);
	call_free(call);
}

static void
api_pause(struct ask *ask, bool pause)
{
	struct api_call *call = ask->own;

	if (call && call->http)
		http_pause(call->http, pause);
}

static void
make_headers(struct api_robot *a)
{
	const struct conf_texts *keys = &a->r->conf->api_key;

	if (a->api->key_header == NULL || keys->n == 0)
		return;
	a->headers = mem_zalloc((size_t)keys->n * sizeof *a->headers);
	for (int i = 0; i < keys->n; i++) {
		size_t size = strlen(a->api->key_header) + strlen(keys->at[i]) + 1;

		a->headers[i] = mem_zalloc(size);
		snprintf(a->headers[i], size, "%s%s", a->api->key_header, keys->at[i]);
	}
}

static int
api_open(struct robot *r, struct err *e)
{
	const struct conf_robot *c = r->conf;
	struct api_robot *a = mem_zalloc(sizeof *a);
	struct http_options o = { .more_header = r->ops->api->more_header,
		.ca = c->ca,
		.connect_ms = c->connect_ms,
		.first_byte_ms = c->first_byte_ms,
		.gap_ms = c->gap_ms,
		.stream = r->ops->wants_history && c->stream };

	(void)e;
	a->r = r;
	a->api = r->ops->api;
	api_line_init(a);
	list_init(&a->spare);
	lapse_init(&a->total, r->env.loop, c->total_ms, on_total, a);
	buf_init(&a->url, 1 << 16);
	api_url(a->api, c->url, &a->url);
	(void)buf_add(&a->url, "", 1);
	make_headers(a);
	a->pseudonym = pseudonym_new(c->api_key.n ? c->api_key.at[0] : "");
	o.url = buf_head(&a->url);
	o.limit_bytes = o.stream ? TURN_BYTES : value_limit(r);
	a->http = http_open(&o, &r->env);
	r->own = a;
	return 0;
}

static void
api_close(struct robot *r)
{
	struct api_robot *a = r->own;

	api_line_release(a);
	lapse_release(&a->total);
	http_close(a->http);
	pseudonym_free(a->pseudonym);
	while (!list_is_empty(&a->spare)) {
		struct api_call *call = list_item(list_first(&a->spare), struct api_call, link);

		list_remove(&call->link);
		reply_release(&call->reply);
		free(call);
	}
	for (int i = 0; a->headers && i < r->conf->api_key.n; i++) {
		explicit_bzero(a->headers[i], strlen(a->headers[i]));
		free(a->headers[i]);
	}
	free(a->headers);
	buf_release(&a->url);
	free(a);
}

#define ROBOT(the_api, history)                                                                    \
	{                                                                                          \
		.api = (the_api), .wants_history = (history), .open = api_open, .ask = api_ask,    \
		.cancel = api_cancel, .pause = api_pause, .close = api_close                       \
	}
const struct robot_ops robot_turing = ROBOT(&api_turing, false);
const struct robot_ops robot_turing2 = ROBOT(&api_turing2, false);
const struct robot_ops robot_openai = ROBOT(&api_openai, true);
const struct robot_ops robot_ollama = ROBOT(&api_ollama, true);
const struct robot_ops robot_anthropic = ROBOT(&api_anthropic, true);
