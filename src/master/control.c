/* control.c - see control.h: the socket and its clients. */
#include "master/control_client.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "conf/conf_source.h"
#include "master/master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CLIENTS = 16, LINE_BYTES = 256, MODE = 0600, ACCEPTS_A_TURN = 16, DISCARDS = 16 };
#define CLIENT_S 5.0
#define PAUSE_S  1.0

/* --- clients --------------------------------------------------------------------------------- */

/* What was said too much would else take our answer with it: the peer would see a reset. */
static void
discard(int fd)
{
	char bytes[4096];

	for (int i = 0; i < DISCARDS; i++)
		if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
			break;
}

/* A child that parses may hold the descriptor a little longer: shutdown is what the peer sees. */
static void
client_free(struct control_client *cl)
{
	struct ev_loop *loop = cl->c->m->loop;

	ev_io_stop(loop, &cl->io);
	ev_timer_stop(loop, &cl->late);
	list_remove(&cl->link);
	cl->c->n_clients--;
	buf_release(&cl->in);
	buf_release(&cl->out);
	discard(cl->fd);
	(void)shutdown(cl->fd, SHUT_RDWR);
	close(cl->fd);
	free(cl);
}

static void
set_late(struct control_client *cl)
{
	ev_timer_stop(cl->c->m->loop, &cl->late);
	ev_timer_set(&cl->late, CLIENT_S, 0.0);
	ev_timer_start(cl->c->m->loop, &cl->late);
}

static void
watch(struct control_client *cl, int events)
{
	ev_io_stop(cl->c->m->loop, &cl->io);
	ev_io_set(&cl->io, cl->fd, events);
	if (events)
		ev_io_start(cl->c->m->loop, &cl->io);
}

/* What is in `out` is the answer. Frees nobody: that happens once it is written. */
void
control_answer(struct control_client *cl)
{
	watch(cl, EV_WRITE);
	set_late(cl);
}

void
control_answer_error(struct control_client *cl, const char *why)
{
	buf_cut(&cl->out, 0);
	(void)(buf_adds(&cl->out, "{\"error\":") || json_write(why, strlen(why), &cl->out) ||
	       buf_adds(&cl->out, "}\n"));
	control_answer(cl);
}

void
control_await(struct control_client *cl, enum control_wait wait)
{
	cl->wait = wait;
	ev_timer_stop(cl->c->m->loop, &cl->late);
}

/* --- their bytes ----------------------------------------------------------------------------- */

static void
receive(struct control_client *cl)
{
	char bytes[LINE_BYTES];
	ssize_t n = recv(cl->fd, bytes, sizeof bytes, 0);
	const char *eol;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && cl->in.len == 0)) {
		client_free(cl);
		return;
	}
	if (buf_add(&cl->in, bytes, (size_t)n)) {
		watch(cl, 0);
		control_answer_error(cl, "the line is too long");
		return;
	}
	eol = memchr(buf_head(&cl->in), '\n', cl->in.len);
	if (eol == NULL && n > 0)
		return;
	watch(cl, 0);
	control_run_line(
	    cl, buf_head(&cl->in), eol ? (size_t)(eol - buf_head(&cl->in)) : cl->in.len);
}

