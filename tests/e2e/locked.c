/* locked.c - see locked.h. */
#include "e2e/locked.h"

#include <stdio.h>

enum { PATHS = 16 };

struct server *
locked_start(const char *config)
{
	struct server *s = server_new("%s", config);

	certs_make(s->folder, "door", s->address, 1);
	server_run(s);
	server_wait_ready(s);
	return s;
}

const char *
locked_path(const struct server *s, const char *name)
{
	static char paths[PATHS][128];
	static int next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof paths[0], "%s/%s", s->folder, name);
	return path;
}

struct peer *
locked_open(struct server *s, const struct tlspeer *t)
{
	return tlspeer_open(s->address, LOCKED_PORT, t);
}

struct peer *
locked_chat_with(struct server *s, const struct tlspeer *t)
{
	struct peer *p = locked_open(s, t);

	peer_expect(p, GREETING);
	return p;
}

struct peer *
locked_chat(struct server *s)
{
	return locked_chat_with(s, &(struct tlspeer){ .ca = locked_path(s, "ca.pem") });
}
