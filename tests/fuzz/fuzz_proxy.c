/* fuzz_proxy.c - wire/proxy and base/net: a header is whole at one length only, and names an
 * address that can be shown and read again. Text behind a cut is a network. */
#include "fuzz/fuzz.h"

#include "base/mem.h"
#include "base/net.h"
#include "wire/proxy.h"

#include <stdlib.h>
#include <string.h>

/* A copy that ends where the bytes end. */
static int
parse(const char *bytes, size_t n, struct sock_addr *from, bool *told)
{
	char *copy = mem_zalloc(n);
	int got;

	memcpy(copy, bytes, n);
	got = proxy_parse(copy, n, from, told);
	free(copy);
	FUZZ_CHECK(got >= -1 && got <= PROXY_BYTES && got <= (int)n);
	return got;
}

static void
check_header(const char *bytes, size_t n)
{
	struct sock_addr from, again;
	bool told, told_again;
	int whole = parse(bytes, n, &from, &told);

	FUZZ_CHECK(!told || whole > 0);
	for (int k = 0; k < whole; k++)
		FUZZ_CHECK(parse(bytes, (size_t)k, &again, &told_again) == 0);
	if (whole > 0) {
		FUZZ_CHECK(parse(bytes, (size_t)whole, &again, &told_again) == whole);
		FUZZ_CHECK(told == told_again);
	}
	FUZZ_CHECK(!told || from.u.any.sa_family == AF_INET || from.u.any.sa_family == AF_INET6);
	/* What waits for more is bounded. */
	FUZZ_CHECK(whole != 0 || n < PROXY_BYTES);
}

static void
check_net(const char *text, const struct sock_addr *a)
{
	struct err e = { "" };
	struct net net;

	if (net_parse(&net, text, &e)) {
		FUZZ_CHECK(*e.text != '\0');
		return;
	}
	FUZZ_CHECK(net.family == AF_INET || net.family == AF_INET6);
	FUZZ_CHECK(net.bits >= 0 && net.bits <= (net.family == AF_INET ? 32 : 128));
	FUZZ_CHECK(net.bits > 0 || net.family != a->u.any.sa_family || net_has(&net, a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct sock_addr loopback = { .len = sizeof loopback.u.in,
		.u.in = { .sin_family = AF_INET, .sin_addr = { 0x0100007F } } };
	const char *s = (const char *)data;
	char *text;
	size_t n_text;

	if (n > 2 * PROXY_BYTES)
		return 0;
	text = fuzz_next(&s, &n, &n_text);
	if (text)
		check_header(text, n_text);
	free(text);
	while ((text = fuzz_next(&s, &n, &n_text)) != NULL) {
		check_net(text, &loopback);
		free(text);
	}
	return 0;
}
