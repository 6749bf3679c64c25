/* bench.c - the load of scripts/bench: chats or HTTP requests in ping-pong, a slow robot, a wave.
 *   bench talk line|http PORT N SECONDS   prints how many answers came
 *   bench wave PORT N                     N chats ask at once; prints answers and milliseconds
 *   bench idle PORT N                     holds N greeted chats; prints "held", ends with its input
 *   bench robot PORT MS                   a Turing robot that takes MS for each answer
 *   bench first PORT ROBOT N              N streams; us for the first piece: median, p99 */
#include "bench/first.h"

#include "base/buf.h"
#include "base/lapse.h"
#include "base/sock.h"
#include "base/text.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char reply[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n"
    "\r\n{\"code\":100000,\"text\":\"hi\"}";

struct load;

struct peer {
	struct ev_io io;
	struct ev_timer timer; /* of the robot's answer */
	struct load *load;
	char seen[4096];
	size_t n_seen;
	bool greeted, waits;
};

struct load {
	struct ev_loop *loop;
	struct peer *peers;
	int n, port, greeted;
	int64_t n_answers;
	bool http, again;
	double delay_s;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void
put(int fd, const char *s)
{
	size_t n = strlen(s);

	if (send(fd, s, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("send");
}

static void
ask(struct peer *p)
{
	p->waits = true;
	put(p->io.fd, p->load->http ? request : "me::hi\n");
}

static void
on_answer(struct peer *p)
{
	struct load *l = p->load;

	p->n_seen = 0;
	if (!p->greeted) {
		p->greeted = true;
		if (++l->greeted == l->n)
			ev_break(l->loop, EVBREAK_ALL);
		return;
	}
	if (!p->waits)
		return;
	p->waits = false;
	l->n_answers++;
	if (l->again)
		ask(p);
	else if (l->n_answers == l->n)
		ev_break(l->loop, EVBREAK_ALL);
}

/* A line is a greeting or an answer; an HTTP response ends with the brace of its body. */
static void
on_read(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct peer *p = io->data;
	ssize_t n = recv(io->fd, p->seen + p->n_seen, sizeof p->seen - p->n_seen, MSG_DONTWAIT);

	(void)events;
	if (n <= 0) {
		ev_io_stop(loop, io);
		fprintf(stderr, "bench: a connection ended\n");
		exit(1);
	}
	p->n_seen += (size_t)n;
	if (p->seen[p->n_seen - 1] == (p->load->http ? '}' : '\n'))
		on_answer(p);
}

static void
open_all(struct load *l)
{
	struct sock_addr a;
	struct err e;

	if (sock_addr_make(&a, SOCK_TCP, "127.0.0.1", l->port, &e))
		exit(1);
	l->peers = calloc((size_t)l->n, sizeof *l->peers);
	if (l->peers == NULL)
		die("calloc");
	for (int i = 0; i < l->n; i++) {
		struct peer *p = &l->peers[i];
		int fd = sock_connect(SOCK_TCP, &a, 5000, &e);

		if (fd < 0)
			die("connect");
		p->load = l;
		p->greeted = l->http;
		ev_io_init(&p->io, on_read, fd, EV_READ);
		p->io.data = p;
		ev_io_start(l->loop, &p->io);
	}
	if (!l->http)
		ev_run(l->loop, 0); /* until all are greeted */
}

static void
on_time(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)t;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void
talk(struct load *l, double seconds)
{
	struct ev_timer end;

	l->again = true;
	open_all(l);
	for (int i = 0; i < l->n; i++)
		ask(&l->peers[i]);
	ev_now_update(l->loop);
	ev_timer_init(&end, on_time, seconds, 0.0);
	ev_timer_start(l->loop, &end);
	ev_run(l->loop, 0);
	printf("%lld\n", (long long)l->n_answers);
}

static void
wave(struct load *l)
{
	int64_t since_ms;

	open_all(l);
	since_ms = lapse_now_ms();
	for (int i = 0; i < l->n; i++)
		ask(&l->peers[i]);
	ev_run(l->loop, 0);
	printf("%lld %lld\n", (long long)l->n_answers, (long long)(lapse_now_ms() - since_ms));
}

static void
hold(struct load *l)
{
	char byte;

	open_all(l);
	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

/* --- the slow robot --------------------------------------------------- */

static void
on_due(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct peer *p = t->data;

	(void)loop;
	(void)events;
	put(p->io.fd, reply);
}

static void
on_question(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct peer *p = io->data;
	ssize_t n = recv(io->fd, p->seen, sizeof p->seen, MSG_DONTWAIT);

	(void)events;
	if (n <= 0) {
		ev_io_stop(loop, io);
		ev_timer_stop(loop, &p->timer);
		close(io->fd);
		free(p);
		return;
	}
	if (p->seen[n - 1] != '}')
		return; /* the body is still to come */
	ev_timer_set(&p->timer, p->load->delay_s, 0.0);
	ev_timer_start(loop, &p->timer);
}

static void
on_connection(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct sock_addr peer;
	int fd;

	(void)events;
	while ((fd = sock_accept(io->fd, &peer)) >= 0) {
		struct peer *p = calloc(1, sizeof *p);

		if (p == NULL)
			die("calloc");
		p->load = io->data;
		ev_io_init(&p->io, on_question, fd, EV_READ);
		ev_timer_init(&p->timer, on_due, 0.0, 0.0);
		p->io.data = p->timer.data = p;
		ev_io_start(loop, &p->io);
	}
}

static void
robot(struct load *l)
{
	struct sock_addr a;
	struct ev_io door;
	struct err e;
	int fd;

	if (sock_addr_make(&a, SOCK_TCP, "127.0.0.1", l->port, &e) ||
	    (fd = sock_listen(SOCK_TCP, &a, 0, &e)) < 0) {
		fprintf(stderr, "bench: %s\n", e.text);
		exit(1);
	}
	ev_io_init(&door, on_connection, fd, EV_READ);
	door.data = l;
	ev_io_start(l->loop, &door);
	puts("serves");
	fflush(stdout);
	ev_run(l->loop, 0);
}

static int
number(const char *text)
{
	int64_t value;

	if (text == NULL || text_to_int(text, &value)) {
		fprintf(stderr, "bench: a number is missing\n");
		exit(2);
	}
	return (int)value;
}

int
main(int argc, char **argv)
{
	struct load l = { .loop = ev_loop_new(EVFLAG_AUTO) };
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 6 && strcmp(what, "talk") == 0) {
		l.http = strcmp(argv[2], "http") == 0;
		l.port = number(argv[3]);
		l.n = number(argv[4]);
		talk(&l, number(argv[5]));
	} else if (argc == 5 && strcmp(what, "first") == 0) {
		first_measure(l.loop, number(argv[2]), number(argv[3]), number(argv[4]));
	} else if (argc == 4 && strcmp(what, "robot") == 0) {
		l.port = number(argv[2]);
		l.delay_s = number(argv[3]) / 1000.0;
		robot(&l);
	} else if (argc == 4) {
		l.port = number(argv[2]);
		l.n = number(argv[3]);
		if (strcmp(what, "wave") == 0)
			wave(&l);
		else
			hold(&l);
	} else {
		fprintf(stderr, "usage: bench talk|wave|idle|robot|first ...\n");
		return 2;
	}
	return 0;
}
