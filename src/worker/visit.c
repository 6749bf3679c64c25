/* visit.c - see visit.h. Four paths are there; everything else is not, however it is spelled, for
 * nothing is decoded and no file is ever opened. */
#include "worker/visit.h"

#include "base/log.h"
#include "base/text.h"
#include "share/metrics.h"
#include "wire/origin.h"
#include "wire/respond.h"
#include "worker/enter.h"

#include <string.h>
#include <time.h>

enum { METRICS_BYTES = 1 << 20, MOST_ROBOTS = 64 };

uint32_t
visit_door(const char *url)
{
	uint32_t hash = (uint32_t)text_hash(TEXT_HASH_BEGIN, url, strlen(url));

	return hash ? hash : 1;
}

static void
answer(struct conn *c, const struct request *r, const struct respond *a)
{
	if (respond_put(a, r, time(NULL), &c->out))
		conn_leave(c, LEAVE_SLOW_READER);
}

static void
refuse(struct conn *c, const struct request *r, int status, const char *more)
{
	answer(c, r, &(struct respond){ .status = status, .more = more });
}

void
visit_refuse(struct conn *c)
{
	refuse(c, &(struct request){ .method = REQUEST_GET }, 503, "Retry-After: 5\r\n");
}

/* --- what can be had ------------------------------------------------------------------------- */

static void
page(struct conn *c, const struct request *r)
{
	if (respond_page(r, time(NULL), &c->out))
		conn_leave(c, LEAVE_SLOW_READER);
}

static void
healthz(struct conn *c, const struct request *r)
{
	static const struct respond well = { 200, "text/plain; charset=utf-8", NULL, "ok\n", 3 };

	if (c->leave == LEAVE_NOT && !c->w->moving && c->w->score->serving)
		answer(c, r, &well);
	else
		refuse(c, r, 503, "Retry-After: 1\r\n");
}

static void
metrics(struct conn *c, const struct request *r)
{
	const struct conf *conf = c->w->setup->conf;
	struct metrics_robot robots[MOST_ROBOTS];
	struct respond a = { 200, "text/plain; version=0.0.4; charset=utf-8", NULL, "", 0 };
	struct buf text;
	int n = 0;

	for (; n < conf->n_robots && n < MOST_ROBOTS; n++) {
		const struct conf_robot *robot = &conf->robots[n];

		robots[n] = (struct metrics_robot){ robot->name,
			standings_look(c->w->boot->standings, conf_robot_identity(robot)),
			robot->api_key.n };
	}
	buf_init(&text, METRICS_BYTES);
	if (metrics_render(c->w->boot->score, robots, n, lapse_now_ms(), &text)) {
		refuse(c, r, 500, NULL);
	} else {
		a.body = buf_head(&text);
		a.n = text.len;
		answer(c, r, &a);
	}
	buf_release(&text);
}

/* --- a visitor becomes a chat ---------------------------------------------------------------- */

/* Those of the door that it came by. A door that is closed now is one without. */
static const struct conf_texts *
origins(const struct conn *c)
{
	const struct conf *conf = c->w->setup->conf;
	char url[SOCK_TEXT];

	for (int i = 0; i < conf->n_listen; i++) {
		conf_listen_url(&conf->listen[i], url);
		if (visit_door(url) == c->door)
			return &conf->listen[i].origins;
	}
	return NULL;
}

static void
forbid(struct conn *c, const struct request *r)
{
	struct sock_addr peer;
	struct buf said;

	enter_peer(c, &peer);
	buf_init(&said, 2048);
	(void)(text_quote(r->origin.s ? r->origin.s : "", r->origin.n, &said) ||
	       buf_adds(&said, " host=") ||
	       text_quote(r->host.s ? r->host.s : "", r->host.n, &said) || buf_add(&said, "", 1));
	enter_note_refusal(c->w, &peer, "origin", buf_head(&said));
	buf_release(&said);
	refuse(c, r, 403, NULL);
}

static void
begin_chat(struct conn *c)
{
	struct sock_addr peer;

	c->wire.codec = &codec_ws;
	c->visiting = false;
	c->counted = true;
	score_add(&c->w->score->visitors, -1);
	score_add(&c->w->score->chats, 1);
	enter_peer(c, &peer);
	enter_begin(c, &peer);
}

static void
become_chat(struct conn *c, const struct request *r)
{
	if (!r->upgrades || !slice_is(r->version, "13"))
		return refuse(c, r, 426,
		    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Version: 13\r\n");
	if (!respond_is_key(r->key))
		return refuse(c, r, 400, NULL);
	if (!origin_may(origins(c), r))
		return forbid(c, r);
	if (respond_switch(r->key, &c->out))
		return conn_leave(c, LEAVE_SLOW_READER);
	begin_chat(c);
}

/* --- requests -------------------------------------------------------------------------------- */

static void
route(struct conn *c, const struct request *r)
{
	bool is_chat = slice_is(r->path, "/chat");

	if (r->method == REQUEST_OTHER)
		refuse(c, r, 405, "Allow: GET, HEAD\r\n");
	else if (is_chat && r->method == REQUEST_GET)
		become_chat(c, r);
	else if (is_chat)
		refuse(c, r, 405, "Allow: GET\r\n");
	else if (slice_is(r->path, "/"))
		page(c, r);
	else if (slice_is(r->path, "/healthz"))
		healthz(c, r);
	else if (slice_is(r->path, "/metrics"))
		metrics(c, r);
	else
		refuse(c, r, 404, NULL);
}

static void
request(struct conn *c, const struct msg *m)
{
	struct request r;
	int status = request_read(m->text, m->n_text, &r);

	score_add(&c->w->score->requests, 1);
	r.keeps = r.keeps && !c->w->draining;
	if (status == 200)
		route(c, &r);
	else
		refuse(c, &r, status, NULL);
	if (c->wire.codec == &codec_http && !r.keeps)
		conn_leave(c, LEAVE_EXIT);
}

void
visit_take(struct conn *c, const struct msg *m)
{
	if (m->kind == MSG_REQUEST)
		request(c, m);
	else if (m->kind == MSG_PING)
		conn_say(c, PART_PONG, NULL, m->text, m->n_text);
	else
		conn_leave(c, LEAVE_EXIT);
}
