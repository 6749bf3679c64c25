/* storm_chat.c - the chats of the storm; see storm.h. */
#include "e2e/storm_own.h"

#include "base/json.h"
#include "base/lapse.h"
#include "e2e/locked.h"
#include "lib/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Silence longer than ANSWER_MS is a lost answer; a datagram may be lost with its worker. */
enum { ANSWER_MS = 60000, DATAGRAM_MS = 30000, THINK_MS = 1000, THINK_LEAST_MS = 20 };
enum { SILENT_EVERY = 7, PATH_BYTES = 128 };

static const struct {
	enum storm_door door;
	enum storm_dialect dialect;
} ways[] = {
	{ STORM_TCP, STORM_LINE },
	{ STORM_TCP, STORM_JSON },
	{ STORM_TCP, STORM_STREAM },
	{ STORM_TCP, STORM_RAW },
	{ STORM_WEB, STORM_STREAM },
	{ STORM_UNIX, STORM_LINE },
	{ STORM_TLS, STORM_LINE },
	{ STORM_WEB, STORM_JSON },
	{ STORM_TLS, STORM_STREAM },
	{ STORM_UDP, STORM_RAW },
};

/* --- coming and asking ----------------------------------------------------------------------- */

static struct peer *
come(struct server *s, enum storm_door door)
{
	char text[PATH_BYTES];
	struct peer *p;

	switch (door) {
	case STORM_UNIX:
		snprintf(text, sizeof text, "%s/door", s->folder);
		return peer_open_unix(text);
	case STORM_TLS:
		return locked_open(s, &(struct tlspeer){ .ca = locked_path(s, "ca.pem") });
	case STORM_WEB:
		p = peer_open(s->address, WEB_PORT);
		snprintf(text, sizeof text, "http://%s:%d", s->address, WEB_PORT);
		web_knock(p, text, text + 7);
		return p;
	case STORM_UDP:
		return peer_open_udp(s->address, STORM_UDP_PORT);
	case STORM_TCP:
		break;
	}
	return peer_open(s->address, SERVER_PORT);
}

static void
chat_open(struct storm *st, struct storm_chat *c)
{
	c->p = come(st->s, c->door);
	c->greeted = c->door == STORM_UDP;
	c->is_socket = c->sent_away = c->may_fail = false;
	c->since_ms = lapse_now_ms();
	c->answered = c->asked;
}

void
storm_chat_begin(struct storm *st, int i)
{
	struct storm_chat *c = &st->chats[i];
	size_t way = (size_t)i % (sizeof ways / sizeof *ways);

	c->number = i;
	c->door = ways[way].door;
	c->dialect = ways[way].dialect;
	c->silent = i % SILENT_EVERY == 0;
	chat_open(st, c);
}

void
storm_chat_ask(struct storm_chat *c)
{
	char text[128];
	int n;

	c->asked++;
	switch (c->dialect) {
	case STORM_LINE:
		n = snprintf(text, sizeof text, "me::c%d q%d\n", c->number, c->asked);
		break;
	case STORM_RAW:
		n = snprintf(text, sizeof text, "me::c%d q%d", c->number, c->asked);
		break;
	default:
		n = snprintf(text, sizeof text,
		    "{\"user\":\"me\",\"text\":\"c%d q%d\",\"id\":%d%s}\n", c->number, c->asked,
		    c->asked, c->dialect == STORM_STREAM ? ",\"stream\":true" : "");
	}
	/* Its worker may just be dying: storm_chat_turn() judges. */
	if (c->door == STORM_WEB)
		web_say(c->p, text);
	else
		peer_push(c->p, text, (size_t)n);
	c->since_ms = lapse_now_ms();
}

bool
storm_chat_is_quiet(const struct storm_chat *c)
{
	return c->greeted && c->answered == c->asked;
}

/* --- hearing --------------------------------------------------------------------------------- */

