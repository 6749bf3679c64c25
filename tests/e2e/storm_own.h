/* storm_own.h - what the files of the storm share.
 * For:     storm.c (the chats), storm_act.c (what is done to the server).     Callers: these.
 * Memory:  see storm.h. */
#ifndef TESTS_E2E_STORM_OWN_H
#define TESTS_E2E_STORM_OWN_H

#include "e2e/storm.h"

#include <sys/resource.h>

enum { STORM_CHATS = 300, STORM_VANDALS = 20, STORM_SLOW = 6, STORM_POOL = 3, STORM_ACTS = 12 };

enum storm_dialect { STORM_LINE, STORM_JSON, STORM_STREAM, STORM_RAW, STORM_DIALECTS };

struct storm_chat {
	struct peer *p;
	enum storm_dialect dialect;
	bool greeted, silent; /* silent: says nothing before the end */
	bool may_fail;        /* all of its last answer came, but perhaps not the end of it */
	int number, asked, answered;
	int64_t since_ms; /* it waits for an answer, or for its greeting */
	int64_t next_ms;  /* it asks again */
};

struct storm {
	struct server *s;
	struct fakebot *first, *second; /* second: NULL while it is away */
	uint32_t dice;
	struct storm_chat chats[STORM_CHATS];
	struct peer *vandals[STORM_VANDALS], *slow[STORM_SLOW];
	bool raging;
	int64_t act_ms, vandal_ms; /* when the next is due */
	int64_t killed_ms;         /* a worker, by us */
	pid_t starved, stopped;    /* a worker without descriptors; one that stands still */
	struct rlimit before;
	int64_t mend_ms; /* when these are mended */
	int pool, generation;
	int n_answers, n_errors, n_lost, n_vandals, n_slow, n_acts[STORM_ACTS];
};

/* 0 .. n-1 */
unsigned storm_dice(struct storm *st, unsigned n);
/* Everybody hears and speaks, for a moment. */
void storm_turn(struct storm *st);

/* The configuration of this generation; `base` is the one to end with. */
void storm_configure(struct storm *st, bool base);
/* Do what the dice say. */
void storm_act(struct storm *st, bool replaces);
/* Give back what was taken from a worker. */
void storm_mend(struct storm *st);
/* Another way for the robots to fail; and none. */
void storm_robots(struct storm *st);
void storm_robots_well(struct storm *st);
/* So many workers again. */
void storm_pool(struct storm *st, int n);
const char *storm_act_name(int i);

#endif
