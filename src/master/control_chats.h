/* control_chats.h - the chats of all workers: each is asked, who does not answer is named.
 * For:     the command `chats`.     Callers: control.c.
 * Holds:   one round at a time, over within a second. A worker's answer is a sealed memfd, else it
 *          counts as none.
 * Memory:  embedded; the texts of a round exist while it runs. */
#ifndef MASTER_CONTROL_CHATS_H
#define MASTER_CONTROL_CHATS_H

#include "base/buf.h"
#include "share/chan.h"
#include "share/score.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct master;

enum { CONTROL_CHATS_BYTES = 64 << 20 };

struct control_chats {
	struct master *m;
	/* The document (borrowed): {"chats":[...],"missing":[PID,...]}. */
	void (*on_done)(void *arg, const struct buf *document);
	void *arg;
	int64_t number;
	int n_awaited; /* 0: no round runs */
	pid_t awaited[SCORE_SLOTS];
	struct buf lines, missing;
	struct ev_timer late;
};

void control_chats_init(struct control_chats *c, struct master *m,
    void (*on_done)(void *arg, const struct buf *document), void *arg);
void control_chats_release(struct control_chats *c);
/* Begin a round. on_done may come from inside. */
void control_chats_start(struct control_chats *c);
bool control_chats_runs(const struct control_chats *c);
void control_chats_on_listed(struct control_chats *c, int slot, const struct chan_msg *msg);

#endif