static void
answered(struct storm *st, struct storm_chat *c, bool is_error)
{
	c->answered = c->asked;
	c->may_fail = !is_error && c->dialect == STORM_LINE;
	c->next_ms = lapse_now_ms() + THINK_LEAST_MS + storm_dice(st, THINK_MS);
	st->n_answers++;
	st->n_errors += is_error;
}

static _Noreturn void
abort_on(const struct storm_chat *c, const char *heard)
{
	ck_abort_msg("chat %d, door %d, dialect %d, question %d (%s): heard \"%.300s\"", c->number,
	    (int)c->door, (int)c->dialect, c->asked,
	    c->answered == c->asked ? "answered" : "under way", heard);
	abort();
}

/* Is it the answer of one of the robots, or with `part` the begin of one? */
static bool
is_answer(const struct storm_chat *c, const char *text, bool part)
{
	char echo[64], hello[64];

	snprintf(echo, sizeof echo, "echo:c%d q%d", c->number, c->asked);
	snprintf(hello, sizeof hello, "Hello, c%d q%d!", c->number, c->asked);
	if (c->answered == c->asked)
		return false;
	return strcmp(text, echo) == 0 || strcmp(text, hello) == 0 ||
	       (part && strncmp(text, echo, strlen(text)) == 0);
}

static void
hear_one_line(struct storm *st, struct storm_chat *c, const char *line)
{
	bool is_error = strncmp(line, "ERR robot-", 10) == 0 && c->answered != c->asked;

	if (is_error || is_answer(c, line, false))
		answered(st, c, is_error);
	else if (!is_answer(c, line, true))
		abort_on(c, line);
}

/* An answer that was cut short is a line of its own, and right behind it comes what happened. It
 * may have been cut behind its last word. */
static void
hear_line(struct storm *st, struct storm_chat *c, const char *line)
{
	if (c->may_fail && c->answered == c->asked && strncmp(line, "ERR robot-", 10) == 0) {
		c->may_fail = false;
		st->n_errors++;
		return;
	}
	hear_one_line(st, c, line);
}

static void
hear_json(struct storm *st, struct storm_chat *c, const char *line)
{
	struct json_object *o = json_read(line, strlen(line)), *error;
	int64_t id = -1;
	const char *text;
	size_t n;

	if (o == NULL || !json_whole(o, "id", &id) || id != c->asked)
		abort_on(c, line);
	error = json_object_member(o, "error");
	text = error ? json_text(error, "code", &n) : json_text(o, "text", &n);
	if (text != NULL && error != NULL && strncmp(text, "robot-", 6) == 0 &&
	    c->answered != c->asked)
		answered(st, c, true);
	else if (text != NULL && error == NULL && is_answer(c, text, false))
		answered(st, c, false);
	else if (text != NULL || json_text(o, "piece", &n) == NULL || c->dialect != STORM_STREAM)
		abort_on(c, line);
	json_drop(o);
}

/* One send is one answer. */
static void
hear_raw(struct storm *st, struct storm_chat *c)
{
	char text[512];
	size_t n = c->p->in.len < sizeof text ? c->p->in.len : sizeof text - 1;
	bool is_error;

	if (n == 0)
		return;
	memcpy(text, buf_head(&c->p->in), n);
	text[n] = '\0';
	is_error = strncmp(text, "ERR robot-", 10) == 0 && c->answered != c->asked;
	if (!is_error && !is_answer(c, text, false)) {
		if (is_answer(c, text, true))
			return;
		abort_on(c, text);
	}
	buf_eat(&c->p->in, n);
	answered(st, c, is_error);
}

static void
hear_greeting(struct storm *st, struct storm_chat *c, const char *text)
{
	const char *begin = c->door == STORM_WEB ? "{\"greeting\":\"Welcome" : "Welcome";

	if (strncmp(text, begin, strlen(begin)) != 0)
		abort_on(c, text);
	c->greeted = true;
	c->next_ms = lapse_now_ms() + storm_dice(st, THINK_MS);
}

