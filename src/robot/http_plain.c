/* http_plain.c - the engine for http://: one request after the other on kept connections; see
 * http_call.h. libcurl makes the connections (http_dial.c), http1.c reads what comes.
 *
 * A link is a connection and the one call on it. At rest it stays in the loop, and carries the next
 * request once the loop has found it silent: no system call is spent on watching it anew, and what
 * a robot says behind its reply is no reply to anything. A request needs one send and its reply one
 * recv; nothing is copied but what the socket does not take at once.
 *
 * A kept connection may be closed by the robot while a request is on its way. When that ends it
 * without a byte of a reply, the same request, with the same id, goes over a new connection, once:
 * the robot can tell by the id that it is no new one. */
#include "robot/http1.h"
#include "robot/http_call.h"
#include "robot/http_dial.h"
#include "robot/http_head.h"
#include "robot/http_unpack.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	READ_BYTES = 65536,
	IDLE_MS = 60000, /* a connection is kept that long */
	GET_LIMIT = 1 << 20,
	OUT_LIMIT = 1 << 25
};

struct engine {
	struct http *http;
	struct robot_env env;
	struct http_dialer *dialer;
	struct list idle;   /* links at rest, the one used last in front */
	struct list rested; /* those that the loop did not look at since */
	unsigned turn;      /* of the loop, in which they came to rest */
	struct list gone;   /* links to be freed after the turn */
	struct later_task bury;
	struct lapse old;
	struct http_head head;
	uint32_t limit_bytes;
	char scratch[READ_BYTES];
};

struct link {
	struct http_call call;
	struct list link; /* in engine->idle, ->rested or ->gone */
	struct engine *engine;
	struct ev_io io;
	struct http_dial *dial; /* the connection is being made */
	struct lapse_entry rests;
	struct http1 reply;
	struct http_unpack *unpack;
	struct buf out;            /* what the socket did not take yet */
	struct buf get;            /* "GET /path?query", when it is one */
	const char *header;        /* one more line */
	size_t n_rest, n_unpacked; /* so far; in this turn */
	bool used;                 /* the connection had a reply before, and may carry more */
	bool heard;                /* bytes of this one came */
};

static struct link *
link_of(struct http_call *call)
{
	return list_item(call, struct link, call);
}

/* --- links come and go ----------------------------------------------------------------------- */

static void on_io(struct ev_loop *loop, struct ev_io *io, int events);

static struct link *
link_new(struct engine *e)
{
	struct link *l = mem_zalloc(sizeof *l);

	l->engine = e;
	http_call_init(&l->call, e->http, e->limit_bytes);
	list_init(&l->link);
	lapse_entry_init(&l->rests);
	ev_io_init(&l->io, on_io, -1, EV_READ);
	l->io.data = l;
	http1_init(&l->reply);
	buf_init(&l->out, OUT_LIMIT);
	buf_init(&l->get, GET_LIMIT);
	return l;
}

static void
disconnect(struct link *l)
{
	if (l->dial)
		http_dial_cancel(l->dial);
	l->dial = NULL;
	ev_io_stop(l->engine->env.loop, &l->io);
	if (l->io.fd >= 0)
		close(l->io.fd);
	l->io.fd = -1;
	l->used = false;
}

static void
link_free(struct link *l)
{
	disconnect(l);
	list_remove(&l->link);
	lapse_stop(&l->rests);
	http_call_release(&l->call);
	http1_release(&l->reply);
	http_unpack_free(l->unpack);
	buf_release(&l->out);
	buf_release(&l->get);
	free(l);
}

static void
free_all(struct list *links)
{
	while (!list_is_empty(links))
		link_free(list_item(list_first(links), struct link, link));
}

static void
on_bury(void *arg)
{
	free_all(&((struct engine *)arg)->gone);
}

/* It may be in use further up the stack. */
static void
let_go(struct link *l)
{
	disconnect(l);
	list_remove(&l->link);
	lapse_stop(&l->rests);
	list_append(&l->engine->gone, &l->link);
	later_add(l->engine->env.later, &l->engine->bury);
}

static void
on_old(struct lapse_entry *entry, void *arg)
{
	(void)arg;
	link_free(list_item(entry, struct link, rests));
}

static void
watch(struct link *l, int events)
{
	if (ev_is_active(&l->io) && l->io.events == events)
		return;
	ev_io_stop(l->engine->env.loop, &l->io);
	ev_io_set(&l->io, l->io.fd, events);
	if (events)
		ev_io_start(l->engine->env.loop, &l->io);
}

