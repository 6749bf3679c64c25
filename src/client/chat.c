/* chat.c - see chat.h.
 * One loop over four descriptors: keys, signals, the server, and a try to reach it again. While an
 * answer is on its way keys wait their turn, but for Ctrl-C. That key gives up the answer, not the
 * chat: what comes of it later is dropped by its id, so the server's memory of the chat stays.
 *
 * When the server is gone the line being typed stays, and the server is tried again, after longer
 * and longer pauses; at once when there is something to say. One that left because nothing was said
 * for long is only called again then. A message that got no word of an answer is put back into the
 * line; to send it twice is for the person to decide. */
#include "client/chat.h"
#include "base/lapse.h"
#include "client/dial.h"
#include "client/edit.h"
#include "client/history.h"
#include "client/keys.h"
#include "client/tty.h"
#include "client/view.h"
#include "client/words.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { MARK_MS = 200, SECOND_MS = 1000, PAUSE_MS = 500, PAUSE_MOST_MS = 30000, STEADY_MS = 10000 };

struct chat {
	const struct words *words;
	const struct link_place *place;
	struct link_options options;
	struct tty tty;
	struct keys keys;
	struct edit edit;
	struct history history;
	struct view view;
	struct buf heard, typed, asked;

	struct link *link;  /* NULL: not connected */
	struct dial *dial;  /* a try to be */
	int64_t up_ms;      /* since when it is connected */
	int64_t dial_at_ms; /* the next try; 0: none */
	int pause_ms;       /* before the try after that */
	bool outage;        /* the person was told that the server is gone */
	bool eager;         /* send the line as soon as it is back */

	bool waiting;   /* for an answer, or for more of it */
	size_t n_shown; /* bytes of the answer */
	int64_t asked_ms, mark_at_ms, answer_by_ms;
	int64_t escape_at_ms; /* 0: no half sequence waits */

	bool over;
	int signal; /* that ended it, or 0 */
};

static void
tell(struct chat *c, enum view_colour colour, const char *sentence)
{
	view_tell(&c->view, colour, sentence, strlen(sentence));
}

/* "ERR busy SENTENCE" -> "SENTENCE (busy)". */
static void
tell_notice(struct chat *c, enum view_colour colour, const struct buf *notice)
{
	const char *code, *sentence;
	size_t n, n_code;
	struct buf text;

	sentence = hear_sentence(notice, &n, &code, &n_code);
	buf_init(&text, 2 * LINK_ANSWER_BYTES);
	if (n == 0)
		(void)buf_add(&text, code, n_code);
	else
		(void)buf_addf(&text, "%.*s (%.*s)", (int)n, sentence, (int)n_code, code);
	view_tell(&c->view, colour, text.len ? buf_head(&text) : "", text.len);
	buf_release(&text);
}

static void process_keys(struct chat *c, bool quiet);

/* The answer is over, or given up: the person may type. */
static void
end_waiting(struct chat *c)
{
	c->waiting = false;
	view_end(&c->view);
}

/* --- the server ------------------------------------------------------------------------------ */

static void
call_again(struct chat *c, int after_ms)
{
	c->dial_at_ms = lapse_now_ms() + after_ms;
}

static void
try_now(struct chat *c)
{
	c->dial_at_ms = 0;
	if (c->dial == NULL)
		c->dial = dial_start(c->place, &c->options);
}

static void
pause_longer(struct chat *c)
{
	call_again(c, c->pause_ms);
	c->pause_ms = c->pause_ms * 2 < PAUSE_MOST_MS ? c->pause_ms * 2 : PAUSE_MOST_MS;
}

