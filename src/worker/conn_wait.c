/* conn_wait.c - what a chat waits for, and for how long; see conn.h. One deadline counts at a time.
 * */
#include "worker/conn_io.h"
#include "worker/enter.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* WAIT_KEEP: a visitor's next request, which has less time than a chat's next message. */
enum wait { WAIT_NONE, WAIT_IDLE, WAIT_IN, WAIT_QUIET, WAIT_OUT, WAIT_LINGER, WAIT_KEEP };

static enum wait
wait_of(const struct conn *c)
{
	if (enter_is_on(c))
		return WAIT_IN;
	if (c->shut)
		return WAIT_LINGER;
	if (c->out.len || c->said_bye || conn_io_wants_write(c))
		return WAIT_OUT;
	if (c->paused)
		return WAIT_QUIET;
	if (c->in.len)
		return WAIT_IN;
	if (c->visiting)
		return WAIT_KEEP;
	return c->turn || c->first ? WAIT_NONE : WAIT_IDLE;
}

/* Bytes in the kernel that the peer has not taken. */
static int
unread(const struct conn *c)
{
	int n = 0;

	return ioctl(c->io.fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

/* A message has its time from its first byte on; the others begin anew with every byte. */
void
conn_wait_set(struct conn *c)
{
	struct worker *w = c->w;
	struct lapse *lists[] = { [WAIT_NONE] = NULL,
		[WAIT_IDLE] = &w->idle,
		[WAIT_IN] = &w->message,
		[WAIT_QUIET] = &w->quiet,
		[WAIT_OUT] = &w->message,
		[WAIT_LINGER] = &w->linger,
		[WAIT_KEEP] = &w->message };
	enum wait wait = wait_of(c);
	bool again = ((wait == WAIT_OUT || wait == WAIT_KEEP) && c->put) ||
		     (wait == WAIT_QUIET && c->got) || (wait == WAIT_IDLE && (c->got || c->put));

	c->got = c->put = false;
	if (wait == c->wait && !again)
		return;
	c->wait = (unsigned char)wait;
	lapse_stop(&c->deadline);
	if (lists[wait])
		lapse_touch(lists[wait], &c->deadline);
	if (wait == WAIT_OUT)
		c->unread = unread(c);
}

void
conn_wait_none(struct conn *c)
{
	lapse_stop(&c->deadline);
	c->wait = WAIT_NONE;
}

enum conn_outcome
conn_wait_over(struct conn *c)
{
	enum wait wait = (enum wait)c->wait;

	/* Who reads slowly may not have made room for a write yet, but reads. */
	if (wait == WAIT_OUT && unread(c) < c->unread) {
		c->unread = unread(c);
		lapse_touch(&c->w->message, &c->deadline);
		return CONN_WAITS_ON;
	}
	c->wait = WAIT_NONE;
	if (wait == WAIT_LINGER || enter_is_on(c))
		return CONN_OVER;
	if (wait == WAIT_QUIET)
		c->quiet_over = true;
	else if (wait == WAIT_OUT && c->said_bye)
		c->leave = LEAVE_SLOW_READER;
	else
		conn_leave(c, wait == WAIT_OUT  ? LEAVE_SLOW_READER
			      : wait == WAIT_IN ? LEAVE_LIMIT
						: LEAVE_IDLE);
	return CONN_CHANGED;
}