static void
flush(struct control_client *cl)
{
	ssize_t n = send(cl->fd, buf_head(&cl->out), cl->out.len, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_eat(&cl->out, (size_t)n);
	if (n > 0 && cl->out.len)
		set_late(cl); /* it takes it, if slowly */
	else if (n > 0 && cl->wait == WAIT_EXIT)
		watch(cl, 0);
	else
		client_free(cl);
}

static void
on_client(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct control_client *cl = io->data;

	(void)loop;
	if (events & EV_WRITE)
		flush(cl);
	else
		receive(cl);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	client_free(t->data);
}

/* --- the door -------------------------------------------------------------------------------- */

static void
refuse(int fd, const char *why)
{
	struct buf text;

	buf_init(&text, LINE_BYTES);
	(void)buf_addf(&text, "{\"error\":\"%s\"}\n", why);
	(void)send(fd, buf_head(&text), text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_release(&text);
	(void)shutdown(fd, SHUT_RDWR);
	close(fd);
}

/* Root, and whoever we are. */
static bool
may_come_in(int fd, struct ucred *who)
{
	socklen_t size = sizeof *who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) == 0 &&
	       (who->uid == 0 || who->uid == geteuid());
}

static void
come_in(struct control *c, int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	struct control_client *cl;

	if (!may_come_in(fd, &who)) {
		log_warn("control_refused uid=%u", (unsigned)who.uid);
		refuse(fd, "this socket is for root and for the server's own user");
		return;
	}
	if (c->n_clients >= MOST_CLIENTS) {
		refuse(fd, "too many clients");
		return;
	}
	cl = mem_zalloc(sizeof *cl);
	*cl = (struct control_client){ .c = c, .fd = fd, .uid = who.uid };
	buf_init(&cl->in, LINE_BYTES);
	buf_init(&cl->out, CONTROL_CHATS_BYTES);
	ev_io_init(&cl->io, on_client, fd, EV_READ);
	ev_timer_init(&cl->late, on_late, 0.0, 0.0);
	cl->io.data = cl->late.data = cl;
	list_append(&c->clients, &cl->link);
	c->n_clients++;
	watch(cl, EV_READ);
	set_late(cl);
}

static void
on_pause_over(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct control *c = t->data;

	(void)events;
	ev_io_start(loop, &c->io);
}

static void
on_door(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct control *c = io->data;
	struct sock_addr peer;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = sock_accept(io->fd, &peer);

		if (fd >= 0) {
			come_in(c, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			ev_io_stop(loop, io);
			ev_timer_set(&c->pause, PAUSE_S, 0.0);
			ev_timer_start(loop, &c->pause);
		}
		return;
	}
}

/* --- beginning and end ----------------------------------------------------------------------- */

static int
bind_it(const struct conf *conf, struct err *e)
{
	struct sock_addr a;
	struct err why = { "" };

	if (sock_addr_make(&a, SOCK_UNIX, conf->control, 0, e))
		return err_add(e, "control");
	/* Nobody is to come in between bind and chmod either. */
	mode_t before = umask(0177);
	int fd = sock_listen(SOCK_UNIX, &a, MODE, &why);

	umask(before);
	if (fd < 0)
		err_set(e, "control: %s (for xiaotuctl; %s)", why.text,
		    errno == EADDRINUSE ? "each server needs one of its own"
					: "it needs a folder that can be written");
	return fd;
}

int
control_open(struct control **out, struct master *m, int fd, struct err *e)
{
	struct control *c;

	*out = NULL;
	if (*m->conf->control == '\0')
		return 0;
	if (fd < 0)
		fd = bind_it(m->conf, e);
	if (fd < 0 && conf_source_of(m->conf, "control"))
		return -1;
	if (fd < 0) {
		log_notice("no_control why=%s", log_quote(e->text, strlen(e->text)));
		e->text[0] = '\0';
		return 0;
	}
	c = mem_zalloc(sizeof *c);
	c->m = m;
	c->fd = fd;
	(void)lstat(m->conf->control, &c->file);
	list_init(&c->clients);
	ev_io_init(&c->io, on_door, fd, EV_READ);
	ev_timer_init(&c->pause, on_pause_over, 0.0, 0.0);
	c->io.data = c->pause.data = c;
	control_chats_init(&c->chats, m, control_on_chats, c);
	*out = c;
	return 0;
}

void
control_start(struct control *c)
{
	if (c)
		ev_io_start(c->m->loop, &c->io);
}

/* Answers that are written but for a little go out now. */
static void
part_with(struct control_client *cl)
{
	if (cl->out.len)
		(void)send(cl->fd, buf_head(&cl->out), cl->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	client_free(cl);
}

void
control_close(struct control *c, bool keep)
{
	const char *path = c ? c->m->conf->control : "";
	struct stat st;

	if (c == NULL)
		return;
	list_each_safe (it, &c->clients)
		part_with(list_item(it, struct control_client, link));
	ev_io_stop(c->m->loop, &c->io);
	ev_timer_stop(c->m->loop, &c->pause);
	control_chats_release(&c->chats);
	if (!keep && lstat(path, &st) == 0 && st.st_ino == c->file.st_ino &&
	    st.st_dev == c->file.st_dev)
		unlink(path);
	close(c->fd);
	free(c);
}

void
control_let_go(struct control *c)
{
	if (c == NULL)
		return;
	list_each (it, &c->clients)
		close(list_item(it, struct control_client, link)->fd);
	close(c->fd);
}

int
control_fd(const struct control *c)
{
	return c ? c->fd : -1;
}
