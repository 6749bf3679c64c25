/* operator.c - see operator.h. */
#include "e2e/operator.h"

#include "lib/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
operator_socket(const struct server *s)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/control.sock", s->folder);
	return path;
}

/* The whole answer, by a socket of our own; never with a key in it. Gives. */
char *
operator_ask(struct server *s, const char *command)
{
	struct peer *p = peer_open_unix(operator_socket(s));
	char *text;

	peer_sendf(p, "%s\n", command);
	text = strdup(peer_rest(p));
	peer_close(p);
	ck_assert_ptr_nonnull(text);
	oracle_check_bytes("what an operator heard", text, strlen(text));
	return text;
}

struct json_object *
operator_json(struct server *s, const char *command)
{
	char *text = operator_ask(s, command);
	struct json_object *o = json_read(text, strlen(text));

	ck_assert_msg(o != NULL, "%s: no JSON: %s", command, text);
	free(text);
	return o;
}

int64_t
operator_number(struct json_object *o, const char *key)
{
	int64_t n = -1;

	ck_assert_msg(json_whole(o, key, &n), "no number %s", key);
	return n;
}

/* A member that is text; valid until the next. */
const char *
operator_text(struct json_object *o, const char *key)
{
	static char text[512];
	size_t n = 0;
	const char *s = json_text(o, key, &n);

	ck_assert_msg(s != NULL, "no text %s", key);
	snprintf(text, sizeof text, "%.*s", (int)n, s);
	return text;
}

struct json_object *
operator_item(struct json_object *o, const char *list, size_t i)
{
	struct json_object *l = json_list(o, list);

	ck_assert_msg(l != NULL && i < json_list_size(l), "%s has no %zu", list, i);
	return json_list_at(l, i);
}

size_t
operator_size(struct json_object *o, const char *list)
{
	ck_assert_ptr_nonnull(json_list(o, list));
	return json_list_size(json_list(o, list));
}
