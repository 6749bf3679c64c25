/* moving.h - how chats come to move: their worker leaves, or the whole program is another one.
 * For:     tests of moves and upgrades.     Callers: tests/e2e.
 * Memory:  none. */
#ifndef TESTS_E2E_MOVING_H
#define TESTS_E2E_MOVING_H

#include "e2e/scene.h"

/* Of two workers, this one is told to leave. It may have few chats. */
void moving_begin(struct server *s, pid_t worker);
/* It left: returns the other one, which has its chats now. Then a new one came, so that there are
 * two again. */
pid_t moving_end(struct server *s, pid_t worker);
/* Both. */
pid_t moving_done(struct server *s, pid_t worker);
/* Both, for the worker that opened this chat (TCP over IPv4). */
pid_t moving_chat(struct server *s, struct peer *p);

/* The server runs from a copy of the program in its folder, which moving_program() replaces by a
 * script, or with NULL by the good one again. */
struct server *moving_server(const char *config);
struct server *moving_server_new(const char *config); /* it does not run yet */
void moving_program(struct server *s, const char *script, int mode);

/* USR2, and wait until the old program is gone: s->pid is the new one. */
void moving_upgrade(struct server *s);
/* The first half of it: the new one is in charge, the old one may still be there. Returns the
 * old one's pid. */
pid_t moving_upgrade_begin(struct server *s);
/* Wait for the end of a master that is no child of ours by birth; its exit status. */
int moving_wait_exit(pid_t pid);

/* The number in $DIR/pid. */
pid_t moving_pid_file(struct server *s);

#endif
