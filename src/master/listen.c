/* listen.c - see listen.h. */
#include "master/listen.h"

#include "base/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
find(const struct listen_set *s, const char *url)
{
	for (int i = 0; s && i < s->n; i++)
		if (strcmp(s->urls[i], url) == 0)
			return i;
	return -1;
}

/* What the operator can do about it; "" where the system's own words must do. */
static const char *
hint_of(int error)
{
	switch (error) {
	case EADDRINUSE:
		return " (another xiaotud or program has it: stop that, or choose another in "
		       "`listen`)";
	case EADDRNOTAVAIL:
		return " (this machine has no such address; 0.0.0.0 stands for all of them)";
	case EACCES:
		return " (a port below 1024 is for root: start as root with `user`, or choose a "
		       "higher one)";
	default:
		return "";
	}
}

static int
open_one(const struct conf_listen *l, struct err *e)
{
	enum sock_kind kind = *l->path ? SOCK_UNIX : l->transport == CONF_UDP ? SOCK_UDP : SOCK_TCP;
	struct sock_addr a;
	struct err why = { "" };
	int fd;

	if (sock_addr_make(&a, kind, *l->path ? l->path : l->address, (int)l->port, e))
		return -1;
	fd = sock_listen(kind, &a, (unsigned)strtoul(l->mode, NULL, 8), &why);
	if (fd < 0)
		err_set(e, "%s%s", why.text, kind == SOCK_UNIX ? "" : hint_of(errno));
	return fd;
}

int
listen_open(
    struct listen_set *s, const struct conf *c, const struct listen_set *have, struct err *e)
{
	s->n = 0;
	for (int i = 0; i < c->n_listen; i++) {
		const struct conf_listen *l = &c->listen[i];
		int same;

		conf_listen_url(l, s->urls[i]);
		same = find(have, s->urls[i]);
		/* The file of a socket that was given to us is not ours. */
		snprintf(
		    s->paths[i], sizeof s->paths[i], "%s", same >= 0 ? have->paths[same] : l->path);
		s->fds[i] = same >= 0 ? have->fds[same] : open_one(l, e);
		if (s->fds[i] < 0) {
			listen_close(s, have);
			return err_add(e, "listen.[%d]", i);
		}
		s->n = i + 1;
	}
	return 0;
}

void
listen_close(struct listen_set *s, const struct listen_set *keep)
{
	for (int i = 0; i < s->n; i++) {
		if (find(keep, s->urls[i]) >= 0)
			continue;
		close(s->fds[i]);
		if (*s->paths[i])
			unlink(s->paths[i]);
	}
	s->n = 0;
}

void
listen_forget(struct listen_set *s, const struct listen_set *taken)
{
	int n = 0;

	for (int i = 0; i < s->n; i++) {
		if (find(taken, s->urls[i]) >= 0)
			continue;
		s->fds[n] = s->fds[i];
		memmove(s->urls[n], s->urls[i], sizeof s->urls[i]);
		memmove(s->paths[n], s->paths[i], sizeof s->paths[i]);
		n++;
	}
	s->n = n;
}

void
listen_leave(struct listen_set *s)
{
	for (int i = 0; i < s->n; i++)
		close(s->fds[i]);
	s->n = 0;
}

void
listen_text(const struct listen_set *s, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (int i = 0; i < s->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "", s->urls[i]);
}
