/* robot_http.c - see robot_http.h.
 *
 * libcurl searches a multi handle's connection cache linearly (60 us a request at 512 connections,
 * 39 at 64), so transfers are spread over lanes: one multi handle for at most LANE_CALLS transfers,
 * the lowest lane with room first, and in it the handle used last. The socket callback maps curl's
 * sockets to libev watchers, the timer callback to one timer per lane. The multi is never called
 * from inside a curl callback, and results are drained after the turn.
 *
 * Connect and total time are libcurl's own timers. First byte and gap are two lists, because they
 * are about progress, which libcurl does not time this finely. */
#include "robot/robot_http.h"

#include "base/lapse.h"
#include "base/log.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANE_CALLS = 32, MAX_LANES = 512, ID_DIGITS = 16 };

struct http_call {
	struct list link; /* in the lane's idle list */
	struct lane *lane;
	CURL *easy;
	struct curl_slist *headers;
	char *id_digits; /* inside the first header */
	struct buf body, reply;
	struct lapse_entry progress;
	http_on_reply *on_reply; /* NULL: idle */
	void *arg;
	bool began, overflow;
};

struct lane {
	struct http *http;
	CURLM *multi;
	struct ev_timer timer;
	struct list idle;
	int n_calls, n_busy;
};

struct http {
	struct http_options o;
	struct robot_env env;
	struct lapse first_byte, gap;
	struct later_task drain;
	struct lane *lanes[MAX_LANES];
	int n_lanes;
	uint64_t next_id;
	bool shut; /* closing: libcurl's callbacks must not arm anything any more */
};

/* A socket of libcurl in our loop. */
struct socket_watch {
	struct ev_io io;
	struct lane *lane;
};

/* --- the multi handle on the loop ------------------------------------------------------------ */

static void
act(struct lane *lane, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(lane->multi, fd, what, &running);
	later_add(lane->http->env.later, &lane->http->drain);
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
	struct lane *lane = arg;
	struct ev_loop *loop = lane->http->env.loop;

	(void)multi;
	ev_timer_stop(loop, &lane->timer);
	if (ms < 0 || lane->http->shut)
		return 0;
	ev_now_update(loop);
	ev_timer_set(&lane->timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(loop, &lane->timer);
	return 0;
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *fd_arg)
{
	struct lane *lane = arg;
	struct socket_watch *w = fd_arg;
	struct ev_loop *loop = lane->http->env.loop;

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

/* --- one transfer ---------------------------------------------------------------------------- */

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	n *= size;
	call->began = true;
	lapse_touch(&call->lane->http->gap, &call->progress);
	if (buf_add(&call->reply, bytes, n)) {
		call->overflow = true;
		return 0; /* libcurl ends the transfer */
	}
	return n;
}

static void
set_options(struct http_call *call, const struct http_options *o)
{
	CURL *c = call->easy;

	curl_easy_setopt(c, CURLOPT_URL, o->url);
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(c, CURLOPT_PRIVATE, call);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)o->total_ms);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "xiaotu/" XIAOTU_VERSION);
}

/* The first header is overwritten in place with every request's id, so that a robot can tell a
 * request that libcurl had to send again from a new one. */
static struct http_call *
call_new(struct lane *lane)
{
	struct http_call *call = mem_zalloc(sizeof *call);
	size_t limit = lane->http->o.limit_bytes;
	char type[128];

	call->lane = lane;
	list_init(&call->link);
	lapse_entry_init(&call->progress);
	buf_init(&call->reply, limit && limit < UINT32_MAX / 2 ? (uint32_t)limit : UINT32_MAX / 2);
	call->easy = curl_easy_init();
	call->headers = curl_slist_append(NULL, "X-Request-Id: 0123456789abcdef");
	snprintf(type, sizeof type, "Content-Type: %s", lane->http->o.content_type);
	call->headers = curl_slist_append(call->headers, type);
	call->headers = curl_slist_append(call->headers, "Expect:");
	if (call->easy == NULL || call->headers == NULL)
		abort();
	call->id_digits = strchr(call->headers->data, ' ') + 1;
	set_options(call, &lane->http->o);
	lane->n_calls++;
	return call;
}

static void
call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buf_release(&call->body);
	buf_release(&call->reply);
	free(call);
}

static void
call_rest(struct http_call *call)
{
	curl_multi_remove_handle(call->lane->multi, call->easy);
	lapse_stop(&call->progress);
	call->on_reply = NULL;
	buf_release(&call->body);
	buf_release(&call->reply);
	call->began = call->overflow = false;
	call->lane->n_busy--;
	/* In front: used last, reused first. */
	list_append(call->lane->idle.next, &call->link);
}

