/* lines.c - see lines.h.
 * The terminal stays in its own line mode: it edits a line, we get it whole. While we wait for one
 * we watch the server too, so that a goodbye shows at once and not after the next line. */
#include "client/lines.h"
#include "base/json.h"
#include "client/words.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 16384 };

void
lines_init(struct lines *t, struct link *link, int in, int out, int err)
{
	*t = (struct lines){ .link = link };
	t->in = in;
	t->out = out;
	t->err = err;
	buf_init(&t->typed, LINES_BYTES);
	buf_init(&t->line, LINES_BYTES);
	buf_init(&t->answer, LINK_ANSWER_BYTES);
}

void
lines_release(struct lines *t)
{
	buf_release(&t->typed);
	buf_release(&t->line);
	buf_release(&t->answer);
}

/* --- out ------------------------------------------------------------------------------------- */

/* Returns 0, or -1: it cannot be written (a full disk, say). */
static int
put(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, s, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return -1;
		s += written;
		n -= (size_t)written;
	}
	return 0;
}

static int
puts_to(int fd, const char *s)
{
	return put(fd, s, strlen(s));
}

/* The text, and a newline where it has none of its own. */
static int
put_line(int fd, const struct buf *b)
{
	if (b->len == 0)
		return puts_to(fd, "\n");
	if (put(fd, buf_head(b), b->len))
		return -1;
	return buf_head(b)[b->len - 1] == '\n' ? 0 : puts_to(fd, "\n");
}

static void
tell(int fd, const char *sentence)
{
	(void)puts_to(fd, sentence);
	(void)puts_to(fd, "\n");
}

/* --- in -------------------------------------------------------------------------------------- */

enum event {
	EVENT_LINE,   /* t->line is a line */
	EVENT_END,    /* the input is at its end */
	EVENT_LONG,   /* a line is longer than any message may be */
	EVENT_SERVER, /* the server said something, or left */
};

/* Move the first whole line of what was typed to t->line; at the end of the input also a last one
 * without newline. */
static bool
take_line(struct lines *t)
{
	const char *s = t->typed.len ? buf_head(&t->typed) : NULL;
	const char *newline = s ? memchr(s, '\n', t->typed.len) : NULL;
	size_t n = newline ? (size_t)(newline - s) : t->typed.len;

	if (s == NULL || (newline == NULL && !t->ended))
		return false;
	buf_cut(&t->line, 0);
	(void)buf_add(&t->line, s, n && s[n - 1] == '\r' ? n - 1 : n); /* fits: limits are equal */
	buf_eat(&t->typed, newline ? n + 1 : n);
	return true;
}

static enum event
read_input(struct lines *t)
{
	size_t room;
	char *at = buf_reserve(&t->typed, READ_BYTES, &room);
	ssize_t n;

	if (room == 0)
		return EVENT_LONG;
	n = read(t->in, at, room);
	if (n > 0)
		buf_grow(&t->typed, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		t->ended = true;
	return EVENT_LINE;
}

/* Wait for a line or for the server. What was typed goes first. */
static enum event
await(struct lines *t)
{
	struct pollfd p[2] = { { .fd = t->in, .events = POLLIN },
		{ .fd = link_fd(t->link), .events = POLLIN } };

	while (!take_line(t)) {
		if (t->ended)
			return EVENT_END;
		if (poll(p, 2, link_wait_ms(t->link)) < 0)
			continue;
		if (p[0].revents == 0)
			return EVENT_SERVER;
		if (read_input(t) == EVENT_LONG)
			return EVENT_LONG;
	}
	return EVENT_LINE;
}

static bool
is_blank(const struct buf *line)
{
	for (uint32_t i = 0; i < line->len; i++)
		if (strchr(" \t", buf_head(line)[i]) == NULL || buf_head(line)[i] == '\0')
			return false;
	return true;
}

static bool
is_exit(const struct buf *line)
{
	return line->len == 4 && memcmp(buf_head(line), "exit", 4) == 0;
}

/* --- on a terminal --------------------------------------------------------------------------- */

void
lines_heading(char *out, size_t size)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof when, " %Y-%m-%d %H:%M:%S", &tm);
	snprintf(out, size, "%s%s", words_get()->heading, when);
}

