/* json.h - typed, depth-capped JSON, on json-c.
 * For:     messages of chats and replies of robots.     Callers: any floor.
 * Holds:   one whole value, nothing behind it but white space; at most 32 levels around a value, of
 *          which an empty list or object may be one; members of another type count as missing.
 *          json-c lets bad UTF-8 and NUL through, so callers check texts.
 * Memory:  json_read() gives a tree, freed by json_drop(); getters borrow from it. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json_object;

enum { JSON_DEPTH = 32 };

/* Parse n bytes. Returns the tree (gives), or NULL when it is no JSON value, too deep, or `null`.
 */
struct json_object *json_read(const char *bytes, size_t n);
void json_drop(struct json_object *o);

/* Members of an object, or NULL / false when o is no object, or the member is missing or of another
 * type. json_text: the text may hold NUL, *n is its length in bytes. json_whole also takes text
 * that is a whole number, because some robots send codes as text. */
struct json_object *json_object_member(struct json_object *o, const char *key);
struct json_object *json_list(struct json_object *o, const char *key);
const char *json_text(struct json_object *o, const char *key, size_t *n);
bool json_whole(struct json_object *o, const char *key, int64_t *value);
bool json_true(struct json_object *o, const char *key);
/* Is there a member of that name, of any type? */
bool json_has(struct json_object *o, const char *key);
/* A member that is text, number, true, false or null, as JSON text (RFC 8259); "" for any other. */
const char *json_scalar(struct json_object *o, const char *key, size_t *n);
bool json_is_object(struct json_object *o);
/* What a member is. JSON_NUMBER is any number. */
enum json_kind {
	JSON_MISSING,
	JSON_NULL,
	JSON_TEXT,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_OBJECT,
	JSON_LIST
};
enum json_kind json_kind(struct json_object *o, const char *key);
size_t json_list_size(struct json_object *list);
struct json_object *json_list_at(struct json_object *list, size_t i);
/* Members of a list that are text (NULL: it is none) and whole numbers (0: it is none). */
const char *json_item_text(struct json_object *list, size_t i, size_t *n);
int64_t json_item_whole(struct json_object *list, size_t i);

/* --- values that come in pieces -------------------------------------------------------------- */

/* One value after the other, white space between them, cut anywhere: a reply as it arrives, be it
 * one object or NDJSON. Zeroed is fresh. */
struct json_flow {
	struct json_tokener *tokener;
	size_t limit; /* bytes one value may have */
	size_t n;     /* of the value that has begun; 0: between two values */
};

/* on_value borrows the tree, which is NULL for `null`. Returns 0, or -1 when the bytes are no JSON,
 * too deep or too long; nothing more can be read then. on_value may return false to end reading. */
int json_flow_feed(struct json_flow *f, const char *bytes, size_t n,
    bool (*on_value)(void *arg, struct json_object *o), void *arg);
/* As json_read(), for flows of values that are known to be whole: the parser is used again. */
struct json_object *json_flow_read(struct json_flow *f, const char *bytes, size_t n);
/* Forget what has begun; keep the parser. */
void json_flow_reset(struct json_flow *f);
void json_flow_release(struct json_flow *f);

/* Append s (UTF-8) as a JSON string, quotes included (RFC 8259 section 7).
 * Returns 0, or -1 when out is full. */
int json_write(const char *s, size_t n, struct buf *out);

#endif
