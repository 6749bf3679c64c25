/* fuzz_web.c - wire/request, codec_http, origin, respond: requests are the same however the bytes
 * are cut. What is taken for a request is one to a second, lenient reader as well: nobody in front
 * of us sees another end, body or host in it (request smuggling). What is refused is refused with a
 * status of request.h's, and nothing behind it is believed. The answers hold no line that the
 * request put there. The first byte chooses the limit of messages, and whether origins are
 * configured. Behind a request that opens a WebSocket there are frames, as in fuzz_ws.c. */
#include "fuzz/fuzz.h"

#include "base/mem.h"
#include "base/text.h"
#include "wire/codec.h"
#include "wire/origin.h"
#include "wire/respond.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SMALL = 16, LARGE = 4096, IS_SMALL = 1, HAS_ORIGINS = 2 };

static const char *const named[] = { "https://chat.example.com", "http://localhost:9980" };

struct reading {
	struct wire wire;
	struct buf in, out;
	const struct conf_texts *origins;
	uint32_t eaten; /* bytes of requests so far */
	bool over;
};

/* --- a second reader ------------------------------------------------------------------------- */

/* What somebody who takes everything for a line and a field sees. */
struct second {
	int n_lines, n_hosts, n_lengths, n_encodings;
	bool says_close, has_length; /* of more than nothing */
	struct slice host;
};

static struct slice
bare(const char *s, const char *end)
{
	while (s < end && (unsigned char)*s <= ' ')
		s++;
	while (end > s && (unsigned char)end[-1] <= ' ')
		end--;
	return (struct slice){ s, (size_t)(end - s) };
}

static bool
is_field(struct slice name, const char *word)
{
	return name.n == strlen(word) && strncasecmp(name.s, word, name.n) == 0;
}

static void
second_field(struct second *o, const char *s, const char *end)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));
	struct slice name = bare(s, colon ? colon : end),
		     value = bare(colon ? colon + 1 : end, end);

	if (is_field(name, "host")) {
		o->n_hosts++;
		o->host = value;
	} else if (is_field(name, "content-length")) {
		o->n_lengths++;
		for (size_t i = 0; i < value.n; i++)
			o->has_length |= value.s[i] != '0';
	} else if (is_field(name, "transfer-encoding")) {
		o->n_encodings++;
	} else if (is_field(name, "connection")) {
		/* In "closed" it says it to nobody. */
		o->says_close |= is_field(value, "close");
	}
}

/* Returns where the head ends for him: behind the first empty line. */
static const char *
second_read(struct second *o, const char *s, size_t n)
{
	const char *end = s + n, *eol;

	memset(o, 0, sizeof *o);
	for (; (eol = memchr(s, '\n', (size_t)(end - s))) != NULL; s = eol + 1) {
		if (bare(s, eol).n == 0)
			return eol + 1;
		if (o->n_lines++)
			second_field(o, s, eol);
	}
	return NULL;
}

/* --- requests -------------------------------------------------------------------------------- */

static bool
is_within(struct slice a, const struct msg *m)
{
	return a.s == NULL || (a.s >= m->text && a.s + a.n <= m->text + m->n_text);
}

static bool
is_visible(struct slice a)
{
	for (size_t i = 0; i < a.n; i++)
		if (a.s[i] <= ' ' || a.s[i] > '~')
			return false;
	return a.n > 0;
}

static void
check_taken(const struct msg *m, const struct request *q)
{
	struct second o;

	FUZZ_CHECK(m->n_text <= WIRE_HEAD_BYTES && memchr(m->text, 0, m->n_text) == NULL);
	for (size_t i = 0; i < m->n_text; i++) {
		FUZZ_CHECK(m->text[i] != '\n' || (i && m->text[i - 1] == '\r'));
		FUZZ_CHECK(m->text[i] != '\r' || (i + 1 < m->n_text && m->text[i + 1] == '\n'));
		FUZZ_CHECK(m->text[i] != '\n' || i + 1 == m->n_text ||
			   (m->text[i + 1] != ' ' && m->text[i + 1] != '\t'));
	}
	FUZZ_CHECK(second_read(&o, m->text, m->n_text) == m->text + m->n_text);
	FUZZ_CHECK(o.n_hosts == (q->host.s != NULL) && (q->host.s || !q->is_one_one));
	FUZZ_CHECK(q->host.s == NULL || (o.host.s == q->host.s && o.host.n == q->host.n));
	FUZZ_CHECK(o.n_lengths <= 1 && (o.n_lengths == 0 || o.n_encodings == 0));
	FUZZ_CHECK(q->has_body == (o.n_encodings || o.has_length));
	FUZZ_CHECK(!q->has_body || (q->method == REQUEST_OTHER && !q->keeps));
	FUZZ_CHECK(!q->keeps || !o.says_close);
	FUZZ_CHECK(!q->upgrades || q->is_one_one);
	FUZZ_CHECK(is_visible(q->path) && memchr(q->path.s, '?', q->path.n) == NULL &&
		   memchr(q->path.s, '#', q->path.n) == NULL);
	FUZZ_CHECK(*q->path.s == '/' || (q->method == REQUEST_OTHER && slice_is(q->path, "*")));
	FUZZ_CHECK(q->host.s == NULL || is_visible(q->host));
	FUZZ_CHECK(is_within(q->path, m) && is_within(q->host, m) && is_within(q->origin, m) &&
		   is_within(q->key, m) && is_within(q->version, m));
}

