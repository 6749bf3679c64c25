/* person.h - a person at a terminal who chats: what every test of that begins and ends with.
 * For:     test_chat.c, test_line.c, test_visit.c.
 * Holds:   one person a test: server, terminal and robot are those of the test.
 * Memory:  person_end() frees what person_begin() made. */
#ifndef TESTS_E2E_PERSON_H
#define TESTS_E2E_PERSON_H

#include "e2e/terminal.h"
#include "lib/fakebot.h"

#include <stdbool.h>

extern struct person {
	struct server *server;
	struct terminal *terminal;
	struct fakebot *bot;
} person;

/* A server and a chat with it, up to the first prompt; `env` and `args` as in terminal_open(), NULL
 * is a usual chat. Returns false, having said why, when there is no tmux. */
bool person_begin(const char *config, int columns, const char *env, const char *args);
/* The person empties the line and leaves; all is well. */
void person_end(void);

void person_types(const char *text);
void person_presses(const char *key, int times);
/* The text is to be seen; no more. */
void person_sees(const char *text);
void person_sees_no(const char *text);
/* All of the screen is this, and the cursor is here. */
void person_sees_screen(const char *rows, int column, int row);
/* The same below the greeting, which is not counted. */
void person_sees_line(const char *rows, int column, int row);

#endif
