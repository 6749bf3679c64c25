/* term.c - see term.h.
 * The terminal stays in its own line mode: it edits a line, we get it whole. While we wait for one
 * we watch the server too, so that a goodbye shows at once and not after the next line. */
#include "client/term.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 16384 };

static const struct words {
	const char *first_prompt, *prompt, *heading, *closed, *gone, *late, *too_long;
} words[] = {
	[TERM_ZH] = { "请输入消息：", "\n我：", "【机器人小图】", "聊天室已关闭",
	    "服务器断开了连接", "等了太久，没有回答", "这一行太长了" },
	[TERM_EN] = { "Your message: ", "\nMe: ", "[xiaotu]", "The chat is closed.",
	    "The server closed the connection.", "No answer in time.", "This line is too long." },
};

enum term_language
term_language(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < 3 && (value == NULL || *value == '\0'); i++)
		value = getenv(names[i]);
	if (value == NULL || *value == '\0' || strncmp(value, "zh", 2) == 0)
		return TERM_ZH;
	if (strcmp(value, "C") == 0 || strncmp(value, "C.", 2) == 0 || strcmp(value, "POSIX") == 0)
		return TERM_ZH;
	return TERM_EN;
}

void
term_init(struct term *t, struct link *link, int in, int out, int err)
{
	*t = (struct term){ .link = link, .language = term_language() };
	t->in = in;
	t->out = out;
	t->err = err;
	buf_init(&t->typed, TERM_LINE_BYTES);
	buf_init(&t->line, TERM_LINE_BYTES);
	buf_init(&t->answer, LINK_ANSWER_BYTES);
}

void
term_release(struct term *t)
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
take_line(struct term *t)
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
read_input(struct term *t)
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
await(struct term *t)
{
	struct pollfd p[2] = { { .fd = t->in, .events = POLLIN },
		{ .fd = link_fd(t->link), .events = POLLIN } };

	while (!take_line(t)) {
		if (t->ended)
			return EVENT_END;
		if (poll(p, 2, -1) < 0)
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

static void
show_answer(struct term *t)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";

	if (localtime_r(&now, &tm))
		strftime(when, sizeof when, " %Y-%m-%d %H:%M:%S\n", &tm);
	(void)puts_to(t->out, "\n");
	(void)puts_to(t->out, words[t->language].heading);
	(void)puts_to(t->out, when);
	(void)put_line(t->out, &t->answer);
}

/* Show what came. Returns true when the chat is over; *exit then says how it ended. */
static bool
show(struct term *t, enum link_result result, enum term_exit *exit)
{
	switch (result) {
	case LINK_ANSWER:
		show_answer(t);
		return false;
	case LINK_FAILED:
		(void)put_line(t->out, &t->answer);
		return false;
	case LINK_TIMEOUT:
		tell(t->out, words[t->language].late);
		return false;
	case LINK_NOTHING:
		return false;
	case LINK_BYE:
		(void)put_line(t->out, &t->answer);
		*exit = TERM_DONE;
		return true;
	case LINK_GONE:
		tell(t->out, words[t->language].gone);
		*exit = TERM_FAILED;
		return true;
	}
	return true;
}

/* One line typed. Returns true when the chat is over. */
static bool
chat_line(struct term *t, enum term_exit *exit)
{
	if (is_exit(&t->line))
		return true;
	if (is_blank(&t->line))
		return false;
	return show(t, link_ask(t->link, buf_head(&t->line), t->line.len, &t->answer), exit);
}

static bool
chat_step(struct term *t, enum term_exit *exit)
{
	enum link_result unasked;

	switch (await(t)) {
	case EVENT_LINE:
		return chat_line(t, exit);
	case EVENT_END:
		(void)puts_to(t->out, "\n");
		return true;
	case EVENT_LONG:
		tell(t->out, words[t->language].too_long);
		*exit = TERM_FAILED;
		return true;
	case EVENT_SERVER:
		unasked = link_look(t->link, &t->answer);
		if (unasked != LINK_NOTHING)
			(void)puts_to(t->out, "\n");
		return show(t, unasked, exit);
	}
	return true;
}

enum term_exit
term_chat(struct term *t)
{
	enum term_exit exit = TERM_DONE;

	if (link_greeting(t->link)->len)
		(void)put_line(t->out, link_greeting(t->link));
	(void)puts_to(t->out, words[t->language].first_prompt);
	while (!chat_step(t, &exit))
		(void)puts_to(t->out, words[t->language].prompt);
	tell(t->out, words[t->language].closed);
	return exit;
}

/* --- in a pipe ------------------------------------------------------------------------------- */

static enum term_exit
answer_bare(struct term *t, enum link_result result)
{
	switch (result) {
	case LINK_ANSWER:
		return put_line(t->out, &t->answer) ? TERM_FAILED : TERM_DONE;
	case LINK_FAILED:
	case LINK_BYE:
		(void)put_line(t->err, &t->answer);
		return TERM_FAILED;
	case LINK_TIMEOUT:
		tell(t->err, words[t->language].late);
		return TERM_TIMEOUT;
	case LINK_GONE:
	case LINK_NOTHING:
		tell(t->err, words[t->language].gone);
		return TERM_FAILED;
	}
	return TERM_FAILED;
}

/* Ask what t->line holds. Returns true when there is no going on. */
static bool
pipe_line(struct term *t, enum term_exit *exit)
{
	enum link_result result;
	enum term_exit now;

	if (is_exit(&t->line))
		return true;
	if (is_blank(&t->line))
		return false;
	result = link_ask(t->link, buf_head(&t->line), t->line.len, &t->answer);
	now = answer_bare(t, result);
	if (now != TERM_DONE)
		*exit = now;
	return now != TERM_DONE && result != LINK_FAILED;
}

static bool
pipe_step(struct term *t, enum term_exit *exit)
{
	enum link_result unasked;

	switch (await(t)) {
	case EVENT_LINE:
		return pipe_line(t, exit);
	case EVENT_END:
		return true;
	case EVENT_LONG:
		tell(t->err, words[t->language].too_long);
		*exit = TERM_FAILED;
		return true;
	case EVENT_SERVER:
		unasked = link_look(t->link, &t->answer);
		if (unasked != LINK_BYE && unasked != LINK_GONE)
			return false; /* not asked for: no answer of ours */
		*exit = answer_bare(t, unasked);
		return true;
	}
	return true;
}

enum term_exit
term_pipe(struct term *t)
{
	enum term_exit exit = TERM_DONE;

	while (!pipe_step(t, &exit))
		;
	return exit;
}

enum term_exit
term_say(struct term *t, const char *text)
{
	enum term_exit exit = TERM_DONE;

	buf_cut(&t->line, 0);
	if (buf_add(&t->line, text, strlen(text))) {
		tell(t->err, words[t->language].too_long);
		return TERM_FAILED;
	}
	(void)pipe_line(t, &exit);
	return exit;
}
