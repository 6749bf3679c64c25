/* http_end.c - see http_end.h. */
#include "robot/http_end.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WAIT_BYTES = 64, MOST_DIGITS = 9 };
#define MOST_MS 1000000000LL

static const char digits[] = "0123456789";

/* Seconds, or a date (RFC 9110, section 10.2.3); some tell parts of seconds. Returns ms; negative:
 * neither, or it is over. */
static int64_t
ms_of(const char *value)
{
	size_t n = strspn(value, digits),
	       n_more = value[n] == '.' ? strspn(value + n + 1, digits) : 0;
	int64_t ms, scale = 100;
	time_t then;

	if (n == 0 || value[n + (value[n] == '.') + n_more] != '\0') {
		then = curl_getdate(value, NULL);
		return then < 0 ? -1 : (int64_t)(then - time(NULL)) * 1000;
	}
	if (n > MOST_DIGITS)
		return -1;
	ms = strtoll(value, NULL, 10) * 1000;
	for (size_t i = 0; i < n_more; i++, scale /= 10)
		ms += (value[n + 1 + i] - '0') * scale;
	return ms;
}

void
http_end_hint(struct http_end *end, const char *name, size_t n_name, const char *value, size_t n)
{
	char text[WAIT_BYTES];
	int64_t ms;

	if (n == 0 || n >= sizeof text)
		return;
	memcpy(text, value, n);
	text[n] = '\0';
	if (n_name == 14 && strncasecmp(name, "x-should-retry", n_name) == 0) {
		end->should_retry = strcasecmp(text, "true") == 0;
	} else if (n_name == 14 && strncasecmp(name, "retry-after-ms", n_name) == 0) {
		if (strspn(text, digits) == 0 || strspn(text, digits) > MOST_DIGITS)
			return;
		end->wait_ms = strtol(text, NULL, 10);
		end->exact = true;
	} else if (n_name == 11 && strncasecmp(name, "retry-after", n_name) == 0 && !end->exact) {
		ms = ms_of(text);
		if (ms >= 0 && ms < MOST_MS)
			end->wait_ms = ms;
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
