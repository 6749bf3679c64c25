/* json.c - see json.h. json-c 0.16 reads on without what it has no memory for, or calls the text
 * broken: an answer would lack a piece, and nobody would know. So it is errno that we go by. (Only
 * a number that is read after the failure, in the same call, hides it.) */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

static bool
is_blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r\n", s[i]) == NULL || s[i] == '\0')
			return false;
	return true;
}

static struct json_tokener *
new_tokener(void)
{
	struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH + 1);

	if (t == NULL)
		mem_exhausted();
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	return t;
}

static struct json_object *
parse(struct json_tokener *t, const char *bytes, int n)
{
	struct json_object *o;

	errno = 0;
	o = json_tokener_parse_ex(t, bytes, n);
	if (errno == ENOMEM)
		mem_exhausted();
	return o;
}

static struct json_object *
read_whole(struct json_tokener *t, const char *bytes, size_t n)
{
	struct json_object *o;
	enum json_tokener_error why;
	size_t used;

	if (n > INT_MAX)
		return NULL;
	o = parse(t, bytes, (int)n);
	why = json_tokener_get_error(t);
	used = json_tokener_get_parse_end(t);
	if (why == json_tokener_continue) /* a bare number ends only with the input */
		o = parse(t, "", 1), why = json_tokener_get_error(t), used = n;
	if (why == json_tokener_success && is_blank(bytes + used, n - used))
		return o;
	json_object_put(o);
	return NULL;
}

struct json_object *
json_read(const char *bytes, size_t n)
{
	struct json_tokener *t = new_tokener();
	struct json_object *o = read_whole(t, bytes, n);

	json_tokener_free(t);
	return o;
}

void
json_drop(struct json_object *o)
{
	json_object_put(o);
}

static struct json_object *
member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v = NULL;

	if (!json_is_object(o) || !json_object_object_get_ex(o, key, &v))
		return NULL;
	return json_object_is_type(v, type) ? v : NULL;
}

struct json_object *
json_object_member(struct json_object *o, const char *key)
{
	return member(o, key, json_type_object);
}

struct json_object *
json_list(struct json_object *o, const char *key)
{
	return member(o, key, json_type_array);
}

const char *
json_text(struct json_object *o, const char *key, size_t *n)
{
	struct json_object *v = member(o, key, json_type_string);

	if (v == NULL)
		return NULL;
	*n = (size_t)json_object_get_string_len(v);
	return json_object_get_string(v);
}

bool
json_whole(struct json_object *o, const char *key, int64_t *value)
{
	struct json_object *v = member(o, key, json_type_int);

	if (v) {
		*value = json_object_get_int64(v);
		return true;
	}
	v = member(o, key, json_type_string);
	return v && text_to_int(json_object_get_string(v), value) == 0;
}

bool
json_true(struct json_object *o, const char *key)
{
	struct json_object *v = member(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

bool
json_has(struct json_object *o, const char *key)
{
	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, NULL);
}

/* json-c takes NaN, Infinity, 1., 00.5 and -.5 for numbers too, and writes them as they came. */
static bool
is_number(const char *s)
{
	const char *dot = strchr(s, '.');

	s += *s == '-';
	return isdigit((unsigned char)*s) && !(*s == '0' && isdigit((unsigned char)s[1])) &&
	       (dot == NULL || isdigit((unsigned char)dot[1]));
}

const char *
json_scalar(struct json_object *o, const char *key, size_t *n)
{
	struct json_object *v = NULL;
	const char *s;

	*n = 0;
	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
		return "";
	if (json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array))
		return "";
	s = v ? json_object_to_json_string_ext(
		    v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
	      : "null";
	if (s == NULL)
		mem_exhausted();
	if (json_object_is_type(v, json_type_double) && !is_number(s))
		return "";
	*n = strlen(s);
	return s;
}

bool
json_is_object(struct json_object *o)
{
	return json_object_is_type(o, json_type_object);
}

enum json_kind
json_kind(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_is_object(o) || !json_object_object_get_ex(o, key, &v))
		return JSON_MISSING;
	switch (json_object_get_type(v)) {
	case json_type_null:
		return JSON_NULL;
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_double:
	case json_type_int:
		return JSON_NUMBER;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_array:
		return JSON_LIST;
	case json_type_string:
		return JSON_TEXT;
	}
	return JSON_MISSING;
}

size_t
json_list_size(struct json_object *list)
{
	return json_object_array_length(list);
}

struct json_object *
json_list_at(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(list, i);
}

const char *
json_item_text(struct json_object *list, size_t i, size_t *n)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	if (!json_object_is_type(v, json_type_string))
		return NULL;
	*n = (size_t)json_object_get_string_len(v);
	return json_object_get_string(v);
}

int64_t
json_item_whole(struct json_object *list, size_t i)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;
}

int
json_write(const char *s, size_t n, struct buf *out)
{
	size_t plain = 0;
	int bad = buf_adds(out, "\"");

	for (size_t i = 0; i < n && !bad; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		bad = buf_add(out, s + plain, i - plain);
		plain = i + 1;
		if (!bad && c == '\n')
			bad = buf_adds(out, "\\n");
		else if (!bad && (c == '"' || c == '\\'))
			bad = buf_addf(out, "\\%c", c);
		else if (!bad)
			bad = buf_addf(out, "\\u%04x", c);
	}
	if (!bad && n > plain)
		bad = buf_add(out, s + plain, n - plain);
	return bad ? -1 : buf_adds(out, "\"");
}

/* --- values that come in pieces -------------------------------------------------------------- */

/* The next value, or the rest of one. Returns the bytes used, or -1; *o and *whole when it ended.
 * */
static int
flow_one(struct json_flow *f, const char *bytes, int n, struct json_object **o, bool *whole)
{
	enum json_tokener_error why;
	int used;

	*o = parse(f->tokener, bytes, n);
	why = json_tokener_get_error(f->tokener);
	used = (int)json_tokener_get_parse_end(f->tokener);
	*whole = why == json_tokener_success;
	if (why != json_tokener_success && why != json_tokener_continue)
		return -1;
	f->n += (size_t)used;
	if (f->n > f->limit) {
		json_object_put(*o);
		return -1;
	}
	if (*whole)
		f->n = 0;
	return used;
}

int
json_flow_feed(struct json_flow *f, const char *bytes, size_t n,
    bool (*on_value)(void *arg, struct json_object *o), void *arg)
{
	if (f->tokener == NULL)
		f->tokener = new_tokener();
	while (n > 0) {
		struct json_object *o;
		bool whole, on;
		int used;

		if (f->n == 0 && is_blank(bytes, 1)) {
			bytes++;
			n--;
			continue;
		}
		used = flow_one(f, bytes, n > INT_MAX ? INT_MAX : (int)n, &o, &whole);
		if (used < 0)
			return -1;
		bytes += used;
		n -= (size_t)used;
		on = !whole || on_value(arg, o);
		json_object_put(o);
		if (!on)
			break;
	}
	return 0;
}

struct json_object *
json_flow_read(struct json_flow *f, const char *bytes, size_t n)
{
	struct json_object *o;

	if (f->tokener == NULL)
		f->tokener = new_tokener();
	o = read_whole(f->tokener, bytes, n);
	json_flow_reset(f);
	return o;
}

void
json_flow_reset(struct json_flow *f)
{
	if (f->tokener)
		json_tokener_reset(f->tokener);
	f->n = 0;
}

void
json_flow_release(struct json_flow *f)
{
	if (f->tokener)
		json_tokener_free(f->tokener);
	f->tokener = NULL;
	f->n = 0;
}