/* The server left: c->heard says why. */
static void
lose(struct chat *c, enum heard heard)
{
	bool idle = heard == HEARD_BYE && c->heard.len >= 8 &&
		    memcmp(buf_head(&c->heard), "BYE idle", 8) == 0;
	bool unheard = c->waiting && c->view.bottom == VIEW_MARK;

	if (lapse_now_ms() - c->up_ms >= STEADY_MS)
		c->pause_ms = PAUSE_MS;
	link_close(c->link);
	c->link = NULL;
	if (c->waiting)
		end_waiting(c);
	if (unheard)
		edit_set(&c->edit, c->asked.len ? buf_head(&c->asked) : "", c->asked.len);
	if (!c->outage && heard == HEARD_BYE)
		tell_notice(c, VIEW_DIM, &c->heard);
	if (!c->outage && !idle)
		tell(c, VIEW_DIM, heard == HEARD_BYE ? c->words->again : c->words->gone_again);
	if (unheard)
		tell(c, VIEW_DIM, c->words->resend);
	c->outage = c->outage || !idle;
	if (!idle)
		pause_longer(c);
}

static void
give_up_answer(struct chat *c, const char *why)
{
	end_waiting(c);
	tell(c, VIEW_DIM, why);
	if (link_cancel(c->link))
		return;
	link_close(c->link);
	c->link = NULL;
	try_now(c);
}

static void
show_rest(struct chat *c)
{
	if (c->n_shown < c->heard.len)
		view_piece(&c->view, buf_head(&c->heard) + c->n_shown, c->heard.len - c->n_shown);
	c->pause_ms = PAUSE_MS;
	end_waiting(c);
}

/* Returns false when there is nothing more to hear now. */
static bool
hear(struct chat *c)
{
	enum heard heard = link_take(c->link, &c->heard);

	switch (heard) {
	case HEARD_PIECE:
		view_piece(&c->view, c->heard.len ? buf_head(&c->heard) : "", c->heard.len);
		c->n_shown += c->heard.len;
		c->answer_by_ms = lapse_now_ms() + c->options.answer_ms;
		return true;
	case HEARD_ANSWER:
		show_rest(c);
		return true;
	case HEARD_FAILED:
		if (c->waiting)
			end_waiting(c);
		if (!c->outage)
			tell_notice(c, VIEW_BAD, &c->heard);
		return true;
	case HEARD_SAID:
		view_tell(&c->view, VIEW_DIM, buf_head(&c->heard), c->heard.len);
		return true;
	case HEARD_BYE:
	case HEARD_GONE:
		lose(c, heard);
		return false;
	case HEARD_TIMEOUT:
	case HEARD_NOTHING:
		return false;
	}
	return false;
}

static void
on_server(struct chat *c)
{
	bool waited = c->waiting;

	while (c->link && hear(c))
		;
	if (!waited || c->waiting)
		return;
	view_line(&c->view);
	process_keys(c, false);
}

static void submit(struct chat *c);

static void
on_dial(struct chat *c)
{
	struct err e;

	c->link = dial_finish(c->dial, &e);
	c->dial = NULL;
	if (c->link == NULL) {
		if (!c->outage)
			tell(c, VIEW_DIM, c->words->again);
		c->outage = true;
		pause_longer(c);
		return;
	}
	c->up_ms = lapse_now_ms();
	on_server(c); /* it may already have said that it is full */
	if (c->link == NULL)
		return;
	if (c->outage)
		tell(c, VIEW_DIM, c->words->connected);
	c->outage = false;
	if (c->eager && !c->waiting)
		submit(c);
}

/* --- the person ------------------------------------------------------------------------------ */

/* Say what is in the line, or try to be able to. */
static void
submit(struct chat *c)
{
	size_t n;
	const char *s = edit_text(&c->edit, &n);
	enum heard heard;

	while (n > 0 && s[n - 1] == '\n')
		n--;
	if (n == 4 && memcmp(s, "exit", 4) == 0) {
		view_said(&c->view, false);
		c->over = true;
		return;
	}
	c->eager = c->link == NULL;
	if (c->link == NULL) {
		tell(c, VIEW_DIM, c->words->connecting);
		try_now(c);
		return;
	}
	view_said(&c->view, true);
	buf_cut(&c->asked, 0);
	(void)buf_add(&c->asked, s, n);
	history_add(&c->history, s, n);
	edit_set(&c->edit, "", 0);
	c->waiting = true;
	c->n_shown = 0;
	c->asked_ms = lapse_now_ms();
	c->mark_at_ms = c->asked_ms + MARK_MS;
	c->answer_by_ms = c->asked_ms + c->options.answer_ms;
	heard = link_send(c->link, buf_head(&c->asked), c->asked.len, &c->heard);
	if (heard == HEARD_FAILED) {
		end_waiting(c);
		tell_notice(c, VIEW_BAD, &c->heard);
	} else if (heard != HEARD_NOTHING) {
		lose(c, HEARD_GONE);
	}
	if (!c->waiting)
		view_line(&c->view);
}

