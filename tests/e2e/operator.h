/* operator.h - asking a server's control socket, and reading what it says.
 * For:     test_control.c, test_command.c.     Callers: tests/e2e.
 * Holds:   whatever is missing or of another type fails the test; so does an answer with a key.
 * Memory:  answers are given, texts valid until the next. */
#ifndef TESTS_E2E_OPERATOR_H
#define TESTS_E2E_OPERATOR_H

#include "base/json.h"
#include "e2e/scene.h"

/* Path of the socket that PLAIN configures; valid until the next. */
const char *operator_socket(const struct server *s);
/* The whole answer, by a connection of its own. Gives. */
char *operator_ask(struct server *s, const char *command);
/* The same as JSON, freed with json_drop(). */
struct json_object *operator_json(struct server *s, const char *command);

int64_t operator_number(struct json_object *o, const char *key);
const char *operator_text(struct json_object *o, const char *key);
struct json_object *operator_item(struct json_object *o, const char *list, size_t i);
size_t operator_size(struct json_object *o, const char *list);

#endif
