/* manager.h - a service manager as xiaotud sees it: a socket that hears, sockets that are passed.
 * For:     tests of sd_notify and socket activation.     Callers: tests/e2e.
 * Holds:   every wait is bounded and fails the test. Nothing of systemd is needed.
 * Memory:  struct manager is embedded; manager_close() closes what it holds. */
#ifndef TESTS_LIB_MANAGER_H
#define TESTS_LIB_MANAGER_H

#include "lib/server.h"

#include <stdbool.h>
#include <stdint.h>

enum { MANAGER_SOCKETS = 8 };

struct manager {
	int fd;         /* hears; -1: NOTIFY_SOCKET is not set */
	char path[108]; /* or "@NAME" */
	/* Set before the server runs; NULL or 0: not passed. */
	const char *watchdog_us, *watchdog_pid;
	const char *names;
	bool for_another; /* LISTEN_PID is somebody else's */
	int sockets[MANAGER_SOCKETS], n_sockets;
	char text[4096];
};

/* Hear at a path, or at "@NAME" in the abstract namespace; NULL: nowhere. The server, which does
 * not run yet, is told so when it does. */
void manager_open(struct manager *m, struct server *s, const char *path);
/* Open a listening socket to pass, and pass it; tests may connect at once. */
void manager_pass_tcp(struct manager *m, const char *address, int port);
void manager_pass_unix(struct manager *m, const char *path);

/* The next message, NULL when none comes in time. Valid until the next one. */
const char *manager_hear(struct manager *m, int limit_ms);
/* The next message that has this text; others are passed over. */
const char *manager_wait(struct manager *m, const char *text);
/* Messages with this text within the time. */
int manager_count(struct manager *m, const char *text, int during_ms);

void manager_close(struct manager *m);

#endif