static void
watch_for(struct link *l)
{
	watch(l, (l->call.paused ? 0 : EV_READ) | (l->out.len ? EV_WRITE : 0));
}

/* --- a request ------------------------------------------------------------------------------- */

static void
connect_anew(struct link *l)
{
	disconnect(l);
	buf_cut(&l->out, 0);
	l->dial = http_dial_start(l->engine->dialer, l);
}

/* Send what goes; keep the rest. Returns 0, or -1: the connection is none any more. */
static int
send_all(struct link *l, const struct iovec *v, size_t n)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = n };
	ssize_t sent = sendmsg(l->io.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	size_t skip = sent > 0 ? (size_t)sent : 0;

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t gone = skip < v[i].iov_len ? skip : v[i].iov_len;

		skip -= gone;
		if (buf_add(&l->out, (const char *)v[i].iov_base + gone, v[i].iov_len - gone))
			return -1;
	}
	return 0;
}

static int
send_request(struct link *l)
{
	struct iovec spans[HTTP_HEAD_SPANS];
	char own[HTTP_HEAD_OWN];

	http_head_spans(
	    &l->engine->head, &l->get, l->header, l->call.id, &l->call.body, own, spans);
	return send_all(l, spans, HTTP_HEAD_SPANS);
}

/* The connection is there, or was. A failure is not told from inside start(): a new connection is
 * tried, and if that cannot be had it is told later. */
static void
ask(struct link *l)
{
	if (send_request(l))
		connect_anew(l);
	else
		watch_for(l);
}

static void
on_dialled(void *arg, int fd, enum why why, const struct http_end *end)
{
	struct link *l = arg;

	l->dial = NULL;
	if (fd < 0) {
		l->call.end = *end;
		http_call_end(&l->call, why);
		return;
	}
	ev_io_set(&l->io, fd, EV_READ);
	if (send_request(l))
		http_call_end(&l->call, WHY_BAD_REPLY);
	else
		watch_for(l);
}

/* --- its reply ------------------------------------------------------------------------------- */

/* Returns whether there is more to be read for this call. */
static bool
end_call(struct link *l, enum why why)
{
	http_call_end(&l->call, why);
	return false;
}

static bool
take_packed(struct link *l, const char *bytes, size_t n)
{
	uint64_t id = l->call.id;
	const char *piece;
	int size;

	http_unpack_put(l->unpack, bytes, n);
	while ((size = http_unpack_take(l->unpack, &piece)) > 0) {
		l->n_unpacked += (size_t)size;
		if (l->n_unpacked > l->engine->limit_bytes ||
		    http_call_bytes(&l->call, piece, (size_t)size))
			return end_call(l, WHY_BAD_REPLY);
		if (l->call.id != id || l->call.sink == NULL)
			return l->call.id == id;
	}
	return size == 0 || end_call(l, WHY_BAD_REPLY);
}

static bool
take_body(struct link *l, const char *bytes, size_t n)
{
	uint64_t id = l->call.id;

	if (l->call.sink == NULL) {
		l->n_rest += n;
		return l->n_rest <= HTTP_REST_BYTES || end_call(l, WHY_BAD_REPLY);
	}
	if (l->unpack)
		return take_packed(l, bytes, n);
	if (http_call_bytes(&l->call, bytes, n))
		return end_call(l, WHY_BAD_REPLY);
	return l->call.id == id;
}

static bool
take_head(struct link *l)
{
	l->call.end = l->reply.hints;
	l->call.type = l->reply.type;
	if (l->reply.packed == HTTP1_UNKNOWN)
		return end_call(l, WHY_BAD_REPLY);
	if (l->reply.packed == HTTP1_GZIP)
		l->unpack = http_unpack_new();
	return true;
}

/* The reply is whole. More bytes behind it are nobody's: the connection is not used again. */
static bool
take_end(struct link *l, bool more)
{
	bool cut = l->unpack && l->call.sink && !http_unpack_is_whole(l->unpack);

	l->used = http1_keeps(&l->reply) && !more && l->out.len == 0;
	return end_call(l, cut ? WHY_BAD_REPLY : WHY_OK);
}

static void
digest(struct link *l, const char *at, const char *end)
{
	const char *body;
	bool more = true;
	size_t n;

	l->heard = true;
	l->used = false; /* until it is whole */
	l->n_unpacked = 0;
	while (more) {
		switch (http1_next(&l->reply, &at, end, &body, &n)) {
		case HTTP1_MORE:
			return;
		case HTTP1_HEAD:
			more = take_head(l);
			break;
		case HTTP1_BODY:
			more = take_body(l, body, n);
			break;
		case HTTP1_END:
			more = take_end(l, at < end);
			break;
		case HTTP1_BROKEN:
			more = end_call(l, WHY_BAD_REPLY);
			break;
		}
	}
}

