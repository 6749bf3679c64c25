/* json.h - typed, depth-capped JSON, on json-c.
 * For:     messages of chats and replies of robots.     Callers: any floor.
 * Holds:   one whole value, nothing behind it but white space; at most 32 levels; members of
 *          another type count as missing. json-c lets bad UTF-8 and NUL through, so callers check
 *          texts.
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
/* A member that is text, number, true, false or null, as JSON text; "" for any other. */
const char *json_scalar(struct json_object *o, const char *key, size_t *n);
bool json_is_object(struct json_object *o);
size_t json_list_size(struct json_object *list);
struct json_object *json_list_at(struct json_object *list, size_t i);

/* Append s (UTF-8) as a JSON string, quotes included (RFC 8259 section 7).
 * Returns 0, or -1 when out is full. */
int json_write(const char *s, size_t n, struct buf *out);

#endif
