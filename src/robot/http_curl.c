/* http_curl.c - the engine for https://: libcurl does all of it; see http_call.h. The write
 * callback only keeps the bytes; the multi is never called from inside a curl callback. */
#include "robot/http_call.h"
#include "robot/http_lanes.h"
#include "robot/http_setup.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 65536 };

struct engine {
	struct http *http;
	struct http_options o;
	struct http_lanes lanes;
};

struct curl_call {
	struct http_call call;
	struct http_transfer transfer;
	struct engine *engine;
	struct curl_slist *headers;
	const char *header; /* the one that came with http_start() */
	char *id_digits;    /* inside the first header */
	size_t n_head, n_rest;
	bool overflow;
	bool stuck; /* libcurl was told to pause, too */
	bool gets;  /* the handle was used for a GET */
};

static struct curl_call *
call_of(struct http_call *call)
{
	return list_item(call, struct curl_call, call);
}

/* --- libcurl hands bytes over ---------------------------------------------------------------- */

static void
read_head(struct curl_call *c)
{
	char *type = NULL;

	curl_easy_getinfo(c->transfer.easy, CURLINFO_RESPONSE_CODE, &c->call.end.status);
	curl_easy_getinfo(c->transfer.easy, CURLINFO_CONTENT_TYPE, &type);
	c->call.type = type;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct curl_call *c = arg;

	n *= size;
	if (c->call.paused) {
		c->stuck = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (c->call.sink == NULL) {
		c->n_rest += n;
		return c->n_rest <= HTTP_REST_BYTES ? n : 0;
	}
	if (!c->call.began)
		read_head(c);
	if (http_call_keep(&c->call, bytes, n)) {
		c->overflow = true;
		return 0; /* libcurl ends the transfer */
	}
	return n;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct curl_call *c = arg;

	(void)bytes;
	c->n_head += size * n;
	return c->n_head <= HEAD_BYTES ? size * n : 0;
}

/* --- transfers ------------------------------------------------------------------------------- */

static struct http_transfer *
make(void *arg)
{
	struct engine *engine = arg;
	struct curl_call *c = mem_zalloc(sizeof *c);
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		abort();
	c->engine = engine;
	c->transfer.easy = easy;
	http_call_init(&c->call, engine->http, engine->o.limit_bytes);
	http_setup_easy(easy, &engine->o);
	http_set(easy, CURLOPT_POST, 1L);
	if (!engine->o.stream)
		http_set(easy, CURLOPT_ACCEPT_ENCODING, "");
	http_set(easy, CURLOPT_WRITEFUNCTION, on_body);
	http_set(easy, CURLOPT_WRITEDATA, c);
	http_set(easy, CURLOPT_HEADERFUNCTION, on_header);
	http_set(easy, CURLOPT_HEADERDATA, c);
	return &c->transfer;
}

static void
done(void *arg, struct http_transfer *t, CURLcode result)
{
	struct curl_call *c = list_item(t, struct curl_call, transfer);

	(void)arg;
	http_end_read(t->easy, result, &c->call.end);
	http_call_end(&c->call, c->overflow ? WHY_BAD_REPLY : http_end_why(result));
}

static void
free_call(void *arg, struct http_transfer *t)
{
	struct curl_call *c = list_item(t, struct curl_call, transfer);

	(void)arg;
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(c->headers);
	http_call_release(&c->call);
	free(c);
}

static const struct http_lanes_sink sink = { make, done, free_call };

/* --- the engine ------------------------------------------------------------------------------ */

static void *
engine_open(struct http *h, const struct http_options *o, const struct robot_env *env)
{
	struct engine *engine = mem_zalloc(sizeof *engine);

	engine->http = h;
	engine->o = *o;
	http_lanes_init(&engine->lanes, env, &sink, engine);
	return engine;
}

static void
engine_close(void *arg)
{
	struct engine *engine = arg;

	http_lanes_release(&engine->lanes);
	free(engine);
}

static void
set_headers(struct curl_call *c, const char *header)
{
	if (c->headers && c->header == header)
		return;
	curl_slist_free_all(c->headers);
	c->headers = http_setup_headers(&c->engine->o, header, &c->id_digits);
	c->header = header;
	http_set(c->transfer.easy, CURLOPT_HTTPHEADER, c->headers);
}

static void
set_method(struct curl_call *c, const char *url)
{
	CURL *easy = c->transfer.easy;
	const struct buf *body = &c->call.body;

	if (url) {
		http_set(easy, CURLOPT_HTTPGET, 1L);
		http_set(easy, CURLOPT_URL, url);
	} else {
		http_set(easy, CURLOPT_POSTFIELDS, buf_head(body));
		http_set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
		if (c->gets) {
			http_set(easy, CURLOPT_POST, 1L);
			http_set(easy, CURLOPT_URL, c->engine->o.url);
		}
	}
	c->gets = url != NULL;
}

static struct http_call *
start(void *arg, struct buf *body, const char *url, const char *header)
{
	struct engine *engine = arg;
	struct curl_call *c =
	    list_item(http_lanes_take(&engine->lanes), struct curl_call, transfer);
	char digits[HTTP_ID_DIGITS + 1];

	http_call_begin(&c->call, body);
	set_headers(c, header);
	snprintf(digits, sizeof digits, "%016" PRIx64, c->call.id);
	memcpy(c->id_digits, digits, HTTP_ID_DIGITS);
	set_method(c, url);
	http_transfer_start(&c->transfer);
	return &c->call;
}

static void
rest(struct http_call *call)
{
	struct curl_call *c = call_of(call);

	http_transfer_rest(&c->transfer);
	http_call_reset(call);
	c->n_head = c->n_rest = 0;
	c->overflow = c->stuck = false;
}

static void
pause_call(struct http_call *call, bool pause)
{
	struct curl_call *c = call_of(call);

	if (pause || !c->stuck)
		return;
	c->stuck = false;
	curl_easy_pause(c->transfer.easy, CURLPAUSE_CONT);
}

const struct http_engine http_curl = { engine_open, engine_close, start, rest, pause_call };
