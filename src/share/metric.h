/* metric.h - a list of metrics is one X-macro: it gives the members of a struct in shared memory
 *          and the table that knows them by name.
 * For:     score.h and standing.h; metrics.h and the control socket go by the tables.
 * Holds:   a row is X(KIND, member, help); the member's name is its name in JSON and, with prefix
 *          and unit, in Prometheus' text. GAUGE: goes up and down. COUNTER: only up. TIME: a
 *          histogram of durations. INNER: nobody's business outside.
 * Memory:  none. */
#ifndef SHARE_METRIC_H
#define SHARE_METRIC_H

#include "share/histogram.h"

#include <stddef.h>

enum metric_kind { METRIC_INNER, METRIC_GAUGE, METRIC_COUNTER, METRIC_TIME };

struct metric {
	enum metric_kind kind;
	size_t place; /* offset in its struct */
	const char *name, *help;
};

#define METRIC_TYPE_INNER   _Atomic int64_t
#define METRIC_TYPE_GAUGE   _Atomic int64_t
#define METRIC_TYPE_COUNTER _Atomic int64_t
#define METRIC_TYPE_TIME    struct histogram

/* For the struct, and for its table: #define OWNER its name before. */
#define METRIC_MEMBER(kind, name, help) METRIC_TYPE_##kind name;
#define METRIC_ROW(k, name, help)       { METRIC_##k, offsetof(struct OWNER, name), #name, help },

static inline int64_t
metric_number(const struct metric *m, const void *base)
{
	const void *at = (const char *)base + m->place;

	return atomic_load_explicit((const _Atomic int64_t *)at, memory_order_relaxed);
}

static inline const struct histogram *
metric_time(const struct metric *m, const void *base)
{
	return (const void *)((const char *)base + m->place);
}

#endif
