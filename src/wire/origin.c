/* origin.c - see origin.h. */
#include "wire/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* "[::1]:9980" -> "[::1]"; a port is digits. Returns false when it is neither. */
static bool
split_port(struct slice a, struct slice *host, struct slice *port)
{
	size_t n = a.n;

	while (n && a.s[n - 1] >= '0' && a.s[n - 1] <= '9')
		n--;
	*host = a;
	*port = (struct slice){ "", 0 };
	if (n && a.s[n - 1] == ':') {
		*host = (struct slice){ a.s, n - 1 };
		*port = (struct slice){ a.s + n, a.n - n };
	}
	return host->n > 0 && (host->s[0] == '[' || memchr(host->s, ':', host->n) == NULL);
}

/* Nobody else's name leads here. */
static bool
is_ours(struct slice host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	bool braced = host.n > 2 && host.s[0] == '[' && host.s[host.n - 1] == ']';

	if (host.n == strlen("localhost") && strncasecmp(host.s, "localhost", host.n) == 0)
		return true;
	if (braced) {
		host.s++;
		host.n -= 2;
	}
	if (host.n >= sizeof text)
		return false;
	memcpy(text, host.s, host.n);
	text[host.n] = '\0';
	return braced ? inet_pton(AF_INET6, text, &six) == 1 : inet_pton(AF_INET, text, &four) == 1;
}

static bool
is_same(struct slice a, struct slice b)
{
	return a.n == b.n && strncasecmp(a.s, b.s, a.n) == 0;
}

/* A port that goes without saying. */
static struct slice
port_of(struct slice port, const char *usual)
{
	return port.n ? port : (struct slice){ usual, strlen(usual) };
}

static bool
is_same_host(struct slice origin, struct slice host)
{
	bool plain = origin.n > 7 && strncasecmp(origin.s, "http://", 7) == 0;
	bool tls = origin.n > 8 && strncasecmp(origin.s, "https://", 8) == 0;
	const char *usual = plain ? "80" : "443";
	struct slice from, from_port, to, to_port;
	size_t skip = plain ? 7 : 8;

	if (!plain && !tls)
		return false;
	return split_port((struct slice){ origin.s + skip, origin.n - skip }, &from, &from_port) &&
	       split_port(host, &to, &to_port) && is_ours(to) && is_same(from, to) &&
	       is_same(port_of(from_port, usual), port_of(to_port, usual));
}

bool
origin_may(const struct conf_texts *origins, const struct request *r)
{
	if (r->origin.s == NULL || r->host.s == NULL)
		return false;
	if (origins == NULL || origins->n == 0)
		return is_same_host(r->origin, r->host);
	for (int i = 0; i < origins->n; i++)
		if (is_same(r->origin, (struct slice){ origins->at[i], strlen(origins->at[i]) }))
			return true;
	return false;
}
