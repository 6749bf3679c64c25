/* link.c - see link.h.
 * `raw` has no framing at all: what arrives until it is quiet for QUIET_MS is one answer. So a late
 * rest of an answer is thrown away before the next question is sent, lest every later answer
 * belong to the question before it. `json` has lines and ids, and needs no such guess.
 * All bytes go through read_once() and send_all(), where they are TLS's if the link is. Readers ask
 * for more until there is none, so bytes that TLS holds back are not forgotten. */
#include "client/link.h"
#include "base/json.h"
#include "base/lapse.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tls.h"
#include "client/reach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GREETING_MS = 1000, /* until its first byte: a server may have none */
	GREETING_MOST_MS = 3000,
	GREETING_QUIET_MS = 150,
	LINE_QUIET_MS = 30, /* a newline at the end is hardly the middle of a greeting */
	QUIET_MS = 100,
	READ_BYTES = 16384,
	/* An answer as JSON: a byte of text takes at most six (backslash, u, four digits). */
	IN_BYTES = 6 * LINK_ANSWER_BYTES + READ_BYTES,
};

struct link {
	int fd;
	struct ssl_st *tls; /* NULL: none */
	const char *user;
	int answer_ms;
	bool json;
	bool ended; /* the server will send no more */
	bool mute;  /* it has not sent a byte */
	bool stream;
	bool open;           /* the last question has no answer yet */
	int64_t id;          /* of the last question */
	int64_t heard_ms;    /* when bytes came last */
	uint32_t n_looked;   /* bytes of `in` known to hold no newline */
	struct buf in;       /* received, not yet taken */
	struct buf greeting; /* clean */
	struct buf object;   /* the last answer as it came, clean */
};

/* --- bytes ----------------------------------------------------------------------------------- */

enum got { GOT_BYTES, GOT_NOTHING, GOT_END };
enum { AGAIN = -1, GONE = -2 };

static ssize_t
from_socket(ssize_t n)
{
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? AGAIN : GONE;
}

static ssize_t
from_tls(int n)
{
	return n >= 0 ? n : n == TLS_AGAIN ? AGAIN : GONE;
}

/* Returns bytes, 0 at the end, AGAIN or GONE. */
static ssize_t
take(const struct link *l, void *bytes, size_t n)
{
	if (l->tls)
		return from_tls(tls_read(l->tls, bytes, n));
	return from_socket(recv(l->fd, bytes, n, MSG_DONTWAIT));
}

static ssize_t
give(const struct link *l, const void *bytes, size_t n)
{
	if (l->tls)
		return from_tls(tls_write(l->tls, bytes, n));
	return from_socket(send(l->fd, bytes, n, MSG_NOSIGNAL));
}

/* One read into `in`. A server that sends more than any answer may hold counts as gone. */
static enum got
read_once(struct link *l)
{
	size_t room;
	char *at = buf_reserve(&l->in, READ_BYTES, &room);
	ssize_t n = room ? take(l, at, room) : 0;

	if (n > 0) {
		buf_grow(&l->in, (size_t)n);
		l->mute = false;
		return GOT_BYTES;
	}
	if (n == AGAIN)
		return GOT_NOTHING;
	l->ended = true;
	return GOT_END;
}

/* Wait for bytes until the time `by_ms`, read them. */
static enum got
receive(struct link *l, int64_t by_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	while (!l->ended) {
		int64_t left = by_ms - lapse_now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		enum got got = n > 0 ? read_once(l) : GOT_NOTHING;

		if (got != GOT_NOTHING || (n == 0 && left <= 0))
			return got;
	}
	return GOT_END;
}

static bool
ends_in_newline(const struct buf *b)
{
	return b->len > 0 && buf_head(b)[b->len - 1] == '\n';
}

struct patience {
	int64_t first_ms, most_ms; /* for the first byte, for all of it */
	int64_t quiet_ms, line_quiet_ms;
};

/* Read until it was quiet for a while after the first bytes. */
static void
gather(struct link *l, const struct patience *p)
{
	int64_t now = lapse_now_ms(), most = now + p->most_ms, until = now + p->first_ms;

	while (receive(l, until) == GOT_BYTES) {
		until = lapse_now_ms() + (ends_in_newline(&l->in) ? p->line_quiet_ms : p->quiet_ms);
		if (until > most)
			until = most;
	}
}