static void
on_cancel(struct chat *c)
{
	if (c->edit.text.len == 0)
		tell(c, VIEW_DIM, c->words->how_to_leave);
	edit_set(&c->edit, "", 0);
	c->history.at = c->history.n;
}

static void
on_history(struct chat *c, int step)
{
	size_t n;
	const char *s = edit_text(&c->edit, &n);

	if (history_move(&c->history, step, s, n, &c->typed))
		edit_set(&c->edit, c->typed.len ? buf_head(&c->typed) : "", c->typed.len);
}

static void
on_suspend(struct chat *c)
{
	if (c->view.bottom == VIEW_LINE)
		screen_erase(&c->view.screen, &c->view.output);
	(void)view_flush(&c->view);
	tty_suspend(&c->tty);
	view_resize(&c->view, c->tty.columns, c->tty.rows);
	view_redraw(&c->view);
}

static void
on_key(struct chat *c, enum key key)
{
	c->eager = false;
	switch ((int)key) {
	case KEY_TEXT:
	case KEY_PASTE:
		if (edit_insert(&c->edit, c->typed.len ? buf_head(&c->typed) : "", c->typed.len))
			tell(c, VIEW_BAD, c->words->too_long);
		break;
	case KEY_ENTER:
		if (edit_is_blank(&c->edit))
			edit_set(&c->edit, "", 0);
		else
			submit(c);
		break;
	case KEY_UP:
	case KEY_DOWN:
		on_history(c, key == KEY_UP ? -1 : 1);
		break;
	case KEY_CANCEL:
		on_cancel(c);
		break;
	case KEY_REDRAW:
		view_clear(&c->view);
		break;
	case KEY_SUSPEND:
		on_suspend(c);
		break;
	case KEY_DELETE_OR_LEAVE:
		if (c->edit.text.len == 0) {
			view_said(&c->view, false);
			c->over = true;
			break;
		}
		(void)edit_key(&c->edit, KEY_DELETE);
		break;
	default:
		(void)edit_key(&c->edit, key);
	}
}

/* All the keys that are there, until one of them sends something. */
static void
process_keys(struct chat *c, bool quiet)
{
	enum key key;

	c->escape_at_ms = 0;
	while (!c->waiting && !c->over) {
		key = keys_next(&c->keys, quiet, &c->typed);
		if (key == KEY_NONE)
			break;
		on_key(c, key);
	}
	if (c->waiting || c->over)
		return;
	if (keys_is_waiting(&c->keys))
		c->escape_at_ms = lapse_now_ms() + KEYS_ESCAPE_MS;
	view_line(&c->view);
}

static void
on_input(struct chat *c)
{
	char bytes[4096];
	ssize_t n = read(c->tty.in, bytes, sizeof bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* the terminal is gone */
		c->over = true;
		return;
	}
	if (keys_feed(&c->keys, bytes, (size_t)n))
		return; /* typed far ahead of a slow answer: what cannot be kept is not */
	if (!c->waiting) {
		process_keys(c, false);
		return;
	}
	if (keys_take_cancel(&c->keys)) {
		give_up_answer(c, c->words->cancelled);
		view_line(&c->view);
		process_keys(c, false);
	}
}

static void
on_signal(struct chat *c)
{
	switch (tty_signal(&c->tty, &c->signal)) {
	case TTY_NOTHING:
		break;
	case TTY_RESIZED:
		view_resize(&c->view, c->tty.columns, c->tty.rows);
		break;
	case TTY_RESUMED:
		view_redraw(&c->view);
		break;
	case TTY_SUSPEND:
		on_suspend(c);
		break;
	case TTY_ENDED:
		c->over = true;
		break;
	}
}