static void
check_refused(int status, const struct request *q)
{
	FUZZ_CHECK(status == 400 || status == 413 || status == 431 || status == 505);
	FUZZ_CHECK(!q->keeps && !q->has_body && !q->upgrades && !q->is_one_one);
	FUZZ_CHECK(!q->path.s && !q->host.s && !q->origin.s && !q->key.s && !q->version.s);
}

/* --- whose page it is ------------------------------------------------------------------------ */

/* A name of any kind may lead here; these do not depend on a name. */
static bool
is_numeric(struct slice a)
{
	int dots = 0, digits = 0;

	if (a.n && a.s[0] == '[') {
		for (size_t i = 1; i + 1 < a.n; i++)
			if (a.s[i] == '\0' || !strchr("0123456789abcdefABCDEF:.", a.s[i]))
				return false;
		return a.n > 3 && a.s[a.n - 1] == ']';
	}
	for (size_t i = 0; i < a.n; i++) {
		dots += a.s[i] == '.';
		digits += a.s[i] >= '0' && a.s[i] <= '9';
	}
	return (dots == 3 && digits >= 4 && digits + 3 == (int)a.n) || is_field(a, "localhost");
}

/* The authority without its port; *port is it, or the usual one. */
static struct slice
host_of(struct slice a, long usual, long *port)
{
	size_t n = a.n;

	while (n && a.s[n - 1] != ':' && a.s[n - 1] != ']')
		n--;
	*port = usual;
	if (n == 0 || a.s[n - 1] != ':')
		return a;
	for (size_t i = n; i < a.n; i++)
		*port = (long)((i == n ? 0 : (unsigned long)*port * 10) +
			       (unsigned long)(a.s[i] - '0'));
	return (struct slice){ a.s, n - 1 };
}

static void
check_origin(const struct conf_texts *origins, const struct request *q)
{
	struct slice from, to;
	long usual, from_port, to_port;

	if (!origin_may(origins, q))
		return;
	FUZZ_CHECK(q->origin.s != NULL && q->host.s != NULL);
	if (origins) {
		FUZZ_CHECK(is_field(q->origin, named[0]) || is_field(q->origin, named[1]));
		return;
	}
	usual = q->origin.n > 8 && strncasecmp(q->origin.s, "https://", 8) == 0 ? 443 : 80;
	FUZZ_CHECK(usual == 443 || (q->origin.n > 7 && !strncasecmp(q->origin.s, "http://", 7)));
	from.s = q->origin.s + (usual == 443 ? 8 : 7);
	from.n = q->origin.n - (usual == 443 ? 8 : 7);
	from = host_of(from, usual, &from_port);
	to = host_of(q->host, usual, &to_port);
	FUZZ_CHECK(from.n == to.n && strncasecmp(from.s, to.s, to.n) == 0);
	FUZZ_CHECK(from_port == to_port && is_numeric(to));
}

/* --- answers --------------------------------------------------------------------------------- */

static long
number_behind(const char *head, const char *name)
{
	const char *s = strstr(head, name);

	FUZZ_CHECK(s != NULL && strstr(s + 1, name) == NULL);
	return strtol(s + strlen(name), NULL, 10);
}

/* One head, as long as we made it, and then what it says. */
static void
check_answer(const struct request *q, int status, const struct buf *out)
{
	const char *s = buf_head(out), *body = memmem(s, out->len, "\r\n\r\n", 4), *policy;
	size_t n_body, n_words = 0;
	char *head;

	FUZZ_CHECK(body != NULL);
	n_body = out->len - (size_t)(body + 4 - s);
	head = mem_ndup(s, (size_t)(body + 2 - s));
	FUZZ_CHECK(strlen(head) == (size_t)(body + 2 - s));
	FUZZ_CHECK_CLEAN(body + 4, n_body);
	for (const char *c = head; *c; c++)
		FUZZ_CHECK((*c >= ' ' && *c <= '~') || *c == '\n' || (*c == '\r' && c[1] == '\n'));
	FUZZ_CHECK(memcmp(head, "HTTP/1.1 ", 9) == 0 && strtol(head + 9, NULL, 10) == status);
	if (status == 101) {
		FUZZ_CHECK(n_body == 0);
		free(head);
		return;
	}
	FUZZ_CHECK((strstr(head, "\r\nConnection: close\r\n") != NULL) == !q->keeps);
	FUZZ_CHECK(q->method == REQUEST_HEAD
		       ? n_body == 0
		       : number_behind(head, "\r\nContent-Length: ") == (long)n_body);
	policy = strstr(head, "\r\nContent-Security-Policy: default-src 'none'; ");
	FUZZ_CHECK(policy != NULL);
	for (policy += 2; *policy != '\r'; policy++)
		n_words += *policy == ';' || *policy == ',';
	FUZZ_CHECK(n_words == (status == 200 ? 7 : 1));
	free(head);
}