static void
show_answer(struct lines *t)
{
	char heading[96];

	lines_heading(heading, sizeof heading);
	(void)puts_to(t->out, "\n");
	tell(t->out, heading);
	(void)put_line(t->out, &t->answer);
}

static const char *
gone_words(const struct lines *t)
{
	return link_is_mute(t->link) ? words_get()->mute : words_get()->gone;
}

/* Show what came. Returns true when the chat is over; *exit then says how it ended. */
static bool
show(struct lines *t, enum heard heard, enum status *exit)
{
	switch (heard) {
	case HEARD_ANSWER:
		show_answer(t);
		return false;
	case HEARD_FAILED:
	case HEARD_SAID:
		(void)put_line(t->out, &t->answer);
		return false;
	case HEARD_TIMEOUT:
		tell(t->out, words_get()->late);
		return false;
	case HEARD_PIECE:
	case HEARD_NOTHING:
		return false;
	case HEARD_BYE:
		(void)put_line(t->out, &t->answer);
		*exit = STATUS_DONE;
		return true;
	case HEARD_GONE:
		tell(t->out, gone_words(t));
		*exit = STATUS_FAILED;
		return true;
	}
	return true;
}

/* One line typed. Returns true when the chat is over. */
static bool
chat_line(struct lines *t, enum status *exit)
{
	if (is_exit(&t->line))
		return true;
	if (is_blank(&t->line))
		return false;
	return show(t, link_ask(t->link, buf_head(&t->line), t->line.len, &t->answer), exit);
}

static bool
chat_step(struct lines *t, enum status *exit)
{
	enum heard unasked;

	switch (await(t)) {
	case EVENT_LINE:
		return chat_line(t, exit);
	case EVENT_END:
		(void)puts_to(t->out, "\n");
		return true;
	case EVENT_LONG:
		tell(t->out, words_get()->too_long);
		*exit = STATUS_FAILED;
		return true;
	case EVENT_SERVER:
		unasked = link_take(t->link, &t->answer);
		if (unasked != HEARD_NOTHING)
			(void)puts_to(t->out, "\n");
		return show(t, unasked, exit);
	}
	return true;
}

enum status
lines_chat(struct lines *t)
{
	enum status exit = STATUS_DONE;

	if (link_greeting(t->link)->len)
		(void)put_line(t->out, link_greeting(t->link));
	(void)puts_to(t->out, words_get()->first_prompt);
	while (!chat_step(t, &exit)) {
		(void)puts_to(t->out, "\n");
		(void)puts_to(t->out, words_get()->prompt);
	}
	tell(t->out, words_get()->closed);
	return exit;
}

/* --- in a pipe ------------------------------------------------------------------------------- */

/* A failure that the server did not tell, in the shape of those it does. */
static int
put_object(struct lines *t, enum heard heard, const struct buf *sentence)
{
	size_t n = sentence->len, n_code;
	const char *code = heard == HEARD_TIMEOUT ? "timeout" : "gone";
	const char *text = n ? buf_head(sentence) : "";
	struct buf out;
	int bad;

	n_code = strlen(code);
	if (heard == HEARD_FAILED || heard == HEARD_BYE)
		text = hear_sentence(sentence, &n, &code, &n_code);
	buf_init(&out, 8 * LINK_ANSWER_BYTES);
	bad = buf_addf(&out, "{\"id\":%lld,", link_id(t->link));
	if (heard == HEARD_ANSWER)
		bad = bad || buf_adds(&out, "\"text\":") || json_write(text, n, &out) ||
		      buf_adds(&out, "}\n");
	else
		bad = bad || buf_adds(&out, "\"error\":{\"code\":") ||
		      json_write(code, n_code, &out) || buf_adds(&out, ",\"message\":") ||
		      json_write(text, n, &out) || buf_adds(&out, "}}\n");
	bad = bad || put(t->out, buf_head(&out), out.len);
	buf_release(&out);
	return bad ? -1 : 0;
}