/* --- the loop -------------------------------------------------------------------------------- */

/* Has this time come? 0 never does. Otherwise *wait_ms becomes no longer than until then. */
static bool
is_due(int64_t at_ms, int64_t now_ms, int *wait_ms)
{
	if (at_ms == 0)
		return false;
	if (now_ms >= at_ms)
		return true;
	if (*wait_ms < 0 || at_ms - now_ms < *wait_ms)
		*wait_ms = (int)(at_ms - now_ms);
	return false;
}

/* Do what its time has come for. Returns how long to wait for the next. */
static int
on_time(struct chat *c)
{
	int64_t now = lapse_now_ms();
	int wait = c->link ? link_wait_ms(c->link) : -1;

	if (is_due(c->escape_at_ms, now, &wait))
		process_keys(c, true);
	if (is_due(c->dial_at_ms, now, &wait))
		try_now(c);
	if (c->waiting && c->view.bottom == VIEW_MARK && is_due(c->mark_at_ms, now, &wait)) {
		view_mark(&c->view, (int)((now - c->asked_ms) / SECOND_MS));
		c->mark_at_ms = now + SECOND_MS - (now - c->asked_ms) % SECOND_MS;
		return 0;
	}
	if (c->waiting && is_due(c->answer_by_ms, now, &wait)) {
		give_up_answer(c, c->words->late);
		view_line(&c->view);
		process_keys(c, false);
	}
	return wait;
}

static void
turn(struct chat *c)
{
	struct pollfd p[4] = { { .fd = c->tty.in, .events = POLLIN },
		{ .fd = c->tty.signals, .events = POLLIN }, { .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };
	int wait = on_time(c);

	if (view_flush(&c->view))
		c->over = true;
	if (c->over)
		return;
	p[2].fd = c->link ? link_fd(c->link) : -1;
	p[3].fd = c->dial ? dial_fd(c->dial) : -1;
	if (poll(p, 4, wait) < 0)
		return;
	if (p[1].revents)
		on_signal(c);
	if (p[0].revents && !c->over)
		on_input(c);
	if (c->link && !c->over)
		on_server(c);
	if (p[3].revents && c->dial && !c->over)
		on_dial(c);
}

static void
chat_init(struct chat *c, int out)
{
	c->words = words_get();
	c->pause_ms = PAUSE_MS;
	c->up_ms = lapse_now_ms();
	keys_init(&c->keys);
	edit_init(&c->edit);
	history_open(&c->history, history_path());
	view_init(&c->view, &c->edit, out, tty_has_colours());
	buf_init(&c->heard, LINK_ANSWER_BYTES);
	buf_init(&c->typed, KEYS_BYTES);
	buf_init(&c->asked, EDIT_BYTES);
}

static void
chat_release(struct chat *c)
{
	link_close(c->link);
	dial_drop(c->dial);
	keys_release(&c->keys);
	edit_release(&c->edit);
	history_release(&c->history);
	view_release(&c->view);
	buf_release(&c->heard);
	buf_release(&c->typed);
	buf_release(&c->asked);
}

enum status
chat_talk(struct link *link, const struct link_place *place, const struct link_options *options,
    int in, int out)
{
	struct chat c = { .link = link, .place = place, .options = *options };
	const struct buf *greeting = link_greeting(link);
	int number;

	chat_init(&c, out);
	if (tty_open(&c.tty, in, out)) {
		chat_release(&c);
		return STATUS_FAILED;
	}
	view_resize(&c.view, c.tty.columns, c.tty.rows);
	if (greeting->len)
		view_tell(&c.view, VIEW_PLAIN, buf_head(greeting), greeting->len);
	view_line(&c.view);
	while (!c.over)
		turn(&c);
	if (c.signal && c.view.bottom == VIEW_LINE)
		view_said(&c.view, false);
	else if (c.signal)
		view_end(&c.view);
	else
		tell(&c, VIEW_PLAIN, c.words->closed);
	(void)view_flush(&c.view);
	tty_close(&c.tty);
	number = c.signal;
	chat_release(&c);
	if (number)
		tty_die(number);
	return STATUS_DONE;
}
