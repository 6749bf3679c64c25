/* link.c - see link.h.
 * `raw` has no framing at all: what arrives until it is quiet for QUIET_MS is one answer. So a late
 * rest of an answer is thrown away before the next question is sent, lest every later answer
 * belong to the question before it. `json` has lines and ids, and needs no such guess. */
#include "client/link.h"
#include "base/json.h"
#include "base/lapse.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_MS = 10000,
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
	const char *user;
	int answer_ms;
	bool json;
	bool ended;          /* the server will send no more */
	int64_t id;          /* of the last question */
	struct buf in;       /* received, not yet taken */
	struct buf greeting; /* clean */
};

/* --- bytes ----------------------------------------------------------------------------------- */

enum got { GOT_BYTES, GOT_NOTHING, GOT_END };

/* One read into `in`. A server that sends more than any answer may hold counts as gone. */
static enum got
read_once(struct link *l)
{
	size_t room;
	char *at = buf_reserve(&l->in, READ_BYTES, &room);
	ssize_t n = room ? recv(l->fd, at, room, MSG_DONTWAIT) : 0;

	if (n > 0) {
		buf_grow(&l->in, (size_t)n);
		return GOT_BYTES;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
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
		ssize_t sent = send(l->fd, bytes, n, MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			n -= (size_t)sent;
		} else if (sent == 0 || (errno != EAGAIN && errno != EINTR)) {
			return -1;
		} else if (poll(&p, 1, l->answer_ms) == 0) {
			return -1;
		}
	}
	return 0;
}

/* --- what a server says ---------------------------------------------------------------------- */

static const char *const err_words[] = { "no-user", "too-long", "bad-utf8", "bad-input", "rate",
	"busy", "robot-timeout", "robot-unavailable", "robot-bad-reply", "robot-refused", NULL };
static const char *const bye_words[] = { "idle", "shutdown", "slow-reader", "limit", NULL };

/* Is s "KEYWORD WORD..." with one of the words? A robot may well begin a sentence with ERR. */
static bool
is_notice(const char *s, size_t n, const char *keyword, const char *const *words)
{
	if (n < 5 || memcmp(s, keyword, 4) != 0)
		return false;
	for (size_t k; *words; words++) {
		k = strlen(*words);
		if (n >= 4 + k && memcmp(s + 4, *words, k) == 0 &&
		    (n == 4 + k || s[4 + k] == ' ' || s[4 + k] == '\n'))
			return true;
	}
	return false;
}

static void
hand_out(const char *s, size_t n, struct buf *out)
{
	struct text_clean c = { 0 };

	/* A full buffer cuts the text; what fitted is whole characters. */
	if (text_clean(&c, s, n, out) == 0)
		(void)text_clean_end(&c, out);
}

static void
chomp(struct buf *b)
{
	while (ends_in_newline(b))
		buf_cut(b, b->len - 1);
}

/* Text outside of any framing: an answer in `raw`, or one of the server's own notices. */
static enum link_result
judge_plain(const char *s, size_t n, struct buf *text)
{
	hand_out(s, n, text);
	if (is_notice(s, n, "ERR ", err_words)) {
		chomp(text);
		return LINK_FAILED;
	}
	if (is_notice(s, n, "BYE ", bye_words)) {
		chomp(text);
		return LINK_BYE;
	}
	return LINK_ANSWER;
}

static void
hand_out_notice(const char *keyword, struct json_object *o, const char *word_key, struct buf *text)
{
	size_t n_word = 0, n_message = 0;
	const char *word = json_text(o, word_key, &n_word);
	const char *message = json_text(o, "message", &n_message);

	(void)buf_adds(text, keyword);
	hand_out(word ? word : "", n_word, text);
	(void)buf_adds(text, " ");
	hand_out(message ? message : "", n_message, text);
}

/* One object. An answer to an earlier question, given up for lost, is nothing. */
static enum link_result
judge_object(struct link *l, struct json_object *o, struct buf *text)
{
	struct json_object *error = json_object_member(o, "error");
	struct json_object *bye = json_object_member(o, "bye");
	int64_t id = l->id;
	size_t n;
	const char *s = json_text(o, "text", &n);

	(void)json_whole(o, "id", &id);
	if (bye) {
		hand_out_notice("BYE ", bye, "reason", text);
		return LINK_BYE;
	}
	if (id != l->id || (s == NULL && error == NULL))
		return LINK_NOTHING;
	if (error) {
		hand_out_notice("ERR ", error, "code", text);
		return LINK_FAILED;
	}
	hand_out(s, n, text);
	return LINK_ANSWER;
}

/* One line from a server that speaks json. A line that is no JSON is a notice sent before the
 * server knew the dialect, or the late rest of a greeting. */
static enum link_result
judge_line(struct link *l, const char *s, size_t n, struct buf *text)
{
	struct json_object *o = n && s[0] == '{' ? json_read(s, n) : NULL;
	enum link_result result;

	if (o) {
		result = judge_object(l, o, text);
		json_drop(o);
		return result;
	}
	result = judge_plain(s, n, text);
	if (result != LINK_ANSWER)
		return result;
	buf_cut(text, 0);
	return LINK_NOTHING;
}

/* The lines that are in, until one says something. */
static enum link_result
judge_lines(struct link *l, struct buf *text)
{
	enum link_result result = LINK_NOTHING;

	while (result == LINK_NOTHING && l->in.len > 0) {
		const char *s = buf_head(&l->in), *end = memchr(s, '\n', l->in.len);

		if (end == NULL)
			break;
		result = judge_line(l, s, (size_t)(end - s), text);
		buf_eat(&l->in, (size_t)(end - s) + 1);
	}
	return result;
}

