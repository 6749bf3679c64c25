/* robot_turing.c - the Turing robots, API v1 and v2: turing.h's bytes over robot_http.h.
 * The key goes into the body of a POST, never into a URL, so that no log on the way has it. */
#include "robot/robot_http.h"
#include "robot/robot_kinds.h"
#include "robot/turing.h"

#include "base/lapse.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

enum { REQUEST_BYTES = 1 << 20, NOTICE_MS = 60000, ASIDE_MS = 3600000 };

typedef void make_request(
    const struct conf_robot *c, const char *key, const struct talk *talk, struct buf *out);
typedef enum why read_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code);

struct turing {
	struct http *http;
	make_request *request;
	read_reply *reply;
	int64_t refused_ms; /* a refusal was logged then */
	int64_t *aside_ms;  /* per key: it has no calls left, until then; 0: it has */
};

/* A question under way. */
struct turing_call {
	struct http_call *call;
	const struct talk *talk;
	int key;
};

static int
open_any(struct robot *r, const char *vendor_url, make_request *request, read_reply *reply,
    struct err *e)
{
	const struct conf_robot *c = r->conf;
	struct turing *t = mem_zalloc(sizeof *t);
	struct http_options o = {
		.url = *c->url ? c->url : vendor_url,
		.content_type = "application/json; charset=utf-8",
		.connect_ms = c->connect_ms,
		.first_byte_ms = c->first_byte_ms,
		.gap_ms = c->gap_ms,
		.total_ms = c->total_ms,
		.limit_bytes = r->env.limit_bytes,
	};

	t->aside_ms = mem_zalloc((size_t)c->api_key.n * sizeof *t->aside_ms);
	t->request = request;
	t->reply = reply;
	t->refused_ms = -NOTICE_MS;
	t->http = http_open(&o, &r->env, e);
	r->own = t;
	return 0;
}

static int
turing_open(struct robot *r, struct err *e)
{
	return open_any(r, "http://www.tuling123.com/openapi/api", turing_request, turing_reply, e);
}

static int
turing2_open(struct robot *r, struct err *e)
{
	return open_any(
	    r, "http://openapi.tuling123.com/openapi/api/v2", turing2_request, turing2_reply, e);
}

/* A refusal is the operator's to mend: say so, but once a minute. */
static void
note_refusal(struct robot *r, long status, int64_t code)
{
	struct turing *t = r->own;

	if (lapse_now_ms() - t->refused_ms < NOTICE_MS)
		return;
	t->refused_ms = lapse_now_ms();
	log_warn("robot_refused robot=%s status=%ld code=%ld", r->conf->name, status, (long)code);
}

/* The next key that may have calls left, other than `except`; -1: none has. */
static int
find_key(const struct robot *r, int except)
{
	const struct turing *t = r->own;
	int64_t now_ms = lapse_now_ms();

	for (int i = 0; i < r->conf->api_key.n; i++)
		if (i != except && t->aside_ms[i] <= now_ms)
			return i;
	return -1;
}

static void on_reply(void *arg, enum why why, long status, const char *body, size_t n);

static void
send_request(struct ask *ask, int key)
{
	struct robot *r = ask->robot;
	struct turing *t = r->own;
	struct turing_call *call = ask->own;
	struct buf body;

	call->key = key;
	buf_init(&body, REQUEST_BYTES);
	t->request(r->conf, r->conf->api_key.n ? r->conf->api_key.at[key] : "", call->talk, &body);
	call->call = http_start(t->http, &body, on_reply, ask);
}

/* Its calls are used up for today: set the key aside, for an hour at a time, because nobody says
 * when the robot's day ends. Returns whether another key is asked instead. */
static bool
try_next_key(struct ask *ask)
{
	struct turing *t = ask->robot->own;
	struct turing_call *call = ask->own;
	int next = find_key(ask->robot, call->key);

	t->aside_ms[call->key] = lapse_now_ms() + ASIDE_MS;
	if (next < 0)
		return false;
	log_notice(
	    "robot_key_used_up robot=%s key=%d next=%d", ask->robot->conf->name, call->key, next);
	send_request(ask, next);
	return true;
}

static void
on_reply(void *arg, enum why why, long status, const char *body, size_t n)
{
	struct ask *ask = arg;
	struct turing *t = ask->robot->own;
	struct buf answer;
	int64_t code = 0;

	buf_init(&answer, UINT32_MAX / 2);
	if (why == WHY_OK)
		why = http_why(status);
	if (why == WHY_OK)
		why = t->reply(body, n, ask->robot->env.language, &answer, &code);
	if (why == WHY_REFUSED)
		note_refusal(ask->robot, status, code);
	if (turing_is_used_up(code) && try_next_key(ask)) {
		buf_release(&answer);
		return;
	}
	free(ask->own);
	ask->own = NULL;
	if (why == WHY_OK)
		ask_piece(ask, buf_head(&answer), answer.len);
	buf_release(&answer);
	ask_done(ask, why);
}

static void
turing_ask(struct robot *r, const struct talk *talk, struct ask *ask)
{
	struct turing_call *call = mem_zalloc(sizeof *call);
	int key = find_key(r, -1);

	call->talk = talk;
	ask->own = call;
	send_request(ask, key < 0 ? 0 : key);
}

static void
turing_cancel(struct ask *ask)
{
	struct turing_call *call = ask->own;

	if (call)
		http_cancel(call->call);
	free(call);
	ask->own = NULL;
}

static void
turing_close(struct robot *r)
{
	struct turing *t = r->own;

	http_close(t->http);
	free(t->aside_ms);
	free(t);
}

const struct robot_ops robot_turing = { "turing", false, turing_open, turing_ask, turing_cancel,
	turing_close };
const struct robot_ops robot_turing2 = { "turing2", false, turing2_open, turing_ask, turing_cancel,
	turing_close };
