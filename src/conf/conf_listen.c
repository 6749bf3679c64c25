/* conf_listen.c - see conf_listen.h. */
#include "conf/conf_listen.h"

#include "base/net.h"
#include "base/tls.h"
#include "conf/conf_scan.h"

#include <stdlib.h>
#include <string.h>

/* --- networks and tokens --------------------------------------------------------------------- */

static int
check_nets(const struct conf_texts *t, const char *key, struct err *e)
{
	struct net net;

	for (int i = 0; i < t->n; i++)
		if (net_parse(&net, t->at[i], e))
			return err_add(e, "%s", key);
	return 0;
}

/* The value itself is shown to nobody. */
static int
check_tokens(const struct conf_texts *t, struct err *e)
{
	const size_t n_mark = strlen(CONF_TOKEN_MARK);

	for (int i = 0; i < t->n; i++)
		if (strncmp(t->at[i], CONF_TOKEN_MARK, n_mark) != 0 ||
		    strlen(t->at[i]) != n_mark + CONF_TOKEN_HEX ||
		    strspn(t->at[i] + n_mark, "0123456789abcdef") != CONF_TOKEN_HEX)
			return err_set(e, "token: must be \"sha256:\" and 64 digits of 0-9a-f, as "
					  "of printf %%s SECRET | sha256sum");
	return 0;
}

/* --- TLS ------------------------------------------------------------------------------------- */

/* Read one file; `secret`: others must not be able to. */
static int
read_pem(
    const struct conf_from *from, const char *path, bool secret, const char **pem, struct err *e)
{
	struct stat st;
	size_t n;
	char *text = conf_scan_read(path, &n, &st, e);
	int bad;

	if (text == NULL)
		return -1;
	if (*text == '\0') { /* it would be taken for a key that is not set */
		free(text);
		return err_set(e, "%s: is empty", path);
	}
	bad = secret ? conf_scan_secret(path, st.st_mode, e) : 0;
	if (bad == 0)
		*pem = arena_dup(from->arena, text);
	explicit_bzero(text, n);
	free(text);
	return bad;
}

static int
load_tls(const struct conf_from *from, struct conf_listen *d, struct err *e)
{
	struct tls_context *t;

	if (*d->tls_cert == '\0' && *d->tls_key == '\0' && *d->tls_client_ca == '\0')
		return 0;
	if (*d->tls_cert == '\0' || *d->tls_key == '\0')
		return err_set(e, "tls: needs cert and key");
	if (from->dump)
		return 0;
	if (read_pem(from, d->tls_cert, false, &d->tls_cert_pem, e))
		return err_add(e, "tls.cert");
	if (read_pem(from, d->tls_key, true, &d->tls_key_pem, e))
		return err_add(e, "tls.key");
	if (*d->tls_client_ca && read_pem(from, d->tls_client_ca, false, &d->tls_client_ca_pem, e))
		return err_add(e, "tls.client_ca");
	t = tls_context_new(d->tls_cert_pem, d->tls_key_pem, d->tls_client_ca_pem, e);
	if (t == NULL)
		return err_add(e, "tls");
	tls_context_free(t);
	return 0;
}

/* --- a web door ------------------------------------------------------------------------------ */

/* "SCHEME://HOST[:PORT]" of http or https, as browsers send it? */
static bool
is_origin(const char *s)
{
	size_t skip = strncmp(s, "http://", 7) == 0 ? 7 : strncmp(s, "https://", 8) == 0 ? 8 : 0;
	size_t n = strlen(s + skip);

	return skip && n && strspn(s + skip, "abcdefghijklmnopqrstuvwxyz0123456789-._:[]") == n;
}

static int
check_web(const struct conf_listen *d, struct err *e)
{
	if (d->speak == CONF_WEB && d->transport == CONF_UDP)
		return err_set(e, "speak: a web door cannot be udp");
	if (d->speak != CONF_WEB && d->origins.n)
		return err_set(e, "origins: only a web door has them");
	if (d->speak == CONF_WEB && d->token.n)
		return err_set(e, "token: a browser has no way to say it");
	for (int i = 0; i < d->origins.n; i++)
		if (!is_origin(d->origins.at[i]))
			return err_set(e,
			    "origins: \"%s\" is not like \"https://chat.example.com\": scheme, "
			    "host and port in small letters, nothing behind them",
			    d->origins.at[i]);
	return 0;
}

/* --- a door ---------------------------------------------------------------------------------- */

/* Things that only a stream can have. */
static int
check_transport(const struct conf_listen *d, struct err *e)
{
	bool is_stream = d->transport != CONF_UDP;

	if (*d->path && !is_stream)
		return err_set(e, "transport: a Unix socket cannot be udp");
	if (!is_stream && d->token.n)
		return err_set(e, "token: a datagram has no first line");
	if (!is_stream && *d->tls_cert)
		return err_set(e, "tls: not over udp");
	if (!is_stream && d->proxy_from.n)
		return err_set(e, "proxy_from: not over udp");
	if (*d->path && (d->allow.n || d->deny.n || d->proxy_from.n))
		return err_set(e, "%s: the peers of a Unix socket have no address; see mode",
		    d->allow.n  ? "allow"
		    : d->deny.n ? "deny"
				: "proxy_from");
	return 0;
}

int
conf_listen_finish(const struct conf_from *from, struct conf_listen *d, struct err *e)
{
	char url[160];

	if (strspn(d->mode, "01234567") != strlen(d->mode))
		return err_set(e, "mode: \"%s\" is not octal", d->mode);
	if (check_transport(d, e) || check_web(d, e))
		return -1;
	conf_listen_url(d, url);
	if (strstr(url, "://") == NULL && strncmp(url, "unix:", 5) != 0)
		return err_set(
		    e, "address: \"%s\" is neither an IPv4 nor an IPv6 address", d->address);
	if (check_nets(&d->allow, "allow", e) || check_nets(&d->deny, "deny", e) ||
	    check_nets(&d->proxy_from, "proxy_from", e) || check_tokens(&d->token, e))
		return -1;
	return load_tls(from, d, e);
}

int
conf_listen_check_new(const struct conf_listen *doors, const struct conf_listen *d, struct err *e)
{
	char url[160], other[160];

	conf_listen_url(d, url);
	for (; doors < d; doors++) {
		conf_listen_url(doors, other);
		if (strcmp(url, other) == 0)
			return err_set(e, "%s is there twice", url);
	}
	return 0;
}
