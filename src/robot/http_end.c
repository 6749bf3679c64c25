/* http_end.c - see http_end.h. */
#include "robot/http_end.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WAIT_BYTES = 64, MOST_S = 1000000 };

/* Seconds, or a date (RFC 9110, section 10.2.3). */
static int64_t
seconds_of(const char *value)
{
	time_t then;

	if (strspn(value, "0123456789") == strlen(value))
		return strtoll(value, NULL, 10);
	then = curl_getdate(value, NULL);
	return then < 0 ? -1 : then - time(NULL);
}

void
http_end_hint(struct http_end *end, const char *name, size_t n_name, const char *value, size_t n)
{
	char text[WAIT_BYTES];
	int64_t seconds;

	if (n == 0 || n >= sizeof text)
		return;
	memcpy(text, value, n);
	text[n] = '\0';
	if (n_name == 14 && strncasecmp(name, "x-should-retry", n_name) == 0) {
		end->should_retry = strcasecmp(text, "true") == 0;
	} else if (n_name == 14 && strncasecmp(name, "retry-after-ms", n_name) == 0) {
		if (strspn(text, "0123456789") == 0 || n >= 10)
			return;
		end->wait_ms = strtol(text, NULL, 10);
		end->exact = true;
	} else if (n_name == 11 && strncasecmp(name, "retry-after", n_name) == 0 && !end->exact) {
		seconds = seconds_of(text);
		if (seconds >= 0 && seconds < MOST_S)
			end->wait_ms = seconds * 1000;
	}
}

void
http_end_read(CURL *easy, CURLcode code, struct http_end *end)
{
	struct curl_header *h = NULL;
	long number = 0;

	*end = (struct http_end)HTTP_END_NONE;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
	end->code = code;
	end->number = (int)number;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &end->status);
	if (end->status < 400)
		return;
	while ((h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h)))
		http_end_hint(end, h->name, strlen(h->name), h->value, strlen(h->value));
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
