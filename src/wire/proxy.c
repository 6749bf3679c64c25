/* proxy.c - see proxy.h. */
#include "wire/proxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 107, HEAD_BYTES = 16, WORDS = 6, TCP4 = 0x11, TCP6 = 0x21 };

static const char mark[12] = { 0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54,
	0x0A };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- version 1 ------------------------------------------------------------------------------- */

/* Split at single blanks. Returns how many words there are, at most WORDS. */
static int
split(char *line, char *words[WORDS])
{
	int n = 0;

	for (char *word = strtok_r(line, " ", &line); word; word = strtok_r(NULL, " ", &line)) {
		if (n == WORDS)
			return 0;
		words[n++] = word;
	}
	return n;
}

static bool
is_port(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= 1 && n <= 5 && s[n] == '\0' && strtol(s, NULL, 10) <= 65535;
}

static int
parse_line(const char *bytes, size_t n, struct sock_addr *from, bool *told)
{
	const char *end = memchr(bytes, '\n', least(n, LINE_BYTES));
	char line[LINE_BYTES + 1], *words[WORDS] = { NULL };
	bool four, six;

	if (end == NULL)
		return n < LINE_BYTES ? 0 : -1;
	n = (size_t)(end - bytes);
	if (n < 1 || bytes[n - 1] != '\r' || memchr(bytes, '\0', n))
		return -1;
	memcpy(line, bytes, n - 1);
	line[n - 1] = '\0';
	if (strncmp(line, "PROXY UNKNOWN", 13) == 0 && (line[13] == '\0' || line[13] == ' '))
		return (int)n + 1;
	if (split(line, words) != WORDS || strcmp(words[0], "PROXY") != 0)
		return -1;
	four = strcmp(words[1], "TCP4") == 0;
	six = strcmp(words[1], "TCP6") == 0;
	if ((!four && !six) || !is_port(words[4]) || !is_port(words[5]) ||
	    sock_addr_make(from, SOCK_TCP, words[2], (int)strtol(words[4], NULL, 10), NULL) ||
	    from->u.any.sa_family != (four ? AF_INET : AF_INET6))
		return -1;
	*told = true;
	return (int)n + 1;
}

/* --- version 2 ------------------------------------------------------------------------------- */

static void
read_four(const unsigned char *s, struct sock_addr *from)
{
	*from = (struct sock_addr){ .len = sizeof from->u.in };
	from->u.in.sin_family = AF_INET;
	memcpy(&from->u.in.sin_addr, s, 4);
	memcpy(&from->u.in.sin_port, s + 8, 2);
}

static void
read_six(const unsigned char *s, struct sock_addr *from)
{
	*from = (struct sock_addr){ .len = sizeof from->u.in6 };
	from->u.in6.sin6_family = AF_INET6;
	memcpy(&from->u.in6.sin6_addr, s, 16);
	memcpy(&from->u.in6.sin6_port, s + 32, 2);
}

static int
parse_binary(const char *bytes, size_t n, struct sock_addr *from, bool *told)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t length;

	if (n < HEAD_BYTES)
		return 0;
	length = (size_t)s[14] << 8 | s[15];
	if (s[12] >> 4 != 2 || (s[12] & 15) > 1 || HEAD_BYTES + length > PROXY_BYTES)
		return -1;
	if (n < HEAD_BYTES + length)
		return 0;
	if ((s[12] & 15) == 0) /* LOCAL: the proxy itself, looking whether we live */
		return (int)(HEAD_BYTES + length);
	if (s[13] == TCP4 && length >= 12)
		read_four(s + HEAD_BYTES, from);
	else if (s[13] == TCP6 && length >= 36)
		read_six(s + HEAD_BYTES, from);
	else if (s[13] == TCP4 || s[13] == TCP6)
		return -1;
	else
		return (int)(HEAD_BYTES + length);
	*told = true;
	return (int)(HEAD_BYTES + length);
}

int
proxy_parse(const char *bytes, size_t n, struct sock_addr *from, bool *told)
{
	*told = false;
	if (memcmp(bytes, mark, least(n, sizeof mark)) == 0)
		return parse_binary(bytes, n, from, told);
	if (memcmp(bytes, "PROXY ", least(n, 6)) == 0)
		return parse_line(bytes, n, from, told);
	return -1;
}
