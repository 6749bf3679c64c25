/* doors.c - see doors.h. */
#include "worker/doors.h"

#include "base/log.h"
#include "base/mem.h"
#include "worker/dgram.h"
#include "worker/enter.h"
#include "worker/move.h"
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_ONCE = 16, ADD_AGAIN = 16, COMPLAIN_MS = 10000, UNEVEN = 8 };
#define PAUSE_S 0.2
#define DEFER_S 0.002

static void
watch(struct doors *d, struct door *one)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = one };

	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, one->fd, &ev) < 0)
		log_error("door_failed door=%s why=%s", one->url, strerror(errno));
}

static void
unwatch(struct doors *d, struct door *one)
{
	(void)epoll_ctl(d->epoll, EPOLL_CTL_DEL, one->fd, NULL);
}

static void
pause_for(struct doors *d, double seconds)
{
	ev_io_stop(d->w->loop, &d->ready);
	ev_timer_stop(d->w->loop, &d->pause);
	ev_timer_set(&d->pause, seconds, 0.0);
	ev_timer_start(d->w->loop, &d->pause);
}

/* No descriptors or memory: wait, and say so now and then. */
static void
back_off(struct doors *d, int why)
{
	int kept_back;

	score_add(&d->w->score->accept_failures, 1);
	pause_for(d, PAUSE_S);
	if (!seldom_may(&d->complaints, 1, COMPLAIN_MS, lapse_now_ms(), &kept_back))
		return;
	log_warn("accept_paused why=%s", log_quote(strerror(why), strlen(strerror(why))));
}

static void
on_pause_over(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct doors *d = t->data;

	(void)events;
	if (d->epoll >= 0)
		ev_io_start(loop, &d->ready);
}

/* Accept at most `most`. Returns how many; fewer means that no more can be had now. */
static int
accept_some(struct doors *d, struct door *one, int most)
{
	int n = 0;

	while (n < most) {
		struct sock_addr peer;
		int fd = sock_accept(one->fd, &peer);

		if (fd >= 0) {
			n++;
			enter_open(d->w, fd, &peer, one->gate);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO) {
			back_off(d, errno);
			break;
		}
	}
	return n;
}

/* The one added first is woken first: take turns with the other workers. */
static void
add_again(struct doors *d)
{
	d->n_accepted = 0;
	list_each (it, &d->list) {
		struct door *one = list_item(it, struct door, link);

		unwatch(d, one);
		watch(d, one);
	}
}

/* Every worker was woken; has another one clearly fewer chats? */
static bool
is_ahead(const struct doors *d)
{
	const struct score *score = d->w->boot->score;
	int64_t mine = atomic_load_explicit(&d->w->score->chats, memory_order_relaxed);

	for (int i = 0, n = atomic_load(&score->n_used); i < n; i++) {
		const struct score_slot *s = &score->slots[i];

		if (atomic_load_explicit(&s->serving, memory_order_relaxed) &&
		    atomic_load_explicit(&s->chats, memory_order_relaxed) + UNEVEN < mine)
			return true;
	}
	return false;
}

static void
on_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct doors *d = io->data;
	struct epoll_event got[AT_ONCE];
	int n, left = AT_ONCE;

	(void)loop;
	(void)events;
	if (!d->deferred && is_ahead(d)) {
		d->deferred = true;
		pause_for(d, DEFER_S);
		return;
	}
	d->deferred = false;
	n = epoll_wait(d->epoll, got, AT_ONCE, 0);
	for (int i = 0; i < n; i++) {
		struct door *one = got[i].data.ptr;

		if (one->moves) {
			if (move_receive(d->w, AT_ONCE) < 0)
				back_off(d, EMFILE);
		} else if (one->kind == SOCK_UDP) {
			dgram_receive(d->w, one, AT_ONCE);
		} else if (left > 0) {
			int taken = accept_some(d, one, left);

			left -= taken;
			d->n_accepted += taken;
		}
	}
	if (d->n_accepted >= ADD_AGAIN)
		add_again(d);
}

int
doors_init(struct doors *d, struct worker *w, struct err *e)
{
	d->w = w;
	list_init(&d->list);
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0)
		return err_errno(e, "epoll_create1");
	ev_io_init(&d->ready, on_ready, d->epoll, EV_READ);
	d->ready.data = d;
	d->mover = (struct door){ .fd = w->boot->move_take, .moves = true, .url = "move" };
	watch(d, &d->mover);
	ev_timer_init(&d->pause, on_pause_over, 0.0, 0.0);
	d->pause.data = d;
	return 0;
}

void
doors_open(struct doors *d)
{
	if (d->epoll >= 0)
		ev_io_start(d->w->loop, &d->ready);
}

static struct door *
find(struct doors *d, const char *url)
{
	list_each (it, &d->list) {
		struct door *one = list_item(it, struct door, link);

		if (strcmp(one->url, url) == 0)
			return one;
	}
	return NULL;
}

static struct door *
add(struct doors *d, const struct conf_listen *l, const char *url, int fd)
{
	struct door *one = mem_zalloc(sizeof *one);

	one->refs = 1;
	one->fd = fd;
	one->stays = true;
	one->kind = *l->path ? SOCK_UNIX : l->transport == CONF_UDP ? SOCK_UDP : SOCK_TCP;
	memcpy(one->url, url, sizeof one->url);
	list_append(&d->list, &one->link);
	watch(d, one);
	return one;
}

/* Nobody else listens here any more: take whoever waits, then close. */
static void
leave(struct doors *d, struct door *one)
{
	unwatch(d, one);
	list_remove(&one->link);
	if (one->kind != SOCK_UDP)
		while (accept_some(d, one, AT_ONCE) == AT_ONCE)
			continue;
	door_drop(one);
}

static void
set_gate(struct door *one, struct gate *gate)
{
	gate_drop(one->gate);
	one->gate = gate_keep(gate);
}

void
doors_use(struct doors *d, const struct setup *setup, const int *fds)
{
	const struct conf *c = setup->conf;

	list_each (it, &d->list)
		list_item(it, struct door, link)->stays = false;
	for (int i = 0; i < c->n_listen; i++) {
		char url[SOCK_TEXT];
		struct door *same;

		conf_listen_url(&c->listen[i], url);
		same = find(d, url);
		if (same) {
			same->stays = true;
			close(fds[i]); /* a second descriptor of the same socket */
		} else {
			same = add(d, &c->listen[i], url, fds[i]);
		}
		set_gate(same, setup->gates[i]);
	}
	list_each_safe (it, &d->list) {
		struct door *one = list_item(it, struct door, link);

		if (!one->stays)
			leave(d, one);
	}
}

void
doors_close(struct doors *d)
{
	if (d->epoll < 0)
		return;
	ev_io_stop(d->w->loop, &d->ready);
	ev_timer_stop(d->w->loop, &d->pause);
	while (!list_is_empty(&d->list)) {
		struct door *one = list_item(list_first(&d->list), struct door, link);

		unwatch(d, one);
		list_remove(&one->link);
		door_drop(one);
	}
	close(d->epoll);
	d->epoll = -1;
}

void
door_drop(struct door *d)
{
	if (--d->refs > 0)
		return;
	close(d->fd);
	gate_drop(d->gate);
	free(d);
}
