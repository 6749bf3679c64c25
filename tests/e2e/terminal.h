/* terminal.h - a program in a real terminal, which is tmux: what is typed, what is to be seen.
 * For:     tests of the terminal client.     Callers: tests/e2e.
 * Holds:   one tmux for each test, with its socket in the server's folder, which ends with the test
 *          whatever becomes of it. Waits are bounded and fail the test, showing the screen.
 *          The time of an answer is to be seen as TIME, blanks at ends of rows as nothing.
 * Memory:  terminal_open() gives a terminal, freed by terminal_close(). */
#ifndef TESTS_E2E_TERMINAL_H
#define TESTS_E2E_TERMINAL_H

#include "lib/server.h"

#include <stdbool.h>

struct terminal;

/* Is there a tmux? Says so when not. */
bool terminal_is_there(struct server *s);

/* Run our program `xiaotu` with these arguments, at most 400 bytes; $ADDR and $DIR are those of the
 * server, `env` is put before it ("NO_COLOR=1 "). Its history is in $DIR/history, its language
 * Chinese. */
struct terminal *terminal_open(
    struct server *s, int columns, int rows, const char *env, const char *args);
/* The program should have left. */
void terminal_close(struct terminal *t);

/* Type text; press a key as tmux names it ("Left", "C-c", "M-b"); paste in brackets. */
void terminal_type(struct terminal *t, const char *text);
void terminal_key(struct terminal *t, const char *key);
void terminal_paste(struct terminal *t, const char *text);
void terminal_resize(struct terminal *t, int columns, int rows);

/* Wait until the text is to be seen; until it is not. */
void terminal_expect(struct terminal *t, const char *text);
void terminal_expect_no(struct terminal *t, const char *text);
/* Wait until all of the screen is this, a newline behind each row, and none but empty rows below;
 * and the cursor is here. */
void terminal_expect_screen(struct terminal *t, const char *rows, int column, int row);
/* The whole screen, now; with colours as sequences, if wanted. Valid until the next. */
const char *terminal_look(struct terminal *t, bool colours);
/* Wait for the end of the program. Returns its exit status. */
int terminal_wait_exit(struct terminal *t);
/* The program's process. */
pid_t terminal_pid(struct terminal *t);

#endif
