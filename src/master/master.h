/* master.h - the process that never serves: it binds, forks, watches, reloads.
 * For:     prog/server.c (master_run), and everything in master/ (struct master).
 * Holds:   reads no client's byte, parses no file but in a child, makes no request to a robot. What
 *          may take long (parsing, workers preparing) is waited for in the loop.
 * Memory:  one struct, in master_run(). */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include "master/control.h"
#include "master/inherit.h"
#include "master/listen.h"
#include "master/notify.h"
#include "master/pool.h"
#include "master/reload.h"
#include "master/upgrade.h"
#include "share/boot.h"

#include <ev.h>

struct master_options {
	const char *program; /* this one's file, absolute */
	const char *path;    /* of the configuration, absolute */
	bool optional;       /* it need not exist */
	bool daemon, quiet;
};

struct master {
	const struct master_options *o;
	struct ev_loop *loop;
	struct conf *conf; /* in force */
	int snapshot;      /* the same, sealed */
	struct listen_set doors;
	struct pool pool;
	struct reload reload;
	struct upgrade upgrade;
	struct legacy legacy;
	struct inherit inherit;
	struct notify notify;
	struct control *control; /* NULL: none */
	int pid_fd, daemon_fd;   /* the latter to who waits for -d */
	int n_stops;             /* TERM came so often */
	bool ready, stopping;
	int exit_code;
	struct ev_signal signals[10];
	int n_signals;
};

/* Serve until told to stop. Returns the exit code. */
int master_run(const struct master_options *o, worker_main *work);

/* --- for the other files --------------------------------------------------------------------- */

/* All workers of the start are ready. */
void master_on_ready(struct master *m);
/* The last worker is gone. */
void master_on_empty(struct master *m);
/* It makes no sense to go on. */
void master_give_up(struct master *m, const char *why);
/* Open the log again (NULL: by the settings in force), tell the workers. Returns 0 or -1. */
int master_use_log(struct master *m, int fd);
int master_reopen_log(struct master *m);
/* As TERM; `how` is for the log. */
void master_stop(struct master *m, const char *how);
/* In a new child: let go of everything that is the master's alone. */
void master_let_go(struct master *m);

#endif
