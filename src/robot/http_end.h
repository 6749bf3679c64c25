/* http_end.h - how a transfer ended, out of libcurl's mouth.
 * For:     robot_http.c, and robot_api.c, which decides what follows.
 * Holds:   pure. Source of the wait hints: robot-apis, section 3.3 (retry-after-ms, then
 *          Retry-After as seconds or date; x-should-retry).
 * Memory:  none. */
#ifndef ROBOT_HTTP_END_H
#define ROBOT_HTTP_END_H

#include "robot/robot.h"

#include <curl/curl.h>

/* What came besides the body. */
struct http_end {
	long status;
	int64_t wait_ms;  /* Retry-After or retry-after-ms; -1: nothing said */
	bool held_up;     /* our reader paused it */
	int should_retry; /* x-should-retry: 1 true, 0 false, -1 nothing said */
};

void http_end_read(CURL *easy, struct http_end *end);

/* The kind of failure that a result of libcurl is. */
enum why http_end_why(CURLcode code);

#endif
