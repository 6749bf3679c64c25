/* http_setup.c - see http_setup.h. */
#include "robot/http_setup.h"

#include <stdlib.h>
#include <string.h>

int
http_setup_begin(struct err *e)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	return code ? err_set(e, "libcurl: %s", curl_easy_strerror(code)) : 0;
}

/* Those of the text alone: the system's folder would count besides. */
static void
trust(CURL *c, const char *pem)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY
	};

	http_set(c, CURLOPT_CAINFO_BLOB, &blob);
	http_set(c, CURLOPT_CAPATH, NULL);
}

void
http_setup_easy(CURL *c, const struct http_options *o)
{
	http_set(c, CURLOPT_URL, o->url);
	http_set(c, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	http_set(c, CURLOPT_PROTOCOLS_STR, "http,https");
	http_set(c, CURLOPT_FOLLOWLOCATION, 0L);
	http_set(c, CURLOPT_NOSIGNAL, 1L);
	http_set(c, CURLOPT_QUICK_EXIT, 1L);
	http_set(c, CURLOPT_PROXY, "");
	http_set(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	http_set(c, CURLOPT_HTTP09_ALLOWED, 0L);
	http_set(c, CURLOPT_TCP_NODELAY, 1L);
	http_set(c, CURLOPT_USERAGENT, HTTP_AGENT);
	if (*o->ca)
		trust(c, o->ca);
}

static void
add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		abort();
	*list = longer;
}

struct curl_slist *
http_setup_headers(const struct http_options *o, const char *header, char **id_digits)
{
	struct curl_slist *list = NULL;

	add(&list, "X-Request-Id: 0123456789abcdef");
	*id_digits = strchr(list->data, ' ') + 1;
	add(&list, HTTP_CONTENT);
	add(&list, o->stream ? HTTP_ACCEPT_STREAM : HTTP_ACCEPT);
	add(&list, "Expect:");
	if (o->more_header)
		add(&list, o->more_header);
	if (header)
		add(&list, header);
	return list;
}
