/* control_chats.c - see control_chats.h. */
#include "master/control_chats.h"

#include "master/master.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
#define ANSWER_S 1.0

static int
put_missing(struct control_chats *c, pid_t pid)
{
	return buf_addf(&c->missing, "%s%d", c->missing.len ? "," : "", (int)pid);
}

/* The lines become members of a list. */
static int
put_lines(const struct buf *lines, struct buf *out)
{
	const char *at = lines->len ? buf_head(lines) : "", *end = at + lines->len;
	int bad = 0;

	while (at < end && !bad) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));

		eol = eol ? eol : end;
		bad = buf_add(out, at, (size_t)(eol - at)) ||
		      buf_adds(out, eol + 1 < end ? ",\n" : "\n");
		at = eol + 1;
	}
	return bad;
}

static void
finish(struct control_chats *c)
{
	struct buf document;

	ev_timer_stop(c->m->loop, &c->late);
	c->n_awaited = 0;
	buf_init(&document, CONTROL_CHATS_BYTES);
	if (buf_adds(&document, "{\"chats\":[\n") || put_lines(&c->lines, &document) ||
	    buf_addf(&document, "],\"missing\":[%.*s]}\n", (int)c->missing.len,
		c->missing.len ? buf_head(&c->missing) : "")) {
		buf_cut(&document, 0);
		(void)buf_adds(&document, "{\"error\":\"too many chats\"}\n");
	}
	buf_release(&c->lines);
	buf_release(&c->missing);
	c->on_done(c->arg, &document);
	buf_release(&document);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct control_chats *c = t->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < SCORE_SLOTS; i++)
		if (c->awaited[i])
			(void)put_missing(c, c->awaited[i]);
	finish(c);
}

/* A worker is not trusted to hand us a file that stays as it is, or one that can be read at all.
 * Returns 0, or -1: nothing was added. */
static int
take_lines(struct control_chats *c, int fd)
{
	size_t before = c->lines.len, left, room;
	struct stat st;

	if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS || fstat(fd, &st) < 0)
		return -1;
	for (left = (size_t)st.st_size; left; left -= room) {
		char *at = buf_reserve(&c->lines, left, &room);
		ssize_t n = room ? pread(fd, at, room, st.st_size - (off_t)left) : -1;

		if (n <= 0) {
			buf_cut(&c->lines, before);
			return -1;
		}
		room = (size_t)n;
		buf_grow(&c->lines, room);
	}
	return 0;
}

void
control_chats_on_listed(struct control_chats *c, int slot, const struct chan_msg *msg)
{
	if (c->n_awaited == 0 || msg->number != c->number || c->awaited[slot] == 0)
		return;
	if (msg->n_fds != 1 || take_lines(c, msg->fds[0]))
		(void)put_missing(c, c->awaited[slot]);
	c->awaited[slot] = 0;
	if (--c->n_awaited == 0)
		finish(c);
}

void
control_chats_start(struct control_chats *c)
{
	struct chan_msg msg = { .kind = CHAN_LIST, .number = ++c->number };

	memset(c->awaited, 0, sizeof c->awaited);
	for (int i = 0; i < SCORE_SLOTS; i++) {
		const struct slot *s = &c->m->pool.slots[i];

		if (s->state == SLOT_EMPTY)
			continue;
		if (chan_send(s->chan, &msg)) {
			(void)put_missing(c, s->pid);
			continue;
		}
		c->awaited[i] = s->pid;
		c->n_awaited++;
	}
	if (c->n_awaited == 0) {
		finish(c);
		return;
	}
	ev_timer_set(&c->late, ANSWER_S, 0.0);
	ev_timer_start(c->m->loop, &c->late);
}

bool
control_chats_runs(const struct control_chats *c)
{
	return c->n_awaited > 0;
}

void
control_chats_init(struct control_chats *c, struct master *m,
    void (*on_done)(void *arg, const struct buf *document), void *arg)
{
	c->m = m;
	c->on_done = on_done;
	c->arg = arg;
	buf_init(&c->lines, CONTROL_CHATS_BYTES);
	buf_init(&c->missing, 16 * SCORE_SLOTS);
	ev_timer_init(&c->late, on_late, 0.0, 0.0);
	c->late.data = c;
}

void
control_chats_release(struct control_chats *c)
{
	ev_timer_stop(c->m->loop, &c->late);
	buf_release(&c->lines);
	buf_release(&c->missing);
}
