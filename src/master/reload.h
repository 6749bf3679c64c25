/* reload.h - a new configuration, all of it or none of it.
 * For:     SIGHUP, and the control socket, which is told how it ended.     Callers: master/.
 * Holds:   parse in a child; compare; open the new doors; let every worker prepare; then commit.
 *          What fails before the commit leaves everything as it was, and says which key and why.
 *          One reload at a time; a HUP meanwhile starts one more after it.
 * Memory:  inside struct master. */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "conf/conf_child.h"
#include "master/listen.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct master;
struct slot;

enum reload_state { RELOAD_IDLE, RELOAD_PARSING, RELOAD_PREPARING, RELOAD_COMMITTING };

struct reload {
	struct master *m;
	enum reload_state state;
	bool again;
	int64_t number;
	int n_awaited; /* workers that have not answered */
	struct conf_child child;
	struct conf *conf; /* the new one */
	int snapshot, log_fd;
	struct listen_set doors;
	struct ev_timer late;
	char changes[400]; /* names of the keys that differ */
	char refused[128]; /* a key that a reload cannot change */
	int64_t begun;     /* so many until now; the last may be under way */
	struct buf report; /* the changes for the operator: JSON objects, commas between them */
};

void reload_init(struct reload *r, struct master *m);
void reload_start(struct reload *r);
/* Stop it where it is (we are leaving). */
void reload_cancel(struct reload *r);
/* Is `pid` the parsing child? Then its end was taken care of. */
bool reload_on_exit(struct reload *r, pid_t pid, int status);
/* A worker answered, or died. */
void reload_on_answer(struct reload *r, struct slot *s, const struct chan_msg *msg);
void reload_on_death(struct reload *r, const struct slot *s);

#endif
