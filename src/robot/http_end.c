/* http_end.c - see http_end.h. */
#include "robot/http_end.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A header of the reply, NULL when there is none. */
static const char *
header_of(CURL *easy, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

void
http_end_read(CURL *easy, struct http_end *end)
{
	const char *ms = header_of(easy, "retry-after-ms"),
		   *should = header_of(easy, "x-should-retry");
	curl_off_t seconds = 0;

	*end = (struct http_end){ .wait_ms = -1, .should_retry = -1 };
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &end->status);
	if (end->status < 400)
		return;
	if (should)
		end->should_retry = strcasecmp(should, "true") == 0;
	if (ms && strspn(ms, "0123456789") > 0 && strlen(ms) < 10)
		end->wait_ms = strtol(ms, NULL, 10);
	else if (header_of(easy, "retry-after") &&
		 curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK &&
		 seconds >= 0 && seconds < 1000000)
		end->wait_ms = (int64_t)seconds * 1000;
}

enum why
http_end_why(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return WHY_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return WHY_TIMEOUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_WRITE_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return WHY_BAD_REPLY;
	default:
		return WHY_UNAVAILABLE;
	}
}
