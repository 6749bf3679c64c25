/* crowd.h - many chats that talk without pause, and one visitor after the other at the door.
 * For:     tests of what nobody in a chat may notice: another pool, another program.
 * Callers: tests/e2e.
 * Holds:   each chat has one question under way, and the next answer must be that question's echo:
 *          so none is lost, doubled, mixed up or out of order. A chat that is closed, reset or told
 *          goodbye fails the test, a visitor who is refused too. The robot must echo.
 * Memory:  crowd_open() gives, crowd_close() frees. */
#ifndef TESTS_E2E_CROWD_H
#define TESTS_E2E_CROWD_H

#include "e2e/scene.h"

/* Every question is answered by its echo, streamed in pieces. Few log lines, because the whole log
 * is looked through again and again. */
#define ECHOES MODEL("openai", "")
#define QUIET  "log = { level = \"notice\"; };\n"

struct crowd;

/* n chats, each of which had an answer. */
struct crowd *crowd_open(struct server *s, int n);
/* Talk on until the log has so many lines with these words, and then until everybody got two
 * answers more; without words: the latter only. */
void crowd_talk(struct crowd *c, const char *words, int n_lines);
/* Talk on until there are so many workers and no zombie. */
void crowd_talk_until_workers(struct crowd *c, int n_workers);
/* USR2, and talk on until the old program is gone; it is the nth upgrade of this server. */
void crowd_upgrade(struct crowd *c, int nth);
/* The last answers come, and nothing after them. Returns how many answers there were in all. */
int crowd_finish(struct crowd *c);
/* Leave. Frees it. */
void crowd_close(struct crowd *c);

#endif
