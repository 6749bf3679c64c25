/* dial.c - see dial.h. Whoever comes second, the thread that is done or the one who drops it, frees
 * the dial. */
#include "client/dial.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct dial {
	struct link_place place;
	struct link_options options;
	struct err err;
	struct link *link;
	atomic_bool one_left; /* done, or dropped */
	int event;            /* eventfd */
	pthread_t thread;
};

static void
dial_free(struct dial *d)
{
	link_close(d->link);
	close(d->event);
	free(d);
}

static void *
run(void *arg)
{
	struct dial *d = arg;

	d->link = link_open(&d->place, &d->options, &d->err);
	eventfd_write(d->event, 1);
	if (atomic_exchange(&d->one_left, true))
		dial_free(d);
	return NULL;
}

struct dial *
dial_start(const struct link_place *p, const struct link_options *o)
{
	struct dial *d = mem_zalloc(sizeof *d);
	int bad;

	d->place = *p;
	d->options = *o;
	d->event = eventfd(0, EFD_CLOEXEC);
	bad = pthread_create(&d->thread, NULL, run, d);
	if (bad) { /* then it has failed, with the event already there */
		err_set(&d->err, "no thread to connect in");
		atomic_store(&d->one_left, true);
		eventfd_write(d->event, 1);
	} else {
		pthread_detach(d->thread);
	}
	return d;
}

int
dial_fd(const struct dial *d)
{
	return d->event;
}

struct link *
dial_finish(struct dial *d, struct err *e)
{
	struct link *l;
	eventfd_t n;

	eventfd_read(d->event, &n);
	*e = d->err;
	l = d->link;
	d->link = NULL;
	dial_drop(d);
	return l;
}

void
dial_drop(struct dial *d)
{
	if (d && atomic_exchange(&d->one_left, true))
		dial_free(d);
}
