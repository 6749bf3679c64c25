/* http_setup.h - what all requests of a robot have in common, in libcurl's terms.
 * For:     the engines of robot_http.c.
 * Holds:   the limits of FAULTS, section 5: http and https only, no redirects, no proxy, no .netrc.
 * Memory:  gives header lists, freed with curl_slist_free_all(). */
#ifndef ROBOT_HTTP_SETUP_H
#define ROBOT_HTTP_SETUP_H

#include "robot/robot_http.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { HTTP_ID_DIGITS = 16 };

/* An option of an easy handle. It fails for want of memory alone, and then goes missing: a handle
 * without PROXY "" would do what the environment says. */
#define http_set(easy, option, value)                                                              \
	do {                                                                                       \
		if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK)                       \
			abort();                                                                   \
	} while (0)

/* Header lines of every request. */
#define HTTP_AGENT         "xiaotu/" XIAOTU_VERSION
#define HTTP_CONTENT       "Content-Type: application/json; charset=utf-8"
#define HTTP_ACCEPT        "Accept: application/json"
#define HTTP_ACCEPT_STREAM "Accept: text/event-stream, application/json"

/* Once a process, after the fork and before the sandbox: libcurl and what is beneath it read their
 * own settings now. Returns 0 or -1. */
int http_setup_begin(struct err *e);

/* Where to, how long to connect, and all that must not happen. */
void http_setup_easy(CURL *c, const struct http_options *o);

/* The headers with one more line (NULL: none). *id_digits is where the request's id stands, to be
 * overwritten in place, so that a robot can tell a request that libcurl had to send again from a
 * new one. */
struct curl_slist *http_setup_headers(
    const struct http_options *o, const char *header, char **id_digits);

#endif
