/* conf.c - see conf.h: what can be said of a snapshot without its text. */
#include "conf/conf.h"

#include "base/text.h"

#include "base/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MOST = 1 << 26 };

void
conf_free(struct conf *c)
{
	struct arena arena;

	if (c == NULL)
		return;
	arena = c->arena; /* the struct itself lives in it */
	arena_release(&arena);
}

int
conf_n_workers(const struct conf *c)
{
	long n = c->workers ? (long)c->workers : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (int)n;
}

void
conf_listen_url(const struct conf_listen *l, char out[SOCK_TEXT])
{
	enum sock_kind kind = *l->path ? SOCK_UNIX : l->transport == CONF_UDP ? SOCK_UDP : SOCK_TCP;
	struct sock_addr a;

	if (sock_addr_make(&a, kind, *l->path ? l->path : l->address, (int)l->port, NULL))
		snprintf(out, SOCK_TEXT, "%.60s:%d", l->address, (int)l->port);
	else
		sock_url(kind, &a, out);
}

size_t
conf_answer_bytes(const struct conf *c)
{
	return c->limit_answer_bytes ? (size_t)c->limit_answer_bytes : ANSWER_MOST;
}

/* With its NUL, so that texts behind one another are told apart. */
static uint64_t
hash_text(uint64_t hash, const char *s)
{
	return text_hash(hash, s, strlen(s) + 1);
}

uint64_t
conf_robot_identity(const struct conf_robot *r)
{
	uint64_t hash = hash_text(TEXT_HASH_BEGIN, r->name) + (uint64_t)r->kind;

	hash = hash_text(hash_text(hash_text(hash, r->url), r->model), r->secret);
	for (int i = 0; i < r->api_key.n; i++)
		hash = hash_text(hash, r->api_key.at[i]);
	return hash ? hash : 1;
}

bool
conf_has_secret(const struct conf *c)
{
	for (int i = 0; i < c->n_robots; i++)
		if (c->robots[i].api_key.n > 0 || *c->robots[i].secret)
			return true;
	return false;
}
