/* first.c - see first.h. Robot and chat are in one process, so that one clock does. */
#include "bench/first.h"

#include "base/sock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 20 };

struct first {
	struct ev_loop *loop;
	struct ev_io door, call, chat;
	int rounds, n;
	int64_t sent_ns;
	int64_t *took_ns;
	bool heard, greeted;
};

#define EVENT(json) "data: " json "\n\n"
#define HEAD                                                                                       \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

static const char piece[] =
    EVENT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}"),
		  last[] = EVENT("{\"choices\":[{\"index\":0,\"delta\":{},"
				 "\"finish_reason\":\"stop\"}]}") EVENT("[DONE]");

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
put(int fd, const char *bytes, size_t n)
{
	if (write(fd, bytes, n) != (ssize_t)n) {
		perror("bench: write");
		exit(1);
	}
}

static void
put_chunk(int fd, const char *head, const char *body, const char *tail)
{
	char bytes[1024];
	int n = snprintf(bytes, sizeof bytes, "%s%zx\r\n%s\r\n%s", head, strlen(body), body, tail);

	put(fd, bytes, (size_t)n);
}

static void
ask(struct first *f)
{
	f->heard = false;
	put(f->chat.fd, "me::hi\n", 7);
}

static void
on_call(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct first *f = io->data;
	char bytes[16384];
	ssize_t n = read(io->fd, bytes, sizeof bytes);

	(void)events;
	if (n <= 0) {
		ev_io_stop(loop, io);
		close(io->fd);
		return;
	}
	if (bytes[n - 1] != '}')
		return; /* the body is still to come */
	f->sent_ns = now_ns();
	put_chunk(io->fd, HEAD, piece, "");
}

static void
on_door(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct first *f = io->data;
	struct sock_addr peer;
	int fd = sock_accept(io->fd, &peer);

	(void)events;
	if (fd < 0)
		return;
	ev_io_stop(loop, &f->call);
	ev_io_set(&f->call, fd, EV_READ);
	ev_io_start(loop, &f->call);
}

static void
on_chat(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct first *f = io->data;
	int64_t at_ns = now_ns();
	char bytes[4096];
	ssize_t n = read(io->fd, bytes, sizeof bytes);

	(void)events;
	if (n <= 0) {
		fprintf(stderr, "bench: the chat ended\n");
		exit(1);
	}
	if (f->greeted && !f->heard) {
		f->heard = true;
		if (f->n >= WARM_UP)
			f->took_ns[f->n - WARM_UP] = at_ns - f->sent_ns;
		put_chunk(f->call.fd, "", last, "0\r\n\r\n");
	}
	if (bytes[n - 1] != '\n')
		return;
	if (f->greeted)
		f->n++;
	f->greeted = true;
	if (f->n == f->rounds + WARM_UP)
		ev_break(loop, EVBREAK_ALL);
	else
		ask(f);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
open_or_die(int port, bool listens)
{
	struct sock_addr a;
	struct err e;
	int fd = sock_addr_make(&a, SOCK_TCP, "127.0.0.1", port, &e);

	if (fd == 0)
		fd = listens ? sock_listen(SOCK_TCP, &a, 0, &e)
			     : sock_connect(SOCK_TCP, &a, 1000, &e);
	if (fd < 0) {
		fprintf(stderr, "bench: %s\n", e.text);
		exit(1);
	}
	return fd;
}

void
first_measure(struct ev_loop *loop, int port, int robot_port, int rounds)
{
	struct first f = { .loop = loop, .rounds = rounds };

	f.took_ns = calloc((size_t)rounds, sizeof *f.took_ns);
	if (f.took_ns == NULL)
		exit(1);
	ev_io_init(&f.door, on_door, open_or_die(robot_port, true), EV_READ);
	ev_io_init(&f.chat, on_chat, open_or_die(port, false), EV_READ);
	ev_io_init(&f.call, on_call, -1, EV_READ);
	f.door.data = f.chat.data = f.call.data = &f;
	ev_io_start(loop, &f.door);
	ev_io_start(loop, &f.chat);
	ev_run(loop, 0);
	qsort(f.took_ns, (size_t)rounds, sizeof *f.took_ns, compare);
	printf("%lld %lld\n", (long long)(f.took_ns[rounds / 2] / 1000),
	    (long long)(f.took_ns[rounds - 1 - rounds / 100] / 1000));
	free(f.took_ns);
}
