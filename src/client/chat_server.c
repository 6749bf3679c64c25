/* chat_server.c - what a chat on a terminal has to do with its server.
 * Ctrl-C gives up the answer, not the chat: what comes of it later is dropped by its id, so the
 * server's memory of the chat stays.
 *
 * When the server is gone the line being typed stays, and the server is tried again, after longer
 * and longer pauses; at once when there is something to say. One that left because nothing was said
 * for long is only called again then. A message that got no word of an answer, or was refused, is
 * put back into the line; to send it twice is for the person to decide. */
#include "base/lapse.h"
#include "client/chat_own.h"

#include <string.h>

enum { PAUSE_MOST_MS = 30000, STEADY_MS = 10000 };

void
chat_tell(struct chat *c, enum view_colour colour, const char *sentence)
{
	view_tell(&c->view, colour, sentence, strlen(sentence));
}

/* "ERR busy SENTENCE" -> "SENTENCE (busy)". */
void
chat_tell_notice(struct chat *c, enum view_colour colour, const struct buf *notice)
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

static void
put_back(struct chat *c)
{
	edit_set(&c->edit, c->asked.len ? buf_head(&c->asked) : "", c->asked.len);
}

/* Did no robot get to see the message, so that it may be sent again, or made shorter? */
static bool
was_refused(const struct buf *notice)
{
	static const char *const codes[] = { "too-long", "rate", "busy" };
	const char *code;
	size_t n, n_code;

	(void)hear_sentence(notice, &n, &code, &n_code);
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (strlen(codes[i]) == n_code && memcmp(codes[i], code, n_code) == 0)
			return true;
	return false;
}

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

void
chat_connect(struct chat *c)
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
	bool mute = heard == HEARD_GONE && c->link && link_is_mute(c->link);

	if (lapse_now_ms() - c->up_ms >= STEADY_MS)
		c->pause_ms = CHAT_PAUSE_MS;
	link_close(c->link);
	c->link = NULL;
	if (c->waiting)
		end_waiting(c);
	if (unheard)
		put_back(c);
	if (!c->outage && heard == HEARD_BYE)
		chat_tell_notice(c, VIEW_DIM, &c->heard);
	if (!c->outage && mute)
		chat_tell(c, VIEW_DIM, c->words->mute);
	if (!c->outage && !idle)
		chat_tell(c, VIEW_DIM, heard == HEARD_BYE ? c->words->again : c->words->gone_again);
	if (unheard)
		chat_tell(c, VIEW_DIM, c->words->resend);
	c->outage = c->outage || !idle;
	if (!idle)
		pause_longer(c);
}

void
chat_give_up(struct chat *c, const char *why)
{
	end_waiting(c);
	chat_tell(c, VIEW_DIM, why);
	if (link_cancel(c->link))
		return;
	link_close(c->link);
	c->link = NULL;
	chat_connect(c);
}

static void
show_rest(struct chat *c)
{
	if (c->n_shown < c->heard.len)
		view_piece(&c->view, buf_head(&c->heard) + c->n_shown, c->heard.len - c->n_shown);
	c->pause_ms = CHAT_PAUSE_MS;
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
		if (c->waiting && was_refused(&c->heard))
			put_back(c);
		if (c->waiting)
			end_waiting(c);
		if (!c->outage)
			chat_tell_notice(c, VIEW_BAD, &c->heard);
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

void
chat_hear(struct chat *c)
{
	bool waited = c->waiting;

	while (c->link && hear(c))
		;
	if (!waited || c->waiting)
		return;
	view_line(&c->view);
	chat_keys(c, false);
}

void
chat_connected(struct chat *c)
{
	struct err e;

	c->link = dial_finish(c->dial, &e);
	c->dial = NULL;
	if (c->link == NULL) {
		if (!c->outage)
			chat_tell(c, VIEW_DIM, c->words->again);
		c->outage = true;
		pause_longer(c);
		return;
	}
	c->up_ms = lapse_now_ms();
	chat_hear(c); /* it may already have said that it is full */
	if (c->link == NULL)
		return;
	if (c->outage)
		chat_tell(c, VIEW_DIM, c->words->connected);
	c->outage = false;
	if (c->eager && !c->waiting)
		chat_submit(c);
}

/* --- saying --------------------------------------------------------------------------------- */

void
chat_submit(struct chat *c)
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
		chat_tell(c, VIEW_DIM, c->words->connecting);
		chat_connect(c);
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
	c->mark_at_ms = c->asked_ms + CHAT_MARK_MS;
	c->answer_by_ms = c->asked_ms + c->options.answer_ms;
	heard = link_send(c->link, buf_head(&c->asked), c->asked.len, &c->heard);
	if (heard == HEARD_FAILED) {
		end_waiting(c);
		chat_tell_notice(c, VIEW_BAD, &c->heard);
	} else if (heard != HEARD_NOTHING) {
		lose(c, HEARD_GONE);
	}
	if (!c->waiting)
		view_line(&c->view);
}
