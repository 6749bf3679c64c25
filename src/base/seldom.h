/* seldom.h - say the same only so often.
 * For:     log lines that somebody else can cause at will.     Callers: any floor.
 * Holds:   at most `most` in every span of time; how many were kept back is told with the first
 *          that may be said again. Clock: monotonic ms.
 * Memory:  embedded; zeroed is fresh. */
#ifndef BASE_SELDOM_H
#define BASE_SELDOM_H

#include <stdbool.h>
#include <stdint.h>

struct seldom {
	int64_t since_ms; /* the span began then; 0: none has */
	int n, n_kept_back;
};

/* May it be said now? *kept_back: how many were not since it was said last. */
bool seldom_may(struct seldom *s, int most, int64_t span_ms, int64_t now_ms, int *kept_back);

#endif
