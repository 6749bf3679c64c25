/* move.c - see move.h: the line of those who leave, and the taking up. The message itself is in
 * move_pack.c. The pair's buffer is the back pressure: when it is full, the giver waits until it
 * can be written to again. */
#include "worker/move.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GIVE_AT_ONCE = 32 };
#define GIVE_AGAIN_S 0.02

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* --- giving ---------------------------------------------------------------------------------- */

/* Returns 0, or -1 with errno. */
static int
send_chat(int pair, const struct buf *message, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)buf_head(message), message->len };
	union control control;
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	struct cmsghdr *c;

	memset(&control, 0, sizeof control);
	c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(pair, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* It stays here for a goodbye. */
static void
give_up(struct conn *c, const char *why)
{
	log_warn("chat_not_moved chat=%" PRIu64 " why=%s", c->id, why);
	score_add(&c->w->score->moves_failed, 1);
	list_remove(&c->moving);
	conn_leave(c, LEAVE_DRAIN);
	conn_later(c);
}

/* Too many descriptors are on their way, which no event tells the end of: look again soon. */
static void
give_later(struct worker *w)
{
	ev_io_stop(w->loop, &w->give);
	if (!ev_is_active(&w->give_again))
		ev_timer_again(w->loop, &w->give_again);
}

static void
on_give_again(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct worker *w = t->data;

	(void)events;
	ev_timer_stop(loop, t);
	ev_io_start(loop, &w->give);
}

/* Returns false when the pair is full for now. */
static bool
give(struct conn *c)
{
	struct buf message;
	int bad;

	buf_init(&message, MOVE_BYTES);
	if (move_pack(c, &message)) {
		give_up(c, "size");
		buf_release(&message);
		return true;
	}
	bad = send_chat(c->w->boot->move_give, &message, c->io.fd);
	buf_release(&message);
	if (bad && (errno == ETOOMANYREFS || errno == ENOBUFS))
		give_later(c->w);
	if (bad && (errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS))
		return false;
	if (bad) {
		give_up(c, strerror(errno));
		return true;
	}
	score_add(&c->w->score->moved_out, 1);
	conn_moved(c);
	return true;
}

static void
on_give(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct worker *w = io->data;

	(void)events;
	for (int i = 0; i < GIVE_AT_ONCE && !list_is_empty(&w->to_move); i++)
		if (!give(list_item(w->to_move.next, struct conn, moving)))
			return;
	if (list_is_empty(&w->to_move))
		ev_io_stop(loop, io);
	worker_check_left(w);
}

void
move_enqueue(struct conn *c)
{
	struct worker *w = c->w;

	if (!list_is_empty(&c->moving))
		return;
	list_append(&w->to_move, &c->moving);
	ev_io_start(w->loop, &w->give);
}

void
move_all(struct worker *w)
{
	if (w->moving)
		return;
	w->moving = true;
	ev_io_init(&w->give, on_give, w->boot->move_give, EV_WRITE);
	ev_timer_init(&w->give_again, on_give_again, 0.0, GIVE_AGAIN_S);
	w->give.data = w->give_again.data = w;
	list_each_safe (it, &w->conns)
		conn_later(list_item(it, struct conn, link));
}

void
move_stop(struct worker *w)
{
	if (!w->moving)
		return;
	w->moving = false;
	ev_io_stop(w->loop, &w->give);
	ev_timer_stop(w->loop, &w->give_again);
	while (!list_is_empty(&w->to_move))
		list_remove(w->to_move.next);
}

/* --- taking ---------------------------------------------------------------------------------- */

/* The kernel throws the descriptor away when we have no room for one: look first. */
static bool
has_room(int pair)
{
	int probe = dup(pair);

	if (probe >= 0)
		close(probe);
	return probe >= 0;
}

/* Returns the bytes of one message with its descriptor, -1 with errno. */
static ssize_t
receive(int pair, char *bytes, int *fd)
{
	struct iovec iov = { bytes, MOVE_BYTES };
	union control control;
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	struct cmsghdr *c;
	ssize_t n = has_room(pair) ? recvmsg(pair, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) : -1;
	int saved = errno;

	*fd = -1;
	errno = saved;
	if (n <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&mh);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

int
move_receive(struct worker *w, int most)
{
	char *bytes = mem_resize(NULL, MOVE_BYTES, 1);
	int taken = 0;

	while (taken < most) {
		struct err e = { "" };
		struct conn *c;
		ssize_t n;
		int fd;

		n = receive(w->boot->move_take, bytes, &fd);
		if (n < 0) {
			taken = errno == EMFILE || errno == ENFILE ? -1 : taken;
			break;
		}
		taken++;
		c = move_unpack(w, fd, bytes, (size_t)n, &e);
		score_add(c ? &w->score->moved_in : &w->score->moves_failed, 1);
		if (c == NULL)
			log_warn("chat_not_taken why=%s", log_quote(e.text, strlen(e.text)));
	}
	free(bytes);
	return taken;
}
