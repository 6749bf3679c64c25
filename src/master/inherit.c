/* inherit.c - see inherit.h. */
#include "master/inherit.h"

#include "base/env.h"
#include "base/log.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 3, NAMES_BYTES = 8192, FDS_MOST = 1024 };

static int64_t
take_number(const char *name)
{
	char text[32];
	int64_t value;

	return env_take(name, text, sizeof text) && text_to_int(text, &value) == 0 ? value : 0;
}

static void
take_one(struct inherit *in, int fd, const char *name)
{
	struct inherited *one = &in->at[in->n];

	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (in->n == CHAN_FDS) {
		in->n_more++;
		close(fd);
		return;
	}
	*one = (struct inherited){ .fd = fd };
	snprintf(one->name, sizeof one->name, "%s", name ? name : "");
	one->is_door = sock_adopt(fd, &one->kind, one->url) == 0;
	in->n++;
}

void
inherit_take(struct inherit *in)
{
	char names[NAMES_BYTES], *rest = names;
	int64_t n = take_number("LISTEN_FDS"), pid = take_number("LISTEN_PID");

	in->n = in->n_more = 0;
	if (!env_take("LISTEN_FDNAMES", names, sizeof names))
		rest = NULL;
	if (pid != getpid() || n < 0 || n > FDS_MOST)
		return;
	for (int fd = FIRST; fd < FIRST + n; fd++)
		take_one(in, fd, strsep(&rest, ":"));
}

/* --- doors ----------------------------------------------------------------------------------- */

static enum sock_kind
kind_of(const struct conf_listen *l)
{
	return *l->path ? SOCK_UNIX : l->transport == CONF_UDP ? SOCK_UDP : SOCK_TCP;
}

static struct inherited *
find_address(struct inherit *in, const char *url)
{
	for (int i = 0; i < in->n; i++)
		if (in->at[i].is_door && in->at[i].fd >= 0 && strcmp(in->at[i].url, url) == 0)
			return &in->at[i];
	return NULL;
}

/* All sockets of a systemd unit have one name unless it says otherwise: of several that fit, the
 * one of the door's address. */
static struct inherited *
find_name(struct inherit *in, const struct conf_listen *l, const char *url)
{
	struct inherited *found = NULL;

	for (int i = 0; i < in->n && *l->name; i++) {
		struct inherited *one = &in->at[i];

		if (one->fd < 0 || !one->is_door || one->kind != kind_of(l) ||
		    strcmp(one->name, l->name) != 0)
			continue;
		if (found == NULL || strcmp(one->url, url) == 0)
			found = one;
	}
	return found;
}

static bool
has(const struct listen_set *s, const char *url)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->urls[i], url) == 0)
			return true;
	return false;
}

/* Give each door of the configuration that has none yet its socket. */
static void
give(struct inherit *in, const struct conf *c, bool by_name, struct listen_set *have)
{
	for (int i = 0; i < c->n_listen && have->n < CHAN_FDS; i++) {
		const struct conf_listen *l = &c->listen[i];
		struct inherited *one;
		char url[SOCK_TEXT];

		conf_listen_url(l, url);
		one = by_name ? find_name(in, l, url) : find_address(in, url);
		if (one == NULL || has(have, url))
			continue;
		log_info("door_inherited door=%s socket=%s name=%s", url, one->url,
		    log_quote(one->name, strlen(one->name)));
		memcpy(have->urls[have->n], url, sizeof url);
		have->paths[have->n][0] = '\0';
		have->fds[have->n++] = one->fd;
		one->fd = -1;
	}
}

void
inherit_give(struct inherit *in, const struct conf *c, struct listen_set *have)
{
	give(in, c, true, have);
	give(in, c, false, have);
	for (int i = 0; i < in->n; i++) {
		const struct inherited *one = &in->at[i];

		if (one->fd < 0)
			continue;
		log_warn("socket_unwanted fd=%d socket=%s name=%s", one->fd,
		    one->is_door ? one->url : "-", log_quote(one->name, strlen(one->name)));
		close(one->fd);
	}
	if (in->n_more)
		log_warn("socket_unwanted n=%d most=%d", in->n_more, CHAN_FDS);
	in->n = 0;
}
