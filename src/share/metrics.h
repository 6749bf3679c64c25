/* metrics.h - the counters of the shared memory as Prometheus' text.
 * For:     the command `metrics` of the control socket.     Callers: master/.
 * Holds:   text format 0.0.4: a family has one HELP and one TYPE; names begin with xiaotu_,
 *          counters end with _total, times are seconds, histogram buckets are cumulative.
 * Memory:  texts go into the caller's buffer. */
#ifndef SHARE_METRICS_H
#define SHARE_METRICS_H

#include "base/buf.h"
#include "share/score.h"
#include "share/standing.h"

/* What is known of one robot; names are unique. Borrowed. */
struct metrics_robot {
	const char *name;
	const struct standing *standing; /* NULL: nobody opened it yet */
	int n_keys;
};

/* Append all families. Returns 0, or -1 when out is full. */
int metrics_render(const struct score *s, const struct metrics_robot *robots, int n_robots,
    int64_t now_ms, struct buf *out);

#endif
