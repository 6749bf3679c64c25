/* setup.h - a snapshot made real: the configuration and the robots that go with it.
 * For:     turns, which finish with the settings they began with.     Callers: worker/.
 * Holds:   never changes once open.
 * Memory:  counted: setup_open() gives one reference; the last setup_drop() closes it. */
#ifndef WORKER_SETUP_H
#define WORKER_SETUP_H

#include "base/later.h"
#include "conf/conf.h"
#include "robot/chain.h"
#include "worker/gate.h"

struct setup {
	int refs;
	struct conf *conf;
	struct chain *chain;
	struct gate **gates; /* of the doors, in the order of conf->listen */
	struct later *later;
	struct later_task closing; /* not from inside a callback of one of its own robots */
};

/* From a sealed memfd (borrowed). NULL with the error. */
struct setup *setup_open(int memfd, const struct robot_env *env, struct err *e);
struct setup *setup_keep(struct setup *s);
/* NULL is fine. */
void setup_drop(struct setup *s);

#endif
