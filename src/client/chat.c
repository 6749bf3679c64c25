/* chat.c - see chat.h.
 * One loop over four descriptors: keys, signals, the server, and a try to reach it again. While an
 * answer is on its way keys wait their turn, but for Ctrl-C. */
#include "client/chat.h"
#include "base/lapse.h"
#include "client/chat_own.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { SECOND_MS = 1000 };

/* --- the person ------------------------------------------------------------------------------ */

static void
on_cancel(struct chat *c)
{
	if (c->edit.text.len == 0)
		chat_tell(c, VIEW_DIM, c->words->how_to_leave);
	edit_set(&c->edit, "", 0);
	c->history.at = c->history.n;
}

static void
on_history(struct chat *c, enum key key)
{
	size_t n;
	const char *s = edit_text(&c->edit, &n);
	bool found = key == KEY_SEARCH
			 ? history_find(&c->history, s, n, &c->typed)
			 : history_move(&c->history, key == KEY_UP ? -1 : 1, s, n, &c->typed);

	if (found)
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
			chat_tell(c, VIEW_BAD, c->words->too_long);
		break;
	case KEY_ENTER:
		if (edit_is_blank(&c->edit))
			edit_set(&c->edit, "", 0);
		else
			chat_submit(c);
		break;
	case KEY_UP:
	case KEY_DOWN:
	case KEY_SEARCH:
		on_history(c, key);
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
void
chat_keys(struct chat *c, bool quiet)
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
		chat_keys(c, false);
		return;
	}
	if (keys_take_cancel(&c->keys)) {
		chat_give_up(c, c->words->cancelled);
		view_line(&c->view);
		chat_keys(c, false);
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
		chat_keys(c, true);
	if (is_due(c->dial_at_ms, now, &wait))
		chat_connect(c);
	if (c->waiting && c->view.bottom == VIEW_MARK && is_due(c->mark_at_ms, now, &wait)) {
		view_mark(&c->view, (int)((now - c->asked_ms) / SECOND_MS));
		c->mark_at_ms = now + SECOND_MS - (now - c->asked_ms) % SECOND_MS;
		return 0;
	}
	if (c->waiting && is_due(c->answer_by_ms, now, &wait)) {
		chat_give_up(c, c->words->late);
		view_line(&c->view);
		chat_keys(c, false);
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
		chat_hear(c);
	if (p[3].revents && c->dial && !c->over)
		chat_connected(c);
}

static void
chat_init(struct chat *c, int out)
{
	c->words = words_get();
	c->pause_ms = CHAT_PAUSE_MS;
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
		chat_tell(&c, VIEW_PLAIN, c.words->closed);
	(void)view_flush(&c.view);
	tty_close(&c.tty);
	number = c.signal;
	chat_release(&c);
	if (number)
		tty_die(number);
	return STATUS_DONE;
}
