/* gate.c - see gate.h. */
#include "worker/gate.h"

#include "base/digest.h"
#include "base/mem.h"
#include "worker/visit.h"

#include <stdlib.h>
#include <string.h>

enum { MARK_BYTES = 7 }; /* "sha256:" */

static int
read_nets(const struct conf_texts *t, struct net **nets, int *n, struct err *e)
{
	*nets = mem_zalloc((size_t)t->n * sizeof **nets);
	*n = t->n;
	for (int i = 0; i < t->n; i++)
		if (net_parse(&(*nets)[i], t->at[i], e))
			return -1;
	return 0;
}

static int
nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The configuration is checked: "sha256:" and 64 digits. */
static void
read_tokens(struct gate *g, const struct conf_texts *t)
{
	g->tokens = mem_zalloc((size_t)t->n * sizeof *g->tokens);
	g->n_tokens = t->n;
	for (int i = 0; i < t->n; i++)
		for (int k = 0; k < DIGEST_BYTES; k++) {
			const char *hex = t->at[i] + MARK_BYTES + 2 * k;

			g->tokens[i][k] = (unsigned char)(nibble(hex[0]) << 4 | nibble(hex[1]));
		}
}

static uint32_t
web_of(const struct conf_listen *d)
{
	char url[SOCK_TEXT];

	conf_listen_url(d, url);
	return d->speak == CONF_WEB ? visit_door(url) : 0;
}

struct gate *
gate_new(const struct conf_listen *d, struct err *e)
{
	struct gate *g = mem_zalloc(sizeof *g);

	g->refs = 1;
	g->web = web_of(d);
	read_tokens(g, &d->token);
	if (read_nets(&d->allow, &g->allow, &g->n_allow, e) ||
	    read_nets(&d->deny, &g->deny, &g->n_deny, e) ||
	    read_nets(&d->proxy_from, &g->proxies, &g->n_proxies, e))
		goto fail;
	if (*d->tls_cert) {
		g->tls = tls_context_new(d->tls_cert_pem, d->tls_key_pem, d->tls_client_ca_pem, e);
		if (g->tls == NULL)
			goto fail;
	}
	return g;
fail:
	gate_drop(g);
	return NULL;
}

struct gate *
gate_keep(struct gate *g)
{
	g->refs++;
	return g;
}

void
gate_drop(struct gate *g)
{
	if (g == NULL || --g->refs > 0)
		return;
	tls_context_free(g->tls);
	free(g->allow);
	free(g->deny);
	free(g->proxies);
	free(g->tokens);
	free(g);
}

bool
gate_admits(const struct gate *g, const struct sock_addr *a)
{
	return !net_any_has(g->deny, g->n_deny, a) &&
	       (g->n_allow == 0 || net_any_has(g->allow, g->n_allow, a));
}

bool
gate_is_proxy(const struct gate *g, const struct sock_addr *a)
{
	return net_any_has(g->proxies, g->n_proxies, a);
}

bool
gate_is_open(const struct gate *g)
{
	return g->n_proxies == 0 && g->n_tokens == 0 && g->tls == NULL;
}

bool
gate_knows(const struct gate *g, const char *secret, size_t n)
{
	unsigned char digest[DIGEST_BYTES];
	bool knows = false;

	digest_sha256(secret, n, digest);
	for (int i = 0; i < g->n_tokens; i++)
		knows |= digest_is_same(g->tokens[i], digest);
	return knows;
}