/* --- opening --------------------------------------------------------------------------------- */

struct link *
link_start(int fd, const struct link_options *o)
{
	static const struct patience patience = { .first_ms = GREETING_MS,
		.most_ms = GREETING_MOST_MS,
		.quiet_ms = GREETING_QUIET_MS,
		.line_quiet_ms = LINE_QUIET_MS };
	struct link *l = mem_zalloc(sizeof *l);

	l->fd = fd;
	l->user = o->user;
	l->answer_ms = o->answer_ms;
	buf_init(&l->in, IN_BYTES);
	buf_init(&l->greeting, LINK_ANSWER_BYTES);
	gather(l, &patience);
	l->json = !o->raw && ends_in_newline(&l->in);
	/* A server that is full says so instead of a greeting: that is for link_look() to tell. */
	if (l->in.len == 0 || is_notice(buf_head(&l->in), l->in.len, "ERR ", err_words) ||
	    is_notice(buf_head(&l->in), l->in.len, "BYE ", bye_words))
		return l;
	hand_out(buf_head(&l->in), l->in.len, &l->greeting);
	buf_eat(&l->in, l->in.len);
	return l;
}

static int
connect_unix(const struct link_place *p, int limit_ms, struct err *e)
{
	struct sock_addr a;

	if (sock_addr_make(&a, SOCK_UNIX, p->host, 0, e))
		return -1;
	return sock_connect(SOCK_UNIX, &a, limit_ms, e);
}

/* Try every address of the name in turn; the error is that of the last. */
static int
connect_tcp(const struct link_place *p, int limit_ms, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char port[8];
	int fd = -1, why;

	snprintf(port, sizeof port, "%d", p->port);
	why = getaddrinfo(p->host, port, &hints, &found);
	if (why)
		return err_set(e, "%s: %s", p->host, gai_strerror(why));
	for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next) {
		struct sock_addr a = { .len = i->ai_addrlen };

		memcpy(&a.u, i->ai_addr, i->ai_addrlen);
		fd = sock_connect(SOCK_TCP, &a, limit_ms, e);
	}
	freeaddrinfo(found);
	return fd;
}

struct link *
link_open(const struct link_place *p, const struct link_options *o, struct err *e)
{
	int limit_ms = o->answer_ms < CONNECT_MS ? o->answer_ms : CONNECT_MS;
	int fd = p->kind == SOCK_UNIX ? connect_unix(p, limit_ms, e) : connect_tcp(p, limit_ms, e);

	return fd < 0 ? NULL : link_start(fd, o);
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
		(void)send(l->fd, bye, (size_t)n, MSG_NOSIGNAL);
	}
	close(l->fd);
	buf_release(&l->in);
	buf_release(&l->greeting);
	free(l);
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

enum link_result
link_look(struct link *l, struct buf *text)
{
	enum link_result result = LINK_NOTHING;

	buf_cut(text, 0);
	while (!l->ended && read_once(l) == GOT_BYTES)
		;
	if (l->in.len > 0 && l->json)
		result = judge_lines(l, text);
	else if (l->in.len > 0) {
		result = judge_plain(buf_head(&l->in), l->in.len, text);
		buf_eat(&l->in, l->in.len);
	}
	return result == LINK_NOTHING && l->ended ? LINK_GONE : result;
}

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
		      buf_addf(&out, ",\"id\":%lld}\n", (long long)l->id);
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

static enum link_result
await_raw(struct link *l, struct buf *answer)
{
	struct patience patience = { .first_ms = l->answer_ms,
		.most_ms = l->answer_ms,
		.quiet_ms = QUIET_MS,
		.line_quiet_ms = QUIET_MS };
	enum link_result result;

	gather(l, &patience);
	if (l->in.len == 0)
		return l->ended ? LINK_GONE : LINK_TIMEOUT;
	result = judge_plain(buf_head(&l->in), l->in.len, answer);
	buf_eat(&l->in, l->in.len);
	return result;
}

static enum link_result
await_json(struct link *l, struct buf *answer)
{
	int64_t by_ms = lapse_now_ms() + l->answer_ms;
	enum link_result result = judge_lines(l, answer);

	while (result == LINK_NOTHING) {
		switch (receive(l, by_ms)) {
		case GOT_BYTES:
			result = judge_lines(l, answer);
			break;
		case GOT_NOTHING:
			return LINK_TIMEOUT;
		case GOT_END:
			return LINK_GONE;
		}
	}
	return result;
}

enum link_result
link_ask(struct link *l, const char *text, size_t n, struct buf *answer)
{
	enum link_result before = link_look(l, answer);

	if (before == LINK_BYE || before == LINK_GONE || l->ended)
		return before == LINK_ANSWER ? LINK_GONE : before;
	buf_cut(answer, 0);
	/* Servers in the tutorial's manner die of bad UTF-8, and of a message without text. */
	if (!text_is_utf8(text, n) || memchr(text, '\0', n)) {
		(void)buf_adds(answer, "ERR bad-utf8 the message is not UTF-8 text");
		return LINK_FAILED;
	}
	l->id++;
	if (send_question(l, text, n))
		return LINK_GONE;
	return l->json ? await_json(l, answer) : await_raw(l, answer);
}
