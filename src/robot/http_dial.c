/* http_dial.c - see http_dial.h. CURLOPT_CONNECT_ONLY leaves a connected socket with the easy
 * handle; the close callback keeps libcurl from closing the one that was taken. */
#include "robot/http_dial.h"
#include "robot/http_end.h"
#include "robot/http_lanes.h"
#include "robot/http_setup.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

enum { DIAL_BUFFER_BYTES = 1024 }; /* it reads nothing */

struct http_dialer {
	struct http_lanes lanes;
	struct http_options o;
	http_dial_done *done;
};

struct http_dial {
	struct http_transfer transfer;
	void *arg;
	curl_socket_t taken;
};

static int
on_close(void *arg, curl_socket_t fd)
{
	const struct http_dial *dial = arg;

	return fd == dial->taken ? 0 : close(fd);
}

static struct http_transfer *
make(void *arg)
{
	struct http_dialer *d = arg;
	struct http_dial *dial = mem_zalloc(sizeof *dial);
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		abort();
	dial->transfer.easy = easy;
	dial->taken = CURL_SOCKET_BAD;
	http_setup_easy(easy, &d->o);
	http_set(easy, CURLOPT_CONNECT_ONLY, 1L);
	http_set(easy, CURLOPT_FRESH_CONNECT, 1L);
	http_set(easy, CURLOPT_BUFFERSIZE, (long)DIAL_BUFFER_BYTES);
	http_set(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	http_set(easy, CURLOPT_CLOSESOCKETDATA, dial);
	return &dial->transfer;
}

static void
done(void *arg, struct http_transfer *t, CURLcode result)
{
	struct http_dialer *d = arg;
	struct http_dial *dial = list_item(t, struct http_dial, transfer);
	curl_socket_t fd = CURL_SOCKET_BAD;
	enum why why = http_end_why(result);
	struct http_end end;

	http_end_read(t->easy, result, &end);
	if (result == CURLE_OK && curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd))
		fd = CURL_SOCKET_BAD;
	dial->taken = fd;
	http_transfer_rest(t);
	dial->taken = CURL_SOCKET_BAD;
	d->done(dial->arg, (int)fd, why == WHY_OK && fd < 0 ? WHY_UNAVAILABLE : why, &end);
}

static void
free_dial(void *arg, struct http_transfer *t)
{
	(void)arg;
	curl_easy_cleanup(t->easy);
	free(list_item(t, struct http_dial, transfer));
}

static const struct http_lanes_sink sink = { make, done, free_dial };

struct http_dialer *
http_dialer_open(const struct http_options *o, const struct robot_env *env, http_dial_done *on_done)
{
	struct http_dialer *d = mem_zalloc(sizeof *d);

	d->o = *o;
	d->done = on_done;
	http_lanes_init(&d->lanes, env, &sink, d);
	return d;
}

void
http_dialer_close(struct http_dialer *d)
{
	http_lanes_release(&d->lanes);
	free(d);
}

struct http_dial *
http_dial_start(struct http_dialer *d, void *arg)
{
	struct http_dial *dial = list_item(http_lanes_take(&d->lanes), struct http_dial, transfer);

	dial->arg = arg;
	http_transfer_start(&dial->transfer);
	return dial;
}

void
http_dial_cancel(struct http_dial *dial)
{
	http_transfer_rest(&dial->transfer);
}
