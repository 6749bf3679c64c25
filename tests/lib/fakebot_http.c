/* fakebot_http.c - see fakebot_robot.h: HTTP/1.1 requests in, answers out part by part.
 * A part is what is framed together: a piece of the body, or a byte of it when it drips. */
#include "lib/fakebot_robot.h"

#include "base/lapse.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ECHO_BYTES = 1 << 20 };

/* --- requests -------------------------------------------------------------------------------- */

/* The value of a header, up to the end of its line; NULL: there is none. `head` ends with an empty
 * line. */
static const char *
header_value(const char *head, size_t n_head, const char *name, size_t *n)
{
	const char *at = head, *end = head + n_head;
	size_t n_name = strlen(name);

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if ((size_t)(end - at) <= n_name || strncasecmp(at, name, n_name) != 0 ||
		    at[n_name] != ':')
			continue;
		at += n_name + 1;
		at += strspn(at, " \t");
		*n = strcspn(at, "\r\n");
		return at;
	}
	return NULL;
}

static void
read_key(struct fakebot_record *r, const char *head, size_t n_head)
{
	static const char bearer[] = "Bearer ";
	size_t n, n_bearer = sizeof bearer - 1;
	const char *at = header_value(head, n_head, "x-api-key", &n);

	if (at == NULL) {
		at = header_value(head, n_head, "authorization", &n);
		if (at == NULL || n < n_bearer || strncasecmp(at, bearer, n_bearer) != 0)
			return;
		at += n_bearer;
		n -= n_bearer;
	}
	fakebot_api_copy(r->key, sizeof r->key, at, n);
}

static void
read_question(struct question *q, const char *head, size_t n_head, const char *body, size_t n_body)
{
	struct fakebot_record *r = &q->record;
	const char *path = head + strcspn(head, " \r"), *query, *id;
	size_t n;

	memset(q, 0, sizeof *q);
	path += *path == ' ';
	query = path + strcspn(path, "? \r");
	fakebot_api_copy(r->head, sizeof r->head, head, n_head);
	fakebot_api_copy(r->body, sizeof r->body, body, n_body);
	fakebot_api_copy(r->path, sizeof r->path, path, (size_t)(query - path));
	if ((id = header_value(head, n_head, "x-request-id", &n)) != NULL)
		fakebot_api_copy(r->id, sizeof r->id, id, n);
	query += *query == '?';
	fakebot_api_read(q, query, strcspn(query, " \r"), body, n_body);
	if (r->key[0] == '\0')
		read_key(r, head, n_head);
}

int
fakebot_http_take(struct question *q, struct buf *in)
{
	const char *head = in->len ? buf_head(in) : "", *end, *length;
	size_t n_head, n_body = 0, n;

	/* TLS, for one, must not wait for an answer that never comes. */
	if (in->len && !isupper((unsigned char)head[0]))
		return -1;
	end = memmem(head, in->len, "\r\n\r\n", 4);
	if (end == NULL)
		return 0;
	n_head = (size_t)(end - head) + 4;
	if ((length = header_value(head, n_head, "content-length", &n)) != NULL)
		n_body = strtoul(length, NULL, 10);
	if (in->len - n_head < n_body)
		return 0;
	read_question(q, head, n_head, head + n_head, n_body);
	buf_eat(in, n_head + n_body);
	return 1;
}

/* --- answers --------------------------------------------------------------------------------- */

/* What is sent besides the head. Returns its Content-Type. */
static const char *
take_body(struct answer *a, const struct question *q, bool *streams)
{
	const struct fakebot_script *how = &a->how;
	const char *type = "application/json; charset=utf-8", *bytes = how->body;
	struct buf echo;

	buf_init(&echo, ECHO_BYTES);
	*streams = false;
	a->n = 0;
	if (how->raw != NULL) {
		bytes = how->raw;
		a->n = how->n_raw;
	} else if (how->body != NULL) {
		a->n = strlen(how->body);
	} else {
		type = fakebot_api_echo(q, how->name_key, streams, &echo);
		bytes = buf_head(&echo);
		a->n = echo.len;
	}
	a->bytes = mem_ndup(bytes, a->n);
	buf_release(&echo);
	return how->type != NULL ? how->type : type;
}