/* Returns 0, or -1: the server is gone, or took nothing for as long as an answer may take. */
static int
send_all(struct link *l, const char *bytes, size_t n)
{
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };

	while (n > 0) {
		ssize_t sent = give(l, bytes, n);

		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
		} else if (sent != AGAIN) {
			return -1;
		} else if (poll(&p, 1, l->answer_ms) == 0) {
			return -1;
		}
	}
	return 0;
}

/* Wait for bytes, for the end, or until link_take() has a reason of its own. */
static void
await(struct link *l, int64_t by_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	int64_t left = by_ms - lapse_now_ms();
	int quiet = link_wait_ms(l);

	left = left < 0 ? 0 : left;
	(void)poll(&p, 1, quiet >= 0 && quiet < left ? quiet : (int)left);
}

/* --- opening --------------------------------------------------------------------------------- */

/* A door with a token greets nobody before it. */
static void
say_token(struct link *l, const char *token)
{
	struct buf line;

	buf_init(&line, 4096);
	if (buf_addf(&line, "TOKEN %s\n", token) || send_all(l, buf_head(&line), line.len))
		l->ended = true;
	buf_release(&line);
}

static struct link *
begin(int fd, struct ssl_st *tls, const struct link_options *o)
{
	static const struct patience patience = { .first_ms = GREETING_MS,
		.most_ms = GREETING_MOST_MS,
		.quiet_ms = GREETING_QUIET_MS,
		.line_quiet_ms = LINE_QUIET_MS };
	struct link *l = mem_zalloc(sizeof *l);

	l->fd = fd;
	l->tls = tls;
	l->user = o->user;
	l->answer_ms = o->answer_ms;
	l->stream = o->stream;
	l->mute = true;
	buf_init(&l->in, IN_BYTES);
	buf_init(&l->greeting, LINK_ANSWER_BYTES);
	buf_init(&l->object, IN_BYTES);
	if (o->token)
		say_token(l, o->token);
	gather(l, &patience);
	l->json = !o->raw && ends_in_newline(&l->in);
	/* A server that is full says so instead of a greeting: that is for link_take() to tell. */
	if (l->in.len == 0 || hear_is_notice(buf_head(&l->in), l->in.len))
		return l;
	hear_clean(buf_head(&l->in), l->in.len, &l->greeting);
	buf_eat(&l->in, l->in.len);
	return l;
}

struct link *
link_start(int fd, const struct link_options *o)
{
	return begin(fd, NULL, o);
}

/* Did a door with a token say no? */
static bool
is_denied(const struct link *l, struct err *e)
{
	static const char no[] = "ERR denied ";
	const char *s = l->in.len ? buf_head(&l->in) : "", *end;

	if (l->in.len < sizeof no || memcmp(s, no, sizeof no - 1) != 0)
		return false;
	end = memchr(s, '\n', l->in.len);
	s += sizeof no - 1;
	err_set(e, "%.*s", (int)((end ? end : buf_head(&l->in) + l->in.len) - s), s);
	return true;
}

struct link *
link_open(const struct link_place *p, const struct link_options *o, struct err *e)
{
	struct ssl_st *tls;
	struct link *l;
	int fd = reach(p, o, &tls, e);

	if (fd < 0)
		return NULL;
	l = begin(fd, tls, o);
	if (!is_denied(l, e))
		return l;
	link_close(l);
	return NULL;
}

void
link_close(struct link *l)
{
	char bye[LINK_NAME_BYTES + 8];
	int n;

	if (l == NULL)
		return;
	if (!l->json && !l->ended) {
		n = snprintf(bye, sizeof bye, "%s::exit", l->user);
		(void)give(l, bye, (size_t)n);
	}
	if (l->tls && !l->ended)
		(void)tls_close(l->tls);
	tls_free(l->tls);
	close(l->fd);
	buf_release(&l->in);
	buf_release(&l->greeting);
	buf_release(&l->object);
	free(l);
}

bool
link_is_mute(const struct link *l)
{
	return l->mute;
}

const struct buf *
link_greeting(const struct link *l)
{
	return &l->greeting;
}

