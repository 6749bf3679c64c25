/* standing.h - what all workers know of one robot: its breaker, its keys, its queue, its counters.
 * For:     robots that can fail.     Callers: robot/ (asks and tells), master/ (a worker died, new
 *          settings), worker/ (log and /robot).
 * Holds:   lives in the scoreboard's shared memory and is all atomics: no lock that a dying worker
 *          could take along. A robot finds its standing by a hash of its settings, so a robot with
 *          a new key or address begins afresh. Clock: monotonic ms, which all processes share.
 *          The breaker is Nygard's circuit breaker ("Release It!"): closed until STANDING_POINTS of
 *          failure came in a row, then open for a pause that doubles up to a cap; after the pause
 *          one real message probes.
 * Memory:  one shared mapping, made before the first fork; an upgrade hands it over, so that what
 *          is known of robots outlives the program. */
#ifndef SHARE_STANDING_H
#define SHARE_STANDING_H

#include "share/metric.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	STANDING_ROBOTS = 256,
	STANDING_KEYS = 64,
	STANDING_SLOTS = 1024, /* workers of two masters: twice SCORE_SLOTS */
	STANDING_LAYOUT = 1,   /* of struct standings; a change of it takes another number */
	STANDING_POINTS = 3,
	STANDING_PAUSE_MS = 1000,
	STANDING_MOST_MS = 30000,
	STANDING_ASKED_MS = 600000 /* longest pause that a robot may ask for itself */
};

/* Of each robot; see metric.h. */
#define STANDING_METRICS(X)                                                                        \
	X(GAUGE, in_flight, "Requests under way.")                                                 \
	X(COUNTER, asked, "Messages given to it.")                                                 \
	X(COUNTER, answered, "Messages it answered.")                                              \
	X(COUNTER, failed, "Messages it could not answer.")                                        \
	X(COUNTER, passed, "Messages it was not asked because it rests.")                          \
	X(COUNTER, retries, "Requests made again.")                                                \
	X(COUNTER, tokens_in, "Tokens read, as it tells.")                                         \
	X(COUNTER, tokens_out, "Tokens written, as it tells.")                                     \
	X(TIME, first_text_duration,                                                               \
	    "From a message given to it to the first text of its answer.")                         \
	X(TIME, answer_duration, "From a message given to it to the end of its answer.")

struct standing {
	_Atomic uint64_t key;    /* whose it is; 0: nobody's */
	_Atomic int64_t used_ms; /* opened last */
	_Atomic int why;         /* enum why (why.h) of the last failure */
	_Atomic int64_t points;  /* of failures in a row */
	_Atomic int64_t open_until_ms, pause_ms, probe_until_ms, asked_until_ms;
	_Atomic int64_t aside_until_ms[STANDING_KEYS];
	_Atomic int64_t in_flight_of[STANDING_SLOTS];   /* each worker's part of in_flight */
	_Atomic int64_t waits_since_ms[STANDING_SLOTS]; /* first in each worker's queue; 0: none */
	STANDING_METRICS(METRIC_MEMBER)
};

struct standings {
	uint64_t layout;
	_Atomic unsigned masters; /* that ever used it */
	struct standing robots[STANDING_ROBOTS];
};

/* The table of STANDING_METRICS; it ends with a row without a name. */
extern const struct metric standing_metrics[];

/* NULL when there is no memory. *fd (NULL: not wanted) is where it lives, close-on-exec, for a
 * master that takes over. */
struct standings *standings_new(int *fd);
/* That of another master; NULL when it is none, or has another layout. */
struct standings *standings_open(int fd);
/* The first of this master's slots: the workers of two masters do not share one. Once each. */
int standings_first_slot(struct standings *s);
/* The standing of the robot with this hash (not 0); the longest unused one is given up for a new
 * robot when all are taken. Never NULL. */
struct standing *standings_find(struct standings *s, uint64_t key, int64_t now_ms);
/* The same without claiming one; NULL when there is none. */
const struct standing *standings_look(const struct standings *s, uint64_t key);
/* A worker is gone: its requests are, too. */
void standings_forget_slot(struct standings *s, int slot);
/* New settings, or an operator who says that things are mended: nobody rests any more. */
void standings_wake_all(struct standings *s);

/* --- the breaker ----------------------------------------------------------------------------- */

enum standing_say {
	STANDING_ASK,   /* closed */
	STANDING_PROBE, /* the pause is over and you are the one who tries, within probe_ms */
	STANDING_REST,  /* open */
};

enum standing_say standing_may_ask(struct standing *s, int64_t now_ms, int64_t probe_ms);
/* It answered, or showed in another way that it is well. Returns whether that closed the breaker.
 * */
bool standing_good(struct standing *s);
/* It failed with `points`; `pause_ms` is the pause it asked for itself, 0: none; that one is kept
 * even when nobody else can answer. Returns the ms that it rests now if this opened the breaker,
 * else 0. */
int64_t standing_bad(struct standing *s, int points, int64_t pause_ms, int64_t now_ms);
/* The probe found nothing out (its chat left): let another one try. */
void standing_unprobed(struct standing *s);
/* Ms until it may be asked again; 0: it may. `asked_for`: only the pause it asked for counts. */
int64_t standing_rests_ms(const struct standing *s, bool asked_for, int64_t now_ms);

/* --- keys ------------------------------------------------------------------------------------ */

/* Set key i aside until then. Returns whether it was in use until now: report it then, and only
 * then. */
bool standing_set_aside(struct standing *s, int i, int64_t until_ms, int64_t now_ms);
/* Ms that it stays aside, 0: it does not. */
int64_t standing_aside_ms(const struct standing *s, int i, int64_t now_ms);
/* Ms until it may be asked again: its breaker is open, or all its n_keys are set aside. 0: now. */
int64_t standing_away_ms(const struct standing *s, int n_keys, int64_t now_ms);

/* --- the queue ------------------------------------------------------------------------------- */

/* May worker `slot` make one more request, with at most `most` under way, for a message that waits
 * since `since_ms`? Then it is counted. Who waits longest over all workers comes first; who is said
 * to wait since before `stale_ms` does not look after its queue any more and is passed over. */
bool standing_enter(struct standing *s, int slot, int64_t most, int64_t since_ms, int64_t stale_ms);
/* The same without a limit. */
void standing_enter_freely(struct standing *s, int slot);
void standing_leave(struct standing *s, int slot);
/* Tell the others since when the first in this worker's queue waits; 0: it is empty. */
void standing_waits(struct standing *s, int slot, int64_t since_ms);

static inline void
standing_add(_Atomic int64_t *counter, int64_t n)
{
	(void)atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

#endif
