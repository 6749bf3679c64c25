/* notify.h - what the service manager is told: sd_notify(3) without libsystemd.
 * For:     Type=notify and WatchdogSec= of systemd, and whoever else speaks it.     Callers:
 *          master/.
 * Holds:   never blocks, never fails the daemon; without NOTIFY_SOCKET every call does nothing.
 *          What is told is the state there is now, so a message that found the manager's queue full
 *          is made up for by one message a little later. The watchdog is fed by health: while a
 *          worker is ready and beats. The variables are for us alone: no child has them.
 * Memory:  one socket; inside struct master. */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

struct master;

enum { NOTIFY_STATUS = 600, NOTIFY_OUTCOME = 240 };

struct notify {
	struct master *m;
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t watchdog_us; /* 0: there is none */
	int64_t reload_us;   /* monotonic time of the reload under way; 0: none */
	pid_t main_pid;      /* who is the service's main process now; 0: we */
	bool complained, confirmed;
	char outcome[NOTIFY_OUTCOME]; /* of the last reload */
	char told[NOTIFY_STATUS];     /* the status told last */
	struct ev_prepare turn;
	struct ev_timer later, feed;
};

/* Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Before anything forks. */
void notify_take(struct notify *n);
/* From now on: status and watchdog. */
void notify_start(struct notify *n, struct master *m);
/* Tell everything (again): after master->ready or ->stopping changed. */
void notify_tell(struct notify *n);

/* A reload begins; and is over: `ok`, and the keys that changed or why not. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n, bool ok, const char *text);

/* Another process is the service's main one from now on; this one tells nothing after that. */
void notify_main_pid(struct notify *n, pid_t pid);
/* In a child that is about to become another master: set the variables again, for it. */
void notify_export(const struct notify *n);

/* The end; and in a new child, where the loop is not ours: close the socket. */
void notify_end(struct notify *n);
void notify_let_go(struct notify *n);

#endif