int
link_fd(const struct link *l)
{
	return l->fd;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Returns 0, or -1: it cannot be sent. */
static int
send_question(struct link *l, const char *text, size_t n)
{
	struct buf out;
	int bad;

	buf_init(&out, 6 * (uint32_t)n + 1024);
	if (l->json) {
		bad = buf_adds(&out, "{\"user\":") || json_write(l->user, strlen(l->user), &out) ||
		      buf_adds(&out, ",\"text\":") || json_write(text, n, &out) ||
		      buf_addf(&out, ",\"id\":%lld", (long long)l->id) ||
		      buf_adds(&out, n && *text == '/' ? ",\"commands\":true" : "") ||
		      buf_adds(&out, l->stream ? ",\"stream\":true}\n" : "}\n");
	} else {
		bad = buf_addf(&out, "%s::%.*s", l->user, (int)n, text);
		/* A newline would be the mark of another dialect. */
		for (uint32_t i = 0; i < out.len; i++)
			if (strchr("\r\n", out.bytes[out.start + i]))
				out.bytes[out.start + i] = ' ';
	}
	bad = bad || send_all(l, buf_head(&out), out.len);
	buf_release(&out);
	return bad ? -1 : 0;
}

enum heard
link_send(struct link *l, const char *text, size_t n, struct buf *why)
{
	buf_cut(&l->object, 0);
	l->id++;
	/* Servers in the tutorial's manner die of bad UTF-8, and of a message without text. */
	if (!text_is_utf8(text, n) || memchr(text, '\0', n)) {
		buf_cut(why, 0);
		(void)buf_adds(why, "ERR bad-utf8 the message is not UTF-8 text");
		return HEARD_FAILED;
	}
	if (!l->json)
		buf_eat(&l->in, l->in.len);
	if (l->ended || send_question(l, text, n))
		return HEARD_GONE;
	l->open = true;
	return HEARD_NOTHING;
}

/* The lines that are in, until one says something. */
static enum heard
take_line(struct link *l, struct buf *text)
{
	enum heard heard = HEARD_NOTHING;

	while (heard == HEARD_NOTHING && l->in.len > 0) {
		const char *s = buf_head(&l->in);
		const char *end = memchr(s + l->n_looked, '\n', l->in.len - l->n_looked);

		l->n_looked = end ? 0 : l->in.len;
		if (end == NULL)
			break;
		heard = hear_line(s, (size_t)(end - s), l->open ? l->id : 0, text, &l->object);
		buf_eat(&l->in, (size_t)(end - s) + 1);
	}
	return heard;
}

/* All that is in, once it is quiet. */
static enum heard
take_plain(struct link *l, struct buf *text)
{
	enum heard heard;

	if (l->in.len == 0 || link_wait_ms(l) > 0)
		return HEARD_NOTHING;
	heard = hear_plain(buf_head(&l->in), l->in.len, text);
	buf_eat(&l->in, l->in.len);
	return heard == HEARD_ANSWER && !l->open ? HEARD_SAID : heard;
}

int
link_wait_ms(const struct link *l)
{
	int64_t left = l->heard_ms + QUIET_MS - lapse_now_ms();

	if (l->json || l->in.len == 0)
		return -1;
	return l->ended || left < 0 ? 0 : (int)left;
}

enum heard
link_take(struct link *l, struct buf *text)
{
	enum heard heard;

	buf_cut(text, 0);
	while (!l->ended && read_once(l) == GOT_BYTES)
		l->heard_ms = lapse_now_ms();
	heard = l->json ? take_line(l, text) : take_plain(l, text);
	if (heard == HEARD_ANSWER || heard == HEARD_FAILED)
		l->open = false;
	return heard == HEARD_NOTHING && l->ended ? HEARD_GONE : heard;
}

bool
link_cancel(struct link *l)
{
	l->open = false;
	return l->json;
}

enum heard
link_ask(struct link *l, const char *text, size_t n, struct buf *answer)
{
	int64_t by_ms = lapse_now_ms() + l->answer_ms;
	enum heard heard;

	/* What came unasked is not the answer; only that the server left is worth knowing. */
	while ((heard = link_take(l, answer)) == HEARD_SAID)
		;
	if (heard == HEARD_NOTHING)
		heard = link_send(l, text, n, answer);
	if (heard != HEARD_NOTHING)
		return heard;
	for (;;) {
		heard = link_take(l, answer);
		if (heard != HEARD_NOTHING && heard != HEARD_PIECE && heard != HEARD_SAID)
			return heard;
		if (lapse_now_ms() >= by_ms)
			return HEARD_TIMEOUT;
		if (heard == HEARD_NOTHING)
			await(l, by_ms);
	}
}

const struct buf *
link_object(const struct link *l)
{
	return &l->object;
}

long long
link_id(const struct link *l)
{
	return (long long)l->id;
}
