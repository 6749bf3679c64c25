/* dgram.c - see dgram.h. */
#include "worker/dgram.h"

#include "base/log.h"
#include "base/mem.h"
#include "wire/codec.h"
#include "wire/sentence.h"
#include "worker/enter.h"
#include "worker/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a datagram came from and went to. */
struct route {
	struct sock_addr peer;
	char control[64]; /* the packet info as it came: what it says is where the answer leaves */
	size_t n_control;
};

struct dgram {
	struct list link;
	struct worker *w;
	struct door *door;
	struct route route;
	struct turn *turn;
	struct later_task ended;
	struct wire wire;
};

/* Copy the packet info of mh for the answer. On the way out, an interface is not to be forced. */
static void
keep_local(struct route *r, struct msghdr *mh)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(mh);

	r->n_control = 0;
	if (c == NULL || mh->msg_controllen > sizeof r->control)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof info);
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO) {
		return;
	}
	r->n_control = mh->msg_controllen;
}

static void
reply(const struct door *door, struct route *r, struct buf *out)
{
	struct iovec iov = { (void *)(uintptr_t)buf_head(out), out->len };
	struct msghdr mh = { .msg_name = &r->peer.u,
		.msg_namelen = r->peer.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = r->n_control ? r->control : NULL,
		.msg_controllen = r->n_control };

	if (out->len && sendmsg(door->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(
		    "datagram_lost why=%s", log_quote(strerror(errno), strlen(strerror(errno))));
}

static void
say(struct dgram *d, enum part part, const char *text, size_t n)
{
	struct buf out;

	buf_init(&out, 2 * WIRE_DGRAM_BYTES);
	if (wire_encode(&d->wire, part, NULL, text, n, &out) == 0)
		reply(d->door, &d->route, &out);
	buf_release(&out);
}

static enum conf_language
language(const struct dgram *d)
{
	return (enum conf_language)d->w->setup->conf->language;
}

static void
say_fail(struct dgram *d, enum fail fail)
{
	const char *text = sentence_fail(fail, language(d));

	say(d, PART_FAIL, text, strlen(text));
}

static void
reject(struct dgram *d, enum fail fail, int64_t wait_ms)
{
	char text[160];

	score_add(&d->w->score->rejected, 1);
	if (fail == FAIL_RATE)
		say(d, PART_FAIL, text, sentence_rate(wait_ms, language(d), text, sizeof text));
	else
		say_fail(d, fail);
}

static void
dgram_free(struct dgram *d)
{
	struct worker *w = d->w;

	turn_cancel(d->turn, "cancelled");
	later_remove(&d->ended);
	list_remove(&d->link);
	door_drop(d->door);
	w->n_datagrams--;
	free(d);
	worker_check_left(w);
}

static void
on_ended(void *arg)
{
	dgram_free(arg);
}

static void
on_piece(void *arg, const char *text, size_t n)
{
	(void)arg;
	(void)text;
	(void)n;
}

static void
on_done(void *arg, enum fail fail)
{
	struct dgram *d = arg;
	const struct buf *answer = &d->turn->answer;

	if (fail)
		say_fail(d, fail);
	else
		say(d, PART_END, answer->len ? buf_head(answer) : "", answer->len);
	turn_free(d->turn);
	d->turn = NULL;
	later_add(&d->w->later, &d->ended);
}

static const struct turn_sink sink = { .piece = on_piece, .done = on_done };

/* Has its address had its messages of this minute? Returns how long it has to wait, or 0. */
static int64_t
rate_wait_ms(const struct dgram *d)
{
	int64_t limit = d->w->setup->conf->limit_messages_per_minute_per_address;
	uint64_t key = tally_key(&d->route.peer);

	return limit ? throttle_take(d->w->boot->throttle, key, limit, lapse_now_ms()) : 0;
}

/* Decode the datagram; ask, or say at once what is wrong. Returns whether a turn began. */
static bool
ask(struct dgram *d, const char *bytes, size_t n)
{
	struct question q = { .id = "", .robot = -1 };
	int64_t wait_ms = 0;
	struct buf in;
	struct msg m;

	buf_init(&in, WORKER_READ_BYTES);
	(void)buf_add(&in, bytes, n);
	if (wire_decode(&d->wire, &in, EDGE_DATAGRAM, &m) == DECODE_GOT && m.kind == MSG_TEXT) {
		q.user = d->wire.user;
		q.n_user = d->wire.n_user;
		q.text = m.text;
		q.n_text = m.n_text;
		if ((wait_ms = rate_wait_ms(d)))
			m.fail = FAIL_RATE;
		else if (d->w->n_datagrams > WORKER_DATAGRAMS)
			m.fail = FAIL_BUSY;
		else
			d->turn = turn_start(d->w, &q, &sink, d);
	}
	if (m.fail)
		reject(d, m.fail, wait_ms);
	wire_done(&d->wire, &in);
	buf_release(&in);
	return d->turn != NULL;
}

static struct dgram *
dgram_new(struct worker *w, struct door *door)
{
	struct dgram *d = mem_zalloc(sizeof *d);

	d->w = w;
	d->door = door;
	door->refs++;
	later_task_init(&d->ended, on_ended, d);
	wire_init(&d->wire, (uint32_t)w->setup->conf->limit_message_bytes);
	list_append(&w->datagrams, &d->link);
	w->n_datagrams++;
	return d;
}

void
dgram_receive(struct worker *w, struct door *door, int most)
{
	for (int i = 0; i < most; i++) {
		struct route r = { .peer.len = sizeof r.peer.u };
		struct iovec iov = { w->scratch, sizeof w->scratch };
		struct msghdr mh = { .msg_name = &r.peer.u,
			.msg_namelen = r.peer.len,
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = r.control,
			.msg_controllen = sizeof r.control };
		ssize_t n = recvmsg(door->fd, &mh, MSG_DONTWAIT);
		struct dgram *d;

		if (n < 0)
			return;
		r.peer.len = mh.msg_namelen;
		if (!gate_admits(door->gate, &r.peer)) {
			enter_note_refusal(w, &r.peer, "why", "address");
			continue;
		}
		keep_local(&r, &mh);
		d = dgram_new(w, door);
		d->route = r;
		if (!ask(d, w->scratch, (size_t)n))
			dgram_free(d);
	}
}

void
dgram_kick_all(struct worker *w)
{
	while (!list_is_empty(&w->datagrams))
		dgram_free(list_item(list_first(&w->datagrams), struct dgram, link));
}
