/* fakebot_deaf.c - see fakebot.h. A full queue drops each SYN, so a client's connect stays under
 * way. Whether it is full is tried out: connects of our own fill it until one does not complete. */
#include "lib/fakebot.h"

#include "base/sock.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILLERS = 8, PATIENCE_MS = 100 };

struct fakebot_deaf {
	int door, n;
	int fillers[FILLERS];
};

/* Returns whether it completed. */
static bool
fill(struct fakebot_deaf *d, const struct sock_addr *a)
{
	int fd = socket(a->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	ck_assert_int_ge(fd, 0);
	d->fillers[d->n++] = fd;
	return connect(fd, &a->u.any, a->len) == 0 || poll(&p, 1, PATIENCE_MS) > 0;
}

struct fakebot_deaf *
fakebot_deaf(const char *address, int port)
{
	struct fakebot_deaf *d = calloc(1, sizeof *d);
	struct sock_addr a;
	struct err e;

	ck_assert_ptr_nonnull(d);
	d->door =
	    sock_addr_make(&a, SOCK_TCP, address, port, &e) ? -1 : sock_listen(SOCK_TCP, &a, 0, &e);
	if (d->door < 0)
		ck_abort_msg("fakebot: %s", e.text);
	ck_assert_int_eq(listen(d->door, 0), 0); /* again: it shortens the queue */
	while (fill(d, &a))
		if (d->n == FILLERS)
			ck_abort_msg("fakebot: %d connects did not fill a queue of none", d->n);
	return d;
}

void
fakebot_deaf_stop(struct fakebot_deaf *d)
{
	while (d->n > 0)
		close(d->fillers[--d->n]);
	close(d->door);
	free(d);
}
