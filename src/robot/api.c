/* api.c - see api.h: what the chat APIs share. */
#include "robot/api.h"

#include <string.h>

/* The path without its first part ("/v1"), which many write into the url. */
static const char *
short_path(const char *path)
{
	return strncmp(path, "/v1/", 4) == 0 ? path + 3 : path;
}

static bool
ends_with(const char *s, size_t n, const char *tail)
{
	size_t n_tail = strlen(tail);

	return n >= n_tail && memcmp(s + n - n_tail, tail, n_tail) == 0;
}

void
api_url(const struct api *a, const char *url, struct buf *out)
{
	const char *path = a->path, *query;
	size_t n;

	url = *url ? url : a->url;
	query = strchrnul(url, '?');
	n = (size_t)(query - url);
	if (*path == '\0' || ends_with(url, n, short_path(path))) {
		(void)buf_adds(out, url);
		return;
	}
	while (n && url[n - 1] == '/')
		n--;
	if (ends_with(url, n, "/v1"))
		path = short_path(path);
	(void)(buf_add(out, url, n) || buf_adds(out, path) || buf_adds(out, query));
}

unsigned
api_can_leave_out(const struct api *a, const struct conf_robot *c, unsigned without, enum why why,
    long status, const char *says)
{
	unsigned can = a->can_leave_out & ~without;

	if (status == 405 || status == 501) /* a sealed body has no place in an address */
		return *c->secret ? 0 : can & API_NO_POST;
	if (why != WHY_REFUSED)
		return 0;
	if (c->stream && c->stream_usage && strcasestr(says, "stream_options"))
		return can & API_NO_STREAM_OPTIONS;
	if (c->max_tokens == 0 ||
	    !(strcasestr(says, "max_tokens") || strcasestr(says, "max_completion_tokens")))
		return 0;
	return can & API_OTHER_MAX_TOKENS ? API_OTHER_MAX_TOKENS : can & API_NO_MAX_TOKENS;
}

static void
add_message(const char *role, const char *text, size_t n, bool first, struct buf *body)
{
	(void)buf_addf(body, "%s{\"role\":\"%s\",\"content\":", first ? "" : ",", role);
	(void)json_write(text, n, body);
	(void)buf_adds(body, "}");
}

static void
add_messages(const struct api_question *q, bool system_first, struct buf *body)
{
	const struct talk *t = q->talk;
	const char *system = q->conf->system;
	bool first = true;

	if (system_first && *system) {
		add_message("system", system, strlen(system), true, body);
		first = false;
	}
	for (int i = t->n_history - q->n_history; i < t->n_history; i++) {
		const struct said *s = &t->history[i];

		add_message("user", s->question, s->n_question, first, body);
		add_message("assistant", s->answer, s->n_answer, false, body);
		first = false;
	}
	add_message("user", t->text, t->n_text, first, body);
}

void
api_chat_members(const struct api_question *q, bool system_first, struct buf *body)
{
	const struct conf_robot *c = q->conf;
	size_t n = strlen(c->extra);

	if (*c->model) {
		(void)buf_adds(body, "\"model\":");
		(void)json_write(c->model, strlen(c->model), body);
		(void)buf_adds(body, ",");
	}
	(void)buf_adds(body, "\"messages\":[");
	add_messages(q, system_first, body);
	(void)buf_addf(body, "],\"stream\":%s", c->stream ? "true" : "false");
	/* The members between its braces; it was checked when it was loaded. */
	if (n > 2 && strcspn(c->extra + 1, "\"") < n - 1) {
		(void)buf_adds(body, ",");
		(void)buf_add(body, c->extra + 1, n - 2);
	}
}
