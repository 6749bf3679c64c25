/* fuzz_json.c - base/json: values as they arrive, however they are cut; one whole value; and text
 * written is text read. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/text.h"

#include <json-c/json.h>
#include <string.h>

struct reading {
	struct json_flow flow;
	struct buf out;
	int bad;
};

/* Lists and objects around the deepest value; one without members is a value. */
static int
depth_of(struct json_object *o)
{
	int most = -1, depth;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			if ((depth = depth_of(json_object_array_get_idx(o, i))) > most)
				most = depth;
		return most + 1;
	}
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			if ((depth = depth_of(value)) > most)
				most = depth;
		}
		return most + 1;
	}
	return 0;
}

static bool
on_value(void *arg, struct json_object *o)
{
	struct reading *r = arg;
	size_t n;
	const char *s = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &n);

	FUZZ_CHECK(depth_of(o) <= JSON_DEPTH);
	FUZZ_CHECK(buf_add(&r->out, s, n) == 0 && buf_adds(&r->out, "\n") == 0);
	return true;
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;

	(void)quiet;
	if (!r->bad)
		r->bad = json_flow_feed(&r->flow, s, n, on_value, r);
}

static void
check_flow(const char *s, size_t n)
{
	struct reading r[FUZZ_WAYS];

	for (int way = 0; way < FUZZ_WAYS; way++) {
		r[way] = (struct reading){ .flow = { .limit = FUZZ_BYTES } };
		buf_init(&r[way].out, 64 * FUZZ_BYTES);
		fuzz_feed(s, n, (enum fuzz_way)way, on_piece, &r[way]);
		json_flow_release(&r[way].flow);
		if (!fuzz_has_odd_number(s, n)) {
			FUZZ_CHECK(r[way].bad == r[0].bad);
			FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
		}
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&r[way].out);
}

/* Every getter, on members and on items. */
static void
check_getters(struct json_object *o, const char *key)
{
	struct json_object *list = json_list(o, key);
	enum json_kind kind = json_kind(o, key);
	size_t n = 0;
	int64_t v;

	FUZZ_CHECK(json_has(o, key) == (kind != JSON_MISSING));
	FUZZ_CHECK((json_text(o, key, &n) != NULL) == (kind == JSON_TEXT));
	FUZZ_CHECK(!json_whole(o, key, &v) || kind == JSON_NUMBER || kind == JSON_TEXT);
	FUZZ_CHECK(!json_true(o, key) || kind == JSON_BOOL);
	FUZZ_CHECK((json_object_member(o, key) != NULL) == (kind == JSON_OBJECT));
	FUZZ_CHECK((list != NULL) == (kind == JSON_LIST));
	FUZZ_CHECK(strlen(json_scalar(o, key, &n)) == n);
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		(void)json_list_at(list, i);
		(void)json_item_text(list, i, &n);
		(void)json_item_whole(list, i);
	}
}

static void
check_value(const char *s, size_t n)
{
	struct json_object *o = json_read(s, n), *again;
	const char *text;

	if (o == NULL)
		return;
	FUZZ_CHECK(depth_of(o) <= JSON_DEPTH);
	check_getters(o, "a");
	check_getters(o, "id");
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &n);
	again = json_read(text, n);
	FUZZ_CHECK(again != NULL);
	json_drop(again);
	json_drop(o);
}

static void
check_writing(const char *s, size_t n)
{
	struct json_object *o;
	struct buf out;

	if (!text_is_utf8(s, n))
		return;
	buf_init(&out, 6 * FUZZ_BYTES + 64);
	FUZZ_CHECK(buf_adds(&out, "{\"a\":") == 0 && json_write(s, n, &out) == 0);
	FUZZ_CHECK(buf_adds(&out, "}") == 0);
	o = json_read(buf_head(&out), out.len);
	FUZZ_CHECK(o != NULL);
	size_t n_text = 0;
	const char *text = json_text(o, "a", &n_text);
	FUZZ_CHECK(text != NULL && n_text == n && memcmp(text, s, n) == 0);
	json_drop(o);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;

	if (n > FUZZ_BYTES)
		return 0;
	check_flow(s, n);
	check_value(s, n);
	check_writing(s, n);
	return 0;
}
