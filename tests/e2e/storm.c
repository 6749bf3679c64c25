/* storm.c - the chats of the storm, and those who do harm; see storm.h. */
#include "e2e/storm_own.h"

#include "base/json.h"
#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/moving.h"
#include "lib/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Silence longer than ANSWER_MS is a lost answer; ends are forgiven so long after a kill. */
enum {
	ANSWER_MS = 60000,
	FORGIVE_MS = 5000,
	THINK_MS = 1000,
	THINK_LEAST_MS = 20,
	TURN_MS = 20,
	VANDAL_MS = 60
};
enum { SILENT_EVERY = 10, CALM_MS = 60000 };

/* xorshift32 (Marsaglia, 2003) */
unsigned
storm_dice(struct storm *st, unsigned n)
{
	st->dice ^= st->dice << 13;
	st->dice ^= st->dice >> 17;
	st->dice ^= st->dice << 5;
	return st->dice % n;
}

struct server *
storm_server(struct storm *st)
{
	return st->s;
}

/* --- chats ----------------------------------------------------------------------------------- */

static void
chat_open(struct storm *st, struct storm_chat *c)
{
	c->p = peer_open(st->s->address, SERVER_PORT);
	c->greeted = false;
	c->since_ms = lapse_now_ms();
	c->answered = c->asked;
}

static void
chat_ask(struct storm_chat *c)
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
	peer_push(c->p, text, (size_t)n); /* its worker may just be dying: hear() judges */
	c->since_ms = lapse_now_ms();
}

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
	ck_abort_msg("chat %d, dialect %d, question %d (%s): heard \"%.300s\"", c->number,
	    (int)c->dialect, c->asked, c->answered == c->asked ? "answered" : "under way", heard);
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
hear_all(struct storm *st, struct storm_chat *c)
{
	const char *line;

	while ((!c->greeted || c->dialect != STORM_RAW) && (line = peer_take_line(c->p)) != NULL) {
		if (!c->greeted) {
			if (strncmp(line, "Welcome", 7) != 0)
				abort_on(c, line);
			c->greeted = true;
			c->next_ms = lapse_now_ms() + storm_dice(st, THINK_MS);
		} else if (c->dialect == STORM_LINE) {
			hear_line(st, c, line);
		} else {
			hear_json(st, c, line);
		}
	}
	if (c->greeted && c->dialect == STORM_RAW)
		hear_raw(st, c);
}

static void
chat_turn(struct storm *st, struct storm_chat *c)
{
	bool waits = !c->greeted || c->answered != c->asked;
	enum peer_got got;
	int64_t now_ms;

	while ((got = peer_fill(c->p)) == PEER_BYTES)
		hear_all(st, c);
	now_ms = lapse_now_ms();
	if (got == PEER_END || got == PEER_RESET) {
		if (st->killed_ms == 0 || now_ms - st->killed_ms > FORGIVE_MS)
			abort_on(c, got == PEER_END ? "the end" : "a reset");
		st->n_lost++;
		peer_close(c->p);
		chat_open(st, c);
	} else if (waits && now_ms - c->since_ms > ANSWER_MS) {
		abort_on(c, c->greeted ? "nothing for a minute" : "no greeting");
	} else if (st->raging && !c->silent && c->greeted && c->answered == c->asked &&
		   now_ms >= c->next_ms) {
		chat_ask(c);
	}
}

/* --- those who do harm ----------------------------------------------------------------------- */

static void
push_text(struct peer *p, const char *text)
{
	peer_push(p, text, strlen(text));
}

static void
push_noise(struct storm *st, struct peer *p, size_t n, bool newlines)
{
	char *noise = mem_zalloc(n);

	for (size_t i = 0; i < n; i++) {
		noise[i] = (char)storm_dice(st, 256);
		if (!newlines && noise[i] == '\n')
			noise[i] = 'x';
	}
	(void)send(p->fd, noise, n, MSG_DONTWAIT | MSG_NOSIGNAL); /* whatever it takes */
	free(noise);
}