/* As worker/visit.c has it. Returns the status. */
static int
answer(struct reading *r, const struct request *q, int status, struct buf *out)
{
	struct respond a = { .status = status };
	bool is_chat = slice_is(q->path, "/chat") && q->method == REQUEST_GET;

	if (status == 200 && slice_is(q->path, "/") && q->method != REQUEST_OTHER) {
		FUZZ_CHECK(respond_page(q, 0, out) == 0);
		return 200;
	}
	if (status == 200)
		a.status = q->method == REQUEST_OTHER ? 405 : is_chat ? 426 : 404;
	if (is_chat && q->upgrades && slice_is(q->version, "13"))
		a.status = !respond_is_key(q->key) ? 400 : !origin_may(r->origins, q) ? 403 : 101;
	if (a.status == 101)
		FUZZ_CHECK(respond_switch(q->key, out) == 0);
	else
		FUZZ_CHECK(respond_put(&a, q, 0, out) == 0);
	return a.status;
}

static void
note_request(struct reading *r, const struct msg *m)
{
	struct request q;
	int status = request_read(m->text, m->n_text, &q), said;
	struct buf out;

	if (status == 200)
		check_taken(m, &q);
	else
		check_refused(status, &q);
	check_origin(r->origins, &q);
	buf_init(&out, FUZZ_BYTES);
	said = answer(r, &q, status, &out);
	check_answer(&q, said, &out);
	buf_release(&out);
	FUZZ_CHECK(buf_addf(&r->out, "%u %d %d %d%d%d%d <%.*s> <%.*s>\n", r->eaten, status, said,
		       (int)q.method, q.keeps, q.upgrades, q.is_one_one, (int)q.path.n,
		       q.path.s ? q.path.s : "", (int)q.host.n, q.host.s ? q.host.s : "") == 0);
	r->over = said != 101 && !q.keeps;
	if (said == 101)
		r->wire.codec = &codec_ws;
}

static void
note_frame(struct reading *r, enum decode got, const struct msg *m)
{
	FUZZ_CHECK(buf_addf(&r->out, "%d %d %d %u ", (int)got, (int)m->kind, (int)m->fail,
		       r->wire.frames.close) == 0);
	FUZZ_CHECK(buf_add(&r->out, m->text, m->n_text) == 0 && buf_adds(&r->out, "\n") == 0);
	r->over = (got == DECODE_BAD && m->fatal) || m->kind == MSG_CLOSE;
}

/* --- reading --------------------------------------------------------------------------------- */

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		bool is_request = r->wire.codec == &codec_http;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		FUZZ_CHECK(got != DECODE_PAUSE);
		FUZZ_CHECK(!is_request || got == DECODE_MORE ||
			   (got == DECODE_GOT && m.kind == MSG_REQUEST && m.n_text > 0));
		if (got == DECODE_MORE) {
			/* Who waits for more has room for it. */
			FUZZ_CHECK(r->in.len < r->in.limit && r->wire.eat == 0);
			return;
		}
		/* Where one ends, the next begins. */
		FUZZ_CHECK(!is_request || r->wire.eat == r->in.len ||
			   m.text + m.n_text == buf_head(&r->in) + r->wire.eat);
		if (is_request)
			note_request(r, &m);
		else
			note_frame(r, got, &m);
		r->eaten += r->wire.eat;
		wire_done(&r->wire, &r->in);
	}
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;

	(void)quiet;
	while (n && !r->over) {
		fuzz_fill(&r->in, &s, &n);
		decode_all(r, EDGE_MORE);
	}
}

static void
read_in(const char *s, size_t n, uint32_t limit, enum fuzz_way way, struct reading *r)
{
	wire_init(&r->wire, limit);
	r->wire.codec = &codec_http;
	buf_init(&r->in, wire_in_limit(limit));
	buf_init(&r->out, 64 * FUZZ_BYTES);
	fuzz_feed(s, n, way, on_piece, r);
	decode_all(r, EDGE_END);
	FUZZ_CHECK(r->in.len == 0 || r->over);
	FUZZ_CHECK(r->wire.tree == NULL && r->wire.eat == 0);
	buf_release(&r->in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *of_named[] = { named[0], named[1] };
	const struct conf_texts origins = { of_named, 2 };
	struct reading r[FUZZ_WAYS];

	if (n == 0 || n > FUZZ_BYTES)
		return 0;
	for (int way = 0; way < FUZZ_WAYS; way++) {
		r[way] = (struct reading){ .origins = data[0] & HAS_ORIGINS ? &origins : NULL };
		read_in((const char *)data + 1, n - 1, data[0] & IS_SMALL ? SMALL : LARGE,
		    (enum fuzz_way)way, &r[way]);
		FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&r[way].out);
	return 0;
}
