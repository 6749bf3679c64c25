/* http_end.h - how a transfer ended, and what came besides the body.
 * For:     robot_http.c and its engines, and robot_api.c, which decides what follows.
 * Holds:   pure. Source of the wait hints: robot-apis, section 3.3 (retry-after-ms, then
 *          Retry-After as seconds or date; x-should-retry).
 * Memory:  none. */
#ifndef ROBOT_HTTP_END_H
#define ROBOT_HTTP_END_H

#include "robot/robot.h"

#include <curl/curl.h>

struct http_end {
	long status;      /* 0: no reply */
	int64_t wait_ms;  /* Retry-After or retry-after-ms; -1: nothing said */
	int should_retry; /* x-should-retry: 1 true, 0 false, -1 nothing said */
	bool held_up;     /* our reader paused it */
	bool exact;       /* wait_ms is that of retry-after-ms */
	CURLcode code;    /* without a reply: why, */
	int number;       /* and errno; 0: nothing known */
};

#define HTTP_END_NONE                                                                              \
	{                                                                                          \
		.wait_ms = -1, .should_retry = -1                                                  \
	}

/* A header of an error's reply: take the hint, if it is one. Neither text ends with a NUL. */
void http_end_hint(
    struct http_end *end, const char *name, size_t n_name, const char *value, size_t n);

/* The same out of libcurl's mouth, and its own result. */
void http_end_read(CURL *easy, CURLcode code, struct http_end *end);

/* The kind of failure that a result of libcurl is. */
enum why http_end_why(CURLcode code);

#endif