/* Answer, failure or silence as an object, as the server sent it where it did. */
static int
answer_object(struct lines *t, enum heard heard)
{
	const struct buf *object = link_object(t->link);

	if (heard == HEARD_TIMEOUT || heard == HEARD_GONE) {
		buf_cut(&t->answer, 0);
		(void)buf_adds(
		    &t->answer, heard == HEARD_TIMEOUT ? words_get()->late : gone_words(t));
	}
	if (object->len && (heard == HEARD_ANSWER || heard == HEARD_FAILED))
		return put_line(t->out, object);
	return put_object(t, heard, &t->answer);
}

static int
answer_bare(struct lines *t, enum heard heard)
{
	switch (heard) {
	case HEARD_ANSWER:
		return put_line(t->out, &t->answer);
	case HEARD_FAILED:
	case HEARD_BYE:
		return put_line(t->err, &t->answer);
	case HEARD_TIMEOUT:
		tell(t->err, words_get()->late);
		return 0;
	case HEARD_GONE:
	case HEARD_NOTHING:
	case HEARD_SAID:
	case HEARD_PIECE:
		tell(t->err, gone_words(t));
		return 0;
	}
	return 0;
}

/* A reader that left knows it; a full disk does not. */
static enum status
fail_to_write(struct lines *t)
{
	char sentence[160];

	if (errno != EPIPE) {
		snprintf(
		    sentence, sizeof sentence, "%s: %s", words_get()->unwritten, strerror(errno));
		tell(t->err, sentence);
	}
	return STATUS_FAILED;
}

/* Show the end of a question. Returns how it ended. */
static enum status
answer(struct lines *t, enum heard heard)
{
	if (t->json ? answer_object(t, heard) : answer_bare(t, heard))
		return fail_to_write(t);
	return heard == HEARD_ANSWER    ? STATUS_DONE
	       : heard == HEARD_TIMEOUT ? STATUS_TIMEOUT
					: STATUS_FAILED;
}

/* Ask what t->line holds. Returns true when there is no going on. */
static bool
pipe_line(struct lines *t, enum status *exit)
{
	enum heard heard;
	enum status now;

	if (is_exit(&t->line))
		return true;
	if (is_blank(&t->line))
		return false;
	heard = link_ask(t->link, buf_head(&t->line), t->line.len, &t->answer);
	now = answer(t, heard);
	if (now != STATUS_DONE)
		*exit = now;
	return now != STATUS_DONE && heard != HEARD_FAILED;
}

static bool
pipe_step(struct lines *t, enum status *exit)
{
	enum heard unasked;

	switch (await(t)) {
	case EVENT_LINE:
		return pipe_line(t, exit);
	case EVENT_END:
		return true;
	case EVENT_LONG:
		tell(t->err, words_get()->too_long);
		*exit = STATUS_FAILED;
		return true;
	case EVENT_SERVER:
		unasked = link_take(t->link, &t->answer);
		if (unasked != HEARD_BYE && unasked != HEARD_GONE)
			return false; /* not asked for: no answer of ours */
		(void)answer_bare(t, unasked);
		*exit = STATUS_FAILED;
		return true;
	}
	return true;
}

enum status
lines_pipe(struct lines *t)
{
	enum status exit = STATUS_DONE;

	while (!pipe_step(t, &exit))
		;
	return exit;
}

enum status
lines_say(struct lines *t, const char *text)
{
	enum status exit = STATUS_DONE;

	buf_cut(&t->line, 0);
	if (buf_add(&t->line, text, strlen(text))) {
		tell(t->err, words_get()->too_long);
		return STATUS_FAILED;
	}
	(void)pipe_line(t, &exit);
	return exit;
}
