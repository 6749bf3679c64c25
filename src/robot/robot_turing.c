/* robot_turing.c - the Turing robots, API v1 and v2: turing.h's bytes over robot_http.h.
 * The key goes into the body of a POST, never into a URL, so that no log on the way has it. */
#include "robot/robot_http.h"
#include "robot/robot_kinds.h"
#include "robot/turing.h"

#include "base/lapse.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

enum { REQUEST_BYTES = 1 << 20, NOTICE_MS = 60000 };

typedef void make_request(const struct conf_robot *c, const struct talk *talk, struct buf *out);
typedef enum why read_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code);

struct turing {
	struct http *http;
	make_request *request;
	read_reply *reply;
	int64_t refused_ms; /* a refusal was logged then */
};

static int open_any(struct robot *r, const char *vendor_url, make_request *request,
    read_reply *reply, struct err *e)
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

	t->request = request;
	t->reply = reply;
	t->refused_ms = -NOTICE_MS;
	t->http = http_open(&o, &r->env, e);
	r->own = t;
	return 0;
}

static int turing_open(struct robot *r, struct err *e)
{
	return open_any(r, "http://www.tuling123.com/openapi/api", turing_request, turing_reply, e);
}

static int turing2_open(struct robot *r, struct err *e)
{
	return open_any(
	    r, "http://openapi.tuling123.com/openapi/api/v2", turing2_request, turing2_reply, e);
}

/* A refusal is the operator's to mend: say so, but once a minute. */
static void note_refusal(struct robot *r, long status, int64_t code)
{
	struct turing *t = r->own;

	if (lapse_now_ms() - t->refused_ms < NOTICE_MS)
		return;
	t->refused_ms = lapse_now_ms();
	log_warn("robot_refused robot=%s status=%ld code=%ld", r->conf->name, status, (long)code);
}

static void on_reply(void *arg, enum why why, long status, const char *body, size_t n)
{
	struct ask *ask = arg;
	struct turing *t = ask->robot->own;
	struct buf answer;
	int64_t code = 0;

	ask->own = NULL;
	buf_init(&answer, UINT32_MAX / 2);
	if (why == WHY_OK)
		why = http_why(status);
	if (why == WHY_OK)
		why = t->reply(body, n, ask->robot->env.language, &answer, &code);
	if (why == WHY_REFUSED)
		note_refusal(ask->robot, status, code);
	if (why == WHY_OK)
		ask_piece(ask, buf_head(&answer), answer.len);
	buf_release(&answer);
	ask_done(ask, why);
}

static void turing_ask(struct robot *r, const struct talk *talk, struct ask *ask)
{
	struct turing *t = r->own;
	struct buf body;

	buf_init(&body, REQUEST_BYTES);
	t->request(r->conf, talk, &body);
	ask->own = http_start(t->http, &body, on_reply, ask);
}

static void turing_cancel(struct ask *ask)
{
	if (ask->own)
		http_cancel(ask->own);
	ask->own = NULL;
}

static void turing_close(struct robot *r)
{
	struct turing *t = r->own;

	http_close(t->http);
	free(t);
}

const struct robot_ops robot_turing = { "turing", false, turing_open, turing_ask, turing_cancel,
	turing_close };
const struct robot_ops robot_turing2 = { "turing2", false, turing2_open, turing_ask, turing_cancel,
	turing_close };