static void
vandalize(struct storm *st, struct peer *p)
{
	switch (storm_dice(st, 12)) {
	case 0:
		push_text(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		break;
	case 1:
		peer_push(p, "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11);
		break;
	case 2:
		push_noise(st, p, 20000, false);
		break;
	case 3:
		push_noise(st, p, 1 + storm_dice(st, 3000), true);
		break;
	case 4:
		peer_push(p, "me::a\0b\n", 8);
		break;
	case 5:
		push_text(p, "me::\xff\xfe\n\xc0\xaf\n");
		break;
	case 6:
		for (int i = 0; i < 200; i++)
			push_text(p, "me::spam\n");
		break;
	case 7:
		push_text(p, "me::half of a li");
		break;
	case 8:
		push_text(p, "{\"user\":\"a\",\"text\":{\"text\":[[[[\n{\n{\"user\":1}\n");
		break;
	case 9:
		push_text(p, "me::hi\n");
		peer_half_close(p);
		break;
	case 10:
		push_text(p, "/robot nobody\n/forget\nme::exit\n");
		break;
	default:
		break; /* says nothing */
	}
}

static void
replace_vandal(struct storm *st)
{
	struct peer **v = &st->vandals[storm_dice(st, STORM_VANDALS)];

	if (*v != NULL && storm_dice(st, 2))
		peer_reset(*v);
	else if (*v != NULL)
		peer_close(*v);
	*v = peer_open(st->s->address, SERVER_PORT);
	vandalize(st, *v);
	st->n_vandals++;
	st->vandal_ms = lapse_now_ms() + storm_dice(st, 2 * VANDAL_MS);
}

/* Asks for more than anybody holds for it, and never reads. */
static void
replace_slow(struct storm *st)
{
	struct peer **p = &st->slow[storm_dice(st, STORM_SLOW)];

	if (*p != NULL)
		peer_close(*p);
	*p = peer_open(st->s->address, SERVER_PORT);
	for (int i = 0; i < 8; i++)
		push_text(*p, "me::give me much\n");
	st->n_slow++;
}

/* --- the storm ------------------------------------------------------------------------------- */

void
storm_turn(struct storm *st)
{
	struct peer *peers[STORM_CHATS];

	for (int i = 0; i < STORM_CHATS; i++)
		peers[i] = st->chats[i].p;
	peer_wait_any(peers, STORM_CHATS, TURN_MS);
	for (int i = 0; i < STORM_CHATS; i++)
		chat_turn(st, &st->chats[i]);
	if (st->raging && lapse_now_ms() >= st->vandal_ms) {
		replace_vandal(st);
		if (storm_dice(st, 30) == 0)
			replace_slow(st);
	}
}

static bool
is_quiet(const struct storm *st)
{
	for (int i = 0; i < STORM_CHATS; i++)
		if (!st->chats[i].greeted || st->chats[i].answered != st->chats[i].asked)
			return false;
	return true;
}

static void
send_away(struct peer **peers, int n)
{
	for (int i = 0; i < n; i++) {
		if (peers[i] != NULL)
			peer_close(peers[i]);
		peers[i] = NULL;
	}
}

struct storm *
storm_open(unsigned seed)
{
	struct storm *st = mem_zalloc(sizeof *st);

	st->dice = seed != 0 ? seed : 1;
	st->pool = STORM_POOL;
	st->s = moving_server_new(HELLO_SERVER);
	storm_configure(st, true);
	server_run(st->s);
	server_wait_ready(st->s);
	st->s->may_crash = true;
	st->first = scene_bot(st->s);
	st->second = fakebot_start(st->s->address, SERVER_BOT_PORT + 1);
	for (int i = 0; i < STORM_CHATS; i++) {
		st->chats[i].number = i;
		st->chats[i].dialect = (enum storm_dialect)(i % STORM_DIALECTS);
		st->chats[i].silent = i % SILENT_EVERY == 0;
		chat_open(st, &st->chats[i]);
	}
	return st;
}

void
storm_rage(struct storm *st, int64_t for_ms, bool replaces)
{
	int64_t by_ms = lapse_now_ms() + for_ms;

	st->raging = true;
	while (lapse_now_ms() < by_ms) {
		storm_turn(st);
		storm_act(st, replaces);
	}
	st->raging = false;
}

void
storm_calm(struct storm *st)
{
	storm_mend(st);
	storm_robots_well(st);
	send_away(st->vandals, STORM_VANDALS);
	send_away(st->slow, STORM_SLOW);
	storm_pool(st, STORM_POOL);
	while (!is_quiet(st))
		storm_turn(st); /* which knows how long that may take */
	for (int i = 0; i < STORM_CHATS; i++) {
		ck_assert_uint_eq(st->chats[i].p->in.len, 0);
		chat_ask(&st->chats[i]); /* the silent ones, too */
	}
	while (!is_quiet(st))
		storm_turn(st);
}

void
storm_tell(const struct storm *st)
{
	printf("%d answers, %d of them errors; %d chats ended with their worker; %d vandals, %d "
	       "who do not read;",
	    st->n_answers, st->n_errors, st->n_lost, st->n_vandals, st->n_slow);
	for (int i = 0; i < STORM_ACTS && storm_act_name(i) != NULL; i++)
		printf(" %s %d", storm_act_name(i), st->n_acts[i]);
	putchar('\n');
	fflush(stdout);
}

void
storm_close(struct storm *st)
{
	struct server *s = st->s;

	peer_close_all();
	server_stop(s);
	fakebot_stop(st->first);
	fakebot_stop(st->second);
	free(st);
}
