/* place.c - where the server is and what the user is called; see link.h. */
#include "client/link.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static int
set_port(struct link_place *p, const char *text, struct err *e)
{
	int64_t port;

	if (text_to_int(text, &port) || port < 1 || port > 65535)
		return err_set(e, "\"%s\" is no port between 1 and 65535", text);
	p->port = (int)port;
	return 0;
}

static int
set_host(struct link_place *p, const char *host, size_t n, struct err *e)
{
	if (n >= sizeof p->host)
		return err_set(e, "longer than %zu bytes", sizeof p->host - 1);
	if (n > 0)
		snprintf(p->host, sizeof p->host, "%.*s", (int)n, host);
	return 0;
}

int
link_place_parse(struct link_place *p, const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

	*p = (struct link_place){ .kind = SOCK_TCP, .host = "127.0.0.1", .port = LINK_PORT };
	if (strncmp(text, "unix:", 5) == 0 || text[0] == '/') {
		text += text[0] == '/' ? 0 : 5;
		p->kind = SOCK_UNIX;
		return *text ? set_host(p, text, strlen(text), e) : err_set(e, "a path is missing");
	}
	if (text[0] == '[') {
		if (bracket == NULL || (bracket[1] != ':' && bracket[1] != '\0'))
			return err_set(e, "\"%s\" is not of the form [ADDRESS]:PORT", text);
		if (bracket[1] == ':' && set_port(p, bracket + 2, e))
			return -1;
		return set_host(p, text + 1, (size_t)(bracket - text) - 1, e);
	}
	if (colon == NULL || strchr(text, ':') != colon) /* a name, or IPv6 without brackets */
		return set_host(p, text, strlen(text), e);
	if (set_port(p, colon + 1, e))
		return -1;
	return set_host(p, text, (size_t)(colon - text), e);
}

int
link_name_check(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > LINK_NAME_BYTES)
		return err_set(e, "a user name has 1 to %d bytes", LINK_NAME_BYTES);
	if (!text_is_utf8(name, n))
		return err_set(e, "the user name is not UTF-8");
	if (strstr(name, "::") || name[n - 1] == ':' || strpbrk(name, " \t\r\n"))
		return err_set(e, "\"%s\" is no user name: no \"::\", no white space", name);
	return 0;
}
