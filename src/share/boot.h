/* boot.h - the whole contract between the master and a worker it forks.
 * For:     prog/server.c passes worker_run to master_run; they meet only here.
 * Holds:   descriptors are valid in the child and belong to it.
 * Memory:  the struct is the child's own copy. */
#ifndef SHARE_BOOT_H
#define SHARE_BOOT_H

#include "share/chan.h"
#include "share/score.h"
#include "share/standing.h"
#include "share/tally.h"
#include "share/throttle.h"

#include <stdbool.h>
#include <sys/types.h>

/* The form in which chats move (worker/move.h): the one we write, and the least that a reader must
 * know to read ours. Two programs of an upgrade agree by these. */
enum { BOOT_MOVE_VERSION = 1, BOOT_MOVE_LEAST = 1 };

struct boot {
	int slot;
	int chan;     /* to the master */
	int snapshot; /* sealed memfd with the canonical dump */
	int listeners[CHAN_FDS];
	int n_listeners;          /* in the order of conf->listen */
	bool serves;              /* at once; else when CHAN_SERVE says so */
	int move_give, move_take; /* the pair that chats move through (worker/move.h) */
	struct score *score;
	struct tally *tally;
	struct throttle *throttle;
	struct standings *standings;
	int standing_slot; /* ours in them */
	const char *user;  /* to become; "": stay */
	pid_t master;
};

/* Runs a worker until it leaves; returns its exit code. */
typedef int worker_main(const struct boot *boot);

#endif
