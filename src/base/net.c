/* net.c - see net.h. */
#include "base/net.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Are the first `bits` bits of both the same? */
static bool
same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, (size_t)whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* 0 to `most` in decimal; -1: it is no such number. */
static int
length_of(const char *text, int most)
{
	size_t n = strspn(text, "0123456789");
	long bits = n >= 1 && n <= 3 && text[n] == '\0' ? strtol(text, NULL, 10) : -1;

	return bits > most ? -1 : (int)bits;
}

int
net_parse(struct net *n, const char *text, struct err *e)
{
	const char *slash = strchrnul(text, '/');
	char host[64];
	int most;

	*n = (struct net){ .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	snprintf(host, sizeof host, "%.*s", (int)(slash - text), text);
	if (inet_pton(n->family, host, n->address) != 1)
		return err_set(e, "\"%s\" is no network such as 10.0.0.0/8 or 2001:db8::/32", text);
	most = n->family == AF_INET ? 32 : 128;
	n->bits = *slash ? length_of(slash + 1, most) : most;
	if (n->bits < 0)
		return err_set(e, "\"%s\": the length of the network must be 0 to %d", text, most);
	for (int bit = n->bits; bit < most; bit++)
		if (n->address[bit / 8] >> (7 - bit % 8) & 1)
			return err_set(
			    e, "\"%s\": bits behind the first %d are not zero", text, n->bits);
	return 0;
}

bool
net_has(const struct net *n, const struct sock_addr *a)
{
	const unsigned char *bytes;
	int family = a->u.any.sa_family;

	if (family == AF_INET) {
		bytes = (const unsigned char *)&a->u.in.sin_addr;
	} else if (family == AF_INET6) {
		bytes = (const unsigned char *)&a->u.in6.sin6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr)) {
			family = AF_INET;
			bytes += 12;
		}
	} else {
		return false;
	}
	return family == n->family && same_bits(bytes, n->address, n->bits);
}

bool
net_any_has(const struct net *nets, int n_nets, const struct sock_addr *a)
{
	for (int i = 0; i < n_nets; i++)
		if (net_has(&nets[i], a))
			return true;
	return false;
}
