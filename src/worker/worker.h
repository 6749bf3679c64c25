/* worker.h - one process of the pool: its loop, its chats, its way out.
 * For:     prog/server.c (worker_run), and everything in worker/ (struct worker).
 * Holds:   one loop, nothing blocks. Settings change only by worker->setup being another one.
 * Memory:  the struct lives in worker_run(); chats and datagrams are in its lists. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/lapse.h"
#include "base/later.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/seldom.h"
#include "share/boot.h"
#include "worker/doors.h"
#include "worker/jail.h"
#include "worker/setup.h"

#include "store/store.h"

#include <ev.h>

enum { WORKER_READ_BYTES = 16384, WORKER_DATAGRAMS = 1024 };

struct worker {
	const struct boot *boot;
	struct ev_loop *loop;
	struct later later;
	struct setup *setup; /* in force */
	struct setup *next;  /* prepared, not committed */
	int64_t next_number;
	int next_fds[CHAN_FDS];
	struct doors doors;
	struct list conns, datagrams, to_move;
	int n_datagrams;
	struct lapse quiet, message, idle, linger, notice;
	struct robot_env env; /* what robots are opened with */
	struct store *store;
	struct score_slot *score;
	bool orphan;           /* the master is gone, and chats still move to another */
	bool draining, moving; /* moving: it leaves, and its chats go to others */
	struct ev_io give;     /* can be moved to */
	struct ev_timer give_again, beat;
	int64_t first_message; /* what the slot had counted before us */
	bool told_tired;
	struct mem_kept kept;
	struct seldom refusals;
	struct jail jail;
	int statm;             /* of /proc, opened before the sandbox; -1: none */
	struct roster *roster; /* a list of chats being made (roster.h) */
	struct ev_io chan;
	int spare; /* a descriptor to give up for the one that a message brings, -1: none */
	struct ev_signal term;
	struct ev_timer drain;
	char scratch[WORKER_READ_BYTES]; /* for one read at a time */
};

/* A worker's whole life (share/boot.h). */
worker_main worker_run;

/* A chat or datagram ended: leave when it was the last of a drain. */
void worker_check_left(struct worker *w);

#endif