/* Find the pieces. Returns the bytes there are to send in all. */
static uint64_t
cut_body(struct answer *a)
{
	uint64_t total = a->n;
	const char *at;

	a->last = 0;
	for (at = a->bytes; a->split && (at = memchr(at, '\f', a->n - a->last)) != NULL; total--)
		a->last = (size_t)(++at - a->bytes);
	a->again = a->how.repeat > 1 && a->last < a->n ? a->how.repeat - 1 : 0;
	return total + (uint64_t)a->again * (a->n - a->last);
}

static void
add_head(const struct answer *a, const char *type, uint64_t total, struct buf *out)
{
	const struct fakebot_script *how = &a->how;

	(void)buf_addf(out, "HTTP/1.1 %d Scripted\r\nContent-Type: %s\r\n",
	    how->status ? how->status : 200, type);
	if (how->chunked)
		(void)buf_adds(out, "Transfer-Encoding: chunked\r\n");
	else if (!how->no_length)
		(void)buf_addf(out, "Content-Length: %llu\r\n",
		    how->promise ? (unsigned long long)how->promise : (unsigned long long)total);
	(void)buf_addf(out, "%s\r\n", how->headers != NULL ? how->headers : "");
}

void
fakebot_http_answer(struct answer *a, const struct question *q, const struct fakebot_script *how,
    int steps, struct buf *out)
{
	const char *type;
	uint64_t total;
	bool streams;

	*a = (struct answer){ .how = *how, .steps = steps };
	type = take_body(a, q, &streams);
	a->split = streams || how->pieces || how->piece_hold || how->piece_ms;
	a->how.chunked =
	    !how->raw && (how->chunked || (streams && !how->no_length && !how->promise));
	total = cut_body(a);
	if (how->raw == NULL)
		add_head(a, type, total, out);
}

static void
add_part(const struct answer *a, size_t n, struct buf *out)
{
	if (a->how.chunked && n)
		(void)buf_addf(out, "%zx\r\n", n);
	(void)buf_add(out, a->bytes + a->at, n);
	if (a->how.chunked && n)
		(void)buf_adds(out, "\r\n");
}

static struct pause
after_ms(int ms)
{
	return ms ? (struct pause){ CLOCK_MS, lapse_now_ms() + ms } : (struct pause){ 0 };
}

struct pause
fakebot_http_more(struct answer *a, struct buf *out)
{
	const char *stop = a->split ? memchr(a->bytes + a->at, '\f', a->n - a->at) : NULL;
	size_t left = (stop != NULL ? (size_t)(stop - a->bytes) : a->n) - a->at;
	size_t n = a->how.drip_ms && left > 1 ? 1 : left;
	int between_ms = a->how.piece_ms ? a->how.piece_ms : a->how.drip_ms;

	add_part(a, n, out);
	a->at += n;
	if (n < left)
		return after_ms(a->how.drip_ms);
	if (stop != NULL) {
		a->at++;
		return a->how.piece_hold ? (struct pause){ CLOCK_STEPS, ++a->steps }
					 : after_ms(between_ms);
	}
	if (a->again) {
		a->again--;
		a->at = a->last;
		return after_ms(between_ms);
	}
	if (a->how.chunked && !a->how.promise)
		(void)buf_adds(out, "0\r\n\r\n");
	a->over = true;
	return (struct pause){ 0 };
}

bool
fakebot_http_closes(const struct answer *a)
{
	const struct fakebot_script *how = &a->how;

	return (how->promise || how->no_length || how->raw || how->close_after) && !how->stay_open;
}

void
fakebot_http_release(struct answer *a)
{
	free(a->bytes);
	a->bytes = NULL;
}