static void
on_hang_up(struct link *l)
{
	if (l->used && !l->heard)
		connect_anew(l);
	else if (http1_close(&l->reply) == HTTP1_END)
		(void)take_end(l, true);
	else
		(void)end_call(l, WHY_BAD_REPLY);
}

/* Returns 0, or -1: the connection is none any more. */
static int
send_rest(struct link *l)
{
	ssize_t n = send(l->io.fd, buf_head(&l->out), l->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	buf_eat(&l->out, (size_t)n);
	return 0;
}

static void
on_io(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct link *l = io->data;
	ssize_t n;

	(void)loop;
	if (l->call.id == 0) {
		link_free(l); /* at rest, and not silent */
		return;
	}
	/* A robot may answer and close without having read all of it. */
	if ((events & EV_WRITE) && l->out.len && send_rest(l))
		buf_cut(&l->out, 0);
	if (!(events & EV_READ)) {
		watch_for(l);
		return;
	}
	n = recv(io->fd, l->engine->scratch, READ_BYTES, MSG_DONTWAIT);
	if (n > 0) {
		digest(l, l->engine->scratch, l->engine->scratch + n);
		if (l->call.id)
			watch_for(l);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		on_hang_up(l);
	}
}

/* --- the engine ------------------------------------------------------------------------------ */

static void *
engine_open(struct http *h, const struct http_options *o, const struct robot_env *env)
{
	struct engine *e = mem_zalloc(sizeof *e);

	e->http = h;
	e->env = *env;
	e->limit_bytes = o->limit_bytes;
	e->dialer = http_dialer_open(o, env, on_dialled);
	list_init(&e->idle);
	list_init(&e->rested);
	list_init(&e->gone);
	later_task_init(&e->bury, on_bury, e);
	lapse_init(&e->old, env->loop, IDLE_MS, on_old, e);
	http_head_init(&e->head, o);
	return e;
}

static void
engine_close(void *arg)
{
	struct engine *e = arg;

	on_bury(e);
	later_remove(&e->bury);
	free_all(&e->rested);
	free_all(&e->idle);
	lapse_release(&e->old);
	http_dialer_close(e->dialer);
	http_head_release(&e->head);
	free(e);
}

/* The loop looked at what came to rest in an earlier turn. */
static void
begin_turn(struct engine *e)
{
	unsigned turn = ev_iteration(e->env.loop);

	if (e->turn != turn)
		list_put_before(&e->idle, &e->rested);
	e->turn = turn;
}

/* The link used last; NULL: none is silent, or was not looked at. */
static struct link *
find_idle(struct engine *e)
{
	begin_turn(e);
	while (!list_is_empty(&e->idle)) {
		struct link *l = list_item(list_first(&e->idle), struct link, link);

		if (!ev_is_pending(&l->io))
			return l;
		link_free(l);
	}
	return NULL;
}

static struct http_call *
start(void *arg, struct buf *body, const char *url, const char *header)
{
	struct engine *e = arg;
	struct link *kept = find_idle(e), *l = kept ? kept : link_new(e);

	list_remove(&l->link);
	lapse_stop(&l->rests);
	http_call_begin(&l->call, body);
	l->header = header;
	if (url)
		http_head_get(&e->head, url, &l->get);
	if (kept)
		ask(l);
	else
		connect_anew(l);
	return &l->call;
}

static void
rest(struct http_call *call)
{
	struct link *l = link_of(call);
	struct engine *e = l->engine;

	http_call_reset(call);
	if (!l->used || !l->heard) {
		let_go(l);
		return;
	}
	http1_release(&l->reply);
	http1_init(&l->reply);
	http_unpack_free(l->unpack);
	l->unpack = NULL;
	buf_cut(&l->get, 0);
	l->n_rest = 0;
	l->heard = false;
	watch(l, EV_READ);
	begin_turn(e);
	list_append(e->rested.next, &l->link);
	lapse_touch(&e->old, &l->rests);
}

static void
pause_call(struct http_call *call, bool pause)
{
	struct link *l = link_of(call);

	(void)pause;
	if (l->io.fd >= 0 && l->dial == NULL)
		watch_for(l);
}

const struct http_engine http_plain = { engine_open, engine_close, start, rest, pause_call };