static void
finish(struct http_call *call, enum why why, long status)
{
	http_on_reply *on_reply = call->on_reply;
	void *arg = call->arg;
	struct buf reply = call->reply;

	buf_init(&call->reply, reply.limit);
	call_rest(call);
	on_reply(arg, why, status, buf_head(&reply), reply.len);
	buf_release(&reply);
}

static enum why
why_of(CURLcode code, const struct http_call *call)
{
	if (call->overflow)
		return WHY_BAD_REPLY;
	switch (code) {
	case CURLE_OK:
		return WHY_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return WHY_TIMEOUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_WRITE_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_OUT_OF_MEMORY:
		return WHY_BAD_REPLY;
	case CURLE_GOT_NOTHING:
		return WHY_BAD_REPLY;
	default:
		return WHY_UNAVAILABLE;
	}
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
			CURLcode code = m->data.result;
			long status = 0;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
			curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
			finish(call, why_of(code, call), status);
		}
	}
}

static void
on_late(struct lapse_entry *e, void *arg)
{
	(void)arg;
	finish(list_item(e, struct http_call, progress), WHY_TIMEOUT, 0);
}

/* --- lanes and the public face --------------------------------------------------------------- */

static struct lane *
lane_new(struct http *h)
{
	struct lane *lane = mem_zalloc(sizeof *lane);

	lane->http = h;
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
	curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)LANE_CALLS);
	h->lanes[h->n_lanes++] = lane;
	return lane;
}

static struct lane *
pick_lane(struct http *h)
{
	for (int i = 0; i < h->n_lanes; i++)
		if (h->lanes[i]->n_busy < LANE_CALLS)
			return h->lanes[i];
	/* Beyond 16,384 transfers at once the last lane takes them all: slower, not wrong. */
	return h->n_lanes < MAX_LANES ? lane_new(h) : h->lanes[MAX_LANES - 1];
}

struct http *
http_open(const struct http_options *o, const struct robot_env *env, struct err *e)
{
	struct http *h = mem_zalloc(sizeof *h);

	(void)e;
	h->o = *o;
	h->env = *env;
	h->next_id = (uint64_t)getpid() << 40 ^ (uint64_t)lapse_now_ms() << 12;
	lapse_init(&h->first_byte, env->loop, o->first_byte_ms, on_late, h);
	lapse_init(&h->gap, env->loop, o->gap_ms, on_late, h);
	later_task_init(&h->drain, on_drain, h);
	return h;
}

static void
lane_free(struct lane *lane)
{
	while (!list_is_empty(&lane->idle)) {
		struct http_call *call = list_item(lane->idle.next, struct http_call, link);

		list_remove(&call->link);
		call_free(call);
	}
	curl_multi_cleanup(lane->multi);
	ev_timer_stop(lane->http->env.loop, &lane->timer);
	free(lane);
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	h->shut = true;
	later_remove(&h->drain);
	for (int i = 0; i < h->n_lanes; i++)
		lane_free(h->lanes[i]);
	lapse_release(&h->first_byte);
	lapse_release(&h->gap);
	free(h);
}

struct http_call *
http_start(struct http *h, struct buf *body, http_on_reply *on_reply, void *arg)
{
	struct lane *lane = pick_lane(h);
	struct http_call *call;
	char digits[ID_DIGITS + 1];

	if (list_is_empty(&lane->idle)) {
		call = call_new(lane);
	} else {
		call = list_item(lane->idle.next, struct http_call, link);
		list_remove(&call->link);
	}
	lane->n_busy++;
	call->on_reply = on_reply;
	call->arg = arg;
	call->body = *body;
	buf_init(body, body->limit);
	snprintf(digits, sizeof digits, "%016" PRIx64, h->next_id++);
	memcpy(call->id_digits, digits, ID_DIGITS);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, buf_head(&call->body));
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
	lapse_touch(&h->first_byte, &call->progress);
	curl_multi_add_handle(lane->multi, call->easy);
	return call;
}

void
http_cancel(struct http_call *call)
{
	call_rest(call);
}

enum why
http_why(long status)
{
	if (status >= 200 && status < 300)
		return WHY_OK;
	if (status == 408 || status == 409 || status == 429 || status >= 500)
		return WHY_UNAVAILABLE;
	return status >= 400 ? WHY_REFUSED : WHY_BAD_REPLY;
}
