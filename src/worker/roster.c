/* roster.c - see roster.h. */
#include "worker/roster.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "worker/enter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHATS_A_TURN = 200, LINE_BYTES = 2048 };

struct roster {
	struct worker *w;
	struct list *next; /* the chat to be told next, or the list's head */
	int64_t number;
	int memfd;
	struct ev_timer turn;
};

static int
put_name(const char *s, size_t n, struct buf *out)
{
	struct text_clean clean = { .n_part = 0 };
	struct buf text;
	int bad;

	buf_init(&text, LINE_BYTES);
	bad = text_clean(&clean, s, n, &text) || text_clean_end(&clean, &text) ||
	      json_write(text.len ? buf_head(&text) : "", text.len, out);
	buf_release(&text);
	return bad;
}

static int
put_chat(const struct conn *c, struct buf *out)
{
	int64_t seconds = (lapse_now_ms() - c->since_ms) / 1000;
	const char *robot = c->robot >= 0 ? chain_name_at(c->w->setup->chain, c->robot) : "";
	struct sock_addr peer;
	char from[SOCK_TEXT];

	enter_peer(c, &peer);
	sock_addr_text(&peer, from);
	return buf_addf(
		   out, "{\"chat\":%" PRIu64 ",\"worker\":%d,\"user\":", c->id, (int)getpid()) ||
	       put_name(c->wire.user, c->wire.n_user, out) || buf_adds(out, ",\"from\":") ||
	       put_name(from, strlen(from), out) ||
	       buf_addf(out, ",\"since\":%" PRId64 ",\"seconds\":%" PRId64 ",\"dialect\":\"%s\"",
		   (int64_t)time(NULL) - seconds, seconds,
		   c->wire.codec ? c->wire.codec->name : "") ||
	       buf_adds(out, ",\"robot\":") || put_name(robot, strlen(robot), out) ||
	       buf_addf(out, ",\"answering\":%s,\"waiting\":%d}\n", c->turn ? "true" : "false",
		   c->n_waiting);
}

/* Returns 0, or -1: there is no memory for it. */
static int
put_some(struct roster *r)
{
	struct buf out;
	int bad = 0;

	buf_init(&out, CHATS_A_TURN * LINE_BYTES);
	for (int i = 0; i < CHATS_A_TURN && r->next != &r->w->conns; i++) {
		const struct conn *c = list_item(r->next, struct conn, link);

		r->next = r->next->next;
		if (c->counted)
			bad |= put_chat(c, &out);
	}
	bad = bad || (out.len && write(r->memfd, buf_head(&out), out.len) != (ssize_t)out.len);
	buf_release(&out);
	return bad ? -1 : 0;
}

static void
send_list(const struct roster *r)
{
	struct chan_msg m = {
		.kind = CHAN_LISTED, .number = r->number, .n_fds = 1, .fds = { r->memfd }
	};

	if (fcntl(r->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
		0 ||
	    chan_send(r->w->boot->chan, &m))
		log_warn("list_failed");
}

static void
on_turn(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct roster *r = t->data;

	(void)events;
	if (put_some(r)) {
		log_warn("list_failed");
		roster_stop(r->w);
	} else if (r->next == &r->w->conns) {
		send_list(r);
		roster_stop(r->w);
	} else {
		ev_timer_set(t, 0.0, 0.0);
		ev_timer_start(loop, t);
	}
}

void
roster_start(struct worker *w, int64_t number)
{
	struct roster *r;
	int memfd = memfd_create("chats", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	roster_stop(w);
	if (memfd < 0) {
		log_warn("list_failed");
		return;
	}
	r = mem_zalloc(sizeof *r);
	*r = (struct roster){ .w = w, .next = w->conns.next, .number = number, .memfd = memfd };
	ev_timer_init(&r->turn, on_turn, 0.0, 0.0);
	r->turn.data = r;
	ev_timer_start(w->loop, &r->turn);
	w->roster = r;
}

void
roster_on_gone(struct conn *c)
{
	struct roster *r = c->w->roster;

	if (r && r->next == &c->link)
		r->next = c->link.next;
}

void
roster_stop(struct worker *w)
{
	struct roster *r = w->roster;

	if (r == NULL)
		return;
	ev_timer_stop(w->loop, &r->turn);
	close(r->memfd);
	free(r);
	w->roster = NULL;
}
