/* robot.c - see robot.h. All wait equally long for their reply, and equally long between pieces: so
 * those who wait stand in two queues, each in the order in which they are due. */
#include "bench/robot.h"

#include "base/list.h"
#include "base/mem.h"
#include "bench/tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 256, REQUEST = 8192 };

#define CHUNK(json) "data: " json "\n\n"

static const char turing[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n"
    "\r\n{\"code\":100000,\"text\":\"hi\"}",
		  head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n",
		  piece[] =
		      CHUNK("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"piece \"}}]}"),
		  last[] =
		      CHUNK("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}")
			  CHUNK("[DONE]");

struct call {
	struct list link; /* of the queue it stands in, or of nothing */
	int64_t due_ns;
	int fd, n_sent;
	size_t n;
	char request[REQUEST];
};

struct robot {
	struct robot_ways ways;
	int epoll, door;
	struct list delayed, streaming;
};

static void
end(struct call *c)
{
	list_remove(&c->link);
	close(c->fd);
	free(c);
}

static bool
put(struct call *c, const char *s, size_t n)
{
	return send(c->fd, s, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool
put_chunk(struct call *c, const char *before, const char *body, const char *after)
{
	char bytes[1024];
	int n =
	    snprintf(bytes, sizeof bytes, "%s%zx\r\n%s\r\n%s", before, strlen(body), body, after);

	return put(c, bytes, (size_t)n);
}

/* The next part of the reply; whoever is not done stands in line for the one after. */
static void
reply(struct robot *r, struct call *c, int64_t now_ns)
{
	bool good;

	list_remove(&c->link);
	if (r->ways.n_pieces == 0) {
		good = put(c, turing, sizeof turing - 1);
	} else if (c->n_sent == r->ways.n_pieces) {
		c->n_sent = 0;
		good = put_chunk(c, "", last, "0\r\n\r\n");
	} else {
		good = put_chunk(c, c->n_sent++ ? "" : head, piece, "");
		c->due_ns = now_ns + r->ways.gap_ns;
		list_append(&r->streaming, &c->link);
	}
	if (!good)
		end(c);
}

static bool
is_whole(const struct call *c)
{
	const char *body = memmem(c->request, c->n, "\r\n\r\n", 4), *length;
	size_t n_body;

	if (body == NULL)
		return false;
	length = memmem(c->request, (size_t)(body - c->request), "\r\nContent-Length: ", 18);
	n_body = length ? strtoul(length + 18, NULL, 10) : 0;
	return (size_t)(c->request + c->n - body) - 4 >= n_body;
}

static void
on_request(struct robot *r, struct call *c)
{
	ssize_t n = recv(c->fd, c->request + c->n, REQUEST - 1 - c->n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(c);
		return;
	}
	c->n += (size_t)n;
	c->request[c->n] = '\0';
	if (!is_whole(c))
		return;
	c->n = 0;
	if (r->ways.delay_ns == 0) {
		reply(r, c, tool_now_ns());
		return;
	}
	c->due_ns = tool_now_ns() + r->ways.delay_ns;
	list_append(&r->delayed, &c->link);
}

static void
watch(struct robot *r, int fd, void *what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		tool_die("epoll_ctl");
}

static void
on_door(struct robot *r)
{
	int one = 1, fd;

	while ((fd = accept4(r->door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct call *c = mem_zalloc(sizeof *c);

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		list_init(&c->link);
		c->fd = fd;
		watch(r, fd, c);
	}
}

static struct call *
first(struct list *queue)
{
	return list_is_empty(queue) ? NULL : list_item(queue->next, struct call, link);
}

/* Serve those whose time has come, a bounded number. Returns when the next one is due. */
static int64_t
serve_due(struct robot *r, struct list *queue)
{
	struct call *c;

	for (int i = 0; i < AT_ONCE && (c = first(queue)); i++) {
		int64_t now_ns = tool_now_ns();

		if (c->due_ns > now_ns)
			break;
		reply(r, c, now_ns);
	}
	c = first(queue);
	return c ? c->due_ns : INT64_MAX;
}

static void
turn(struct robot *r)
{
	struct epoll_event got[AT_ONCE];
	int64_t a = serve_due(r, &r->delayed), b = serve_due(r, &r->streaming);
	int64_t due_ns = a < b ? a : b, left_ns = due_ns - tool_now_ns();
	struct timespec ts;
	int n;

	if (left_ns < 0)
		left_ns = 0;
	ts = (struct timespec){ .tv_sec = left_ns / SECOND_NS, .tv_nsec = left_ns % SECOND_NS };
	n = epoll_pwait2(r->epoll, got, AT_ONCE, due_ns == INT64_MAX ? NULL : &ts, NULL);
	for (int i = 0; i < n; i++)
		if (got[i].data.ptr)
			on_request(r, got[i].data.ptr);
		else
			on_door(r);
}

void
robot_run(int port, const struct robot_ways *ways)
{
	struct robot r = { .ways = *ways, .epoll = epoll_create1(EPOLL_CLOEXEC) };

	tool_raise_limit();
	r.door = tool_listen(port);
	if (r.epoll < 0)
		tool_die("epoll_create1");
	list_init(&r.delayed);
	list_init(&r.streaming);
	watch(&r, r.door, NULL);
	puts("serves");
	fflush(stdout);
	for (;;)
		turn(&r);
}