/* Its worker leaves, or the whole program. What is asked just now crosses the goodbye. */
static bool
is_goodbye(struct storm *st, struct storm_chat *c, const char *line)
{
	static const char *const byes[] = { "BYE shutdown", "{\"bye\":{\"reason\":\"shutdown\"" };

	if (c->door != STORM_TLS || (strncmp(line, byes[0], strlen(byes[0])) != 0 &&
					strncmp(line, byes[1], strlen(byes[1])) != 0))
		return false;
	if (c->answered != c->asked && lapse_now_ms() - c->since_ms > STORM_FORGIVE_MS)
		abort_on(c, line);
	st->n_sent_away++;
	c->sent_away = true;
	return true;
}

static void
hear_text(struct storm *st, struct storm_chat *c, const char *text)
{
	if (!c->greeted)
		hear_greeting(st, c, text);
	else if (is_goodbye(st, c, text))
		return;
	else if (c->dialect == STORM_LINE)
		hear_line(st, c, text);
	else
		hear_json(st, c, text);
}

static void
hear_web(struct storm *st, struct storm_chat *c)
{
	if (!c->is_socket) {
		if (!web_has_answer(c->p))
			return;
		if (web_answer(c->p, true) != 101)
			abort_on(c, web_head());
		c->is_socket = true;
	}
	while (web_has_frame(c->p))
		hear_text(st, c, web_hear(c->p));
}

/* The carrier of a peer behind TLS says in words how the stream ended; the chat is over with it. */
static bool
is_cut(const struct peer *p)
{
	return p->in.len && (memmem(buf_head(&p->in), p->in.len, TLSPEER_CUT, 5) != NULL ||
				memmem(buf_head(&p->in), p->in.len, TLSPEER_REFUSED, 9) != NULL);
}

static void
hear_all(struct storm *st, struct storm_chat *c)
{
	const char *line;

	if (c->door == STORM_WEB) {
		hear_web(st, c);
		return;
	}
	while ((!c->greeted || c->dialect != STORM_RAW) && !c->sent_away &&
	       !(c->door == STORM_TLS && is_cut(c->p)) && (line = peer_take_line(c->p)) != NULL)
		hear_text(st, c, line);
	if (c->greeted && c->dialect == STORM_RAW)
		hear_raw(st, c);
}

/* --- a turn ---------------------------------------------------------------------------------- */

static bool
is_forgiven(const struct storm *st)
{
	return st->killed_ms != 0 && lapse_now_ms() - st->killed_ms <= STORM_FORGIVE_MS;
}

static void
come_again(struct storm *st, struct storm_chat *c, const char *how)
{
	if (!c->sent_away && !is_forgiven(st))
		abort_on(c, how);
	st->n_lost += !c->sent_away;
	peer_close(c->p);
	chat_open(st, c);
}

/* Nobody ever says that a datagram was lost. */
static void
wait_on(struct storm *st, struct storm_chat *c, int64_t now_ms)
{
	if (c->door == STORM_UDP && st->killed_ms > c->since_ms &&
	    now_ms - c->since_ms > DATAGRAM_MS) {
		st->n_lost++;
		c->answered = c->asked;
	} else if (now_ms - c->since_ms > ANSWER_MS) {
		abort_on(c, c->greeted ? "nothing for a minute" : "no greeting");
	}
}

void
storm_chat_turn(struct storm *st, struct storm_chat *c)
{
	enum peer_got got;
	int64_t now_ms;

	while ((got = peer_fill(c->p)) == PEER_BYTES)
		hear_all(st, c);
	now_ms = lapse_now_ms();
	if (got == PEER_END || got == PEER_RESET)
		come_again(st, c, got == PEER_END ? "the end" : "a reset");
	else if (!storm_chat_is_quiet(c))
		wait_on(st, c, now_ms);
	else if (st->raging && !c->silent && !c->sent_away && now_ms >= c->next_ms)
		storm_chat_ask(c);
}
