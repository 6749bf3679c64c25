/* enter.c - see enter.h. */
#include "worker/enter.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/seldom.h"
#include "wire/proxy.h"
#include "worker/conn_io.h"
#include "worker/visit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_BYTES = 512, REFUSALS = 10, REFUSALS_MS = 10000 };
#define ENTERING (1ULL << 62)

/* --- refusals -------------------------------------------------------------------------------- */

void
enter_note_refusal(struct worker *w, const struct sock_addr *peer, const char *key, const char *why)
{
	char from[SOCK_TEXT];
	int kept_back;

	score_add(&w->score->refused, 1);
	if (!log_has(LOG_INFO_) ||
	    !seldom_may(&w->refusals, REFUSALS, REFUSALS_MS, lapse_now_ms(), &kept_back))
		return;
	sock_addr_text(peer, from);
	if (kept_back)
		log_info("chats_refused more=%d", kept_back);
	log_info("chat_refused peer=%s %s=%s", from, key, why);
}

void
guest_free(struct guest *g)
{
	if (g == NULL)
		return;
	gate_drop(g->gate);
	tls_free(g->tls);
	buf_release(&g->head);
	free(g);
}

static void
refuse(struct conn *c, const char *why)
{
	enter_note_refusal(c->w, &c->guest->peer, "why", why);
	conn_end(c);
}

/* --- in -------------------------------------------------------------------------------------- */

bool
enter_count(struct conn *c, uint64_t key, const char **limit)
{
	struct worker *w = c->w;
	const struct conf *conf = w->setup->conf;

	/* First counted, then looked at: two at once are both seen by each other. */
	c->visiting = c->wire.codec == &codec_http;
	c->counted = !c->visiting;
	score_add(&w->score->chats, c->counted);
	score_add(&w->score->visitors, c->visiting);
	if (key && tally_add(w->boot->tally, w->boot->slot, key, 1))
		c->address = key;
	/* The counters themselves are relaxed, so the store could come after the loads. */
	atomic_thread_fence(memory_order_seq_cst);
	if (limit == NULL)
		return true;
	*limit = NULL;
	if (conf->limit_chats && score_chats(w->boot->score) > conf->limit_chats)
		*limit = "chats";
	else if (conf->limit_chats_per_address && key &&
		 tally_count(w->boot->tally, key) > conf->limit_chats_per_address)
		*limit = "chats_per_address";
	if (*limit == NULL)
		return true;
	conn_uncount(c);
	return false;
}

static void
note_open(const struct conn *c, const struct sock_addr *peer)
{
	struct sock_addr local = { .len = sizeof local.u };
	const struct ssl_st *tls = c->guest ? c->guest->tls : NULL;
	char from[SOCK_TEXT], to[SOCK_TEXT];

	if (!log_has(LOG_INFO_))
		return;
	(void)getsockname(c->io.fd, &local.u.any, &local.len);
	sock_addr_text(peer, from);
	sock_addr_text(&local, to);
	log_info("chat_open chat=%" PRIu64 " peer=%s local=%s fd=%d%s%s", c->id, from, to, c->io.fd,
	    tls ? " tls=" : "", tls ? tls_version(tls) : "");
}

void
enter_begin(struct conn *c, const struct sock_addr *peer)
{
	const char *greeting = c->w->setup->conf->greeting;

	c->id = atomic_fetch_add(&c->w->boot->score->last_chat, 1) + 1;
	note_open(c, peer);
	if (*greeting)
		conn_say(c, PART_HELLO, NULL, greeting, strlen(greeting));
}

/* A place among limits.chats and limits.chats_per_address. */
static bool
take_place(struct conn *c, const struct sock_addr *peer)
{
	const char *limit;

	if (enter_count(c, tally_key(peer), &limit))
		return true;
	enter_note_refusal(c->w, peer, "limit", limit);
	return false;
}

static void
say_busy(struct conn *c)
{
	if (c->wire.codec == &codec_http)
		visit_refuse(c);
	else
		conn_fail(c, FAIL_BUSY, NULL);
	conn_leave(c, LEAVE_BUSY);
}

/* It has its place. */
static void
welcome(struct conn *c, const struct sock_addr *peer)
{
	score_add(&c->w->score->accepted, 1);
	if (c->counted)
		enter_begin(c, peer);
}

/* Take a place, or be told that there is none. */
static void
come_in(struct conn *c, const struct sock_addr *peer)
{
	if (take_place(c, peer))
		welcome(c, peer);
	else
		say_busy(c);
	conn_update(c);
}

/* Who is still entering is counted apart, by a key of its own: no address may have more of them
 * than chats, for half-open handshakes are not free. Returns false when it has. */
static bool
may_try(struct conn *c, const struct sock_addr *peer)
{
	struct worker *w = c->w;
	int64_t limit = w->setup->conf->limit_chats_per_address;
	uint64_t key = tally_key(peer);

	if (key == 0)
		return true;
	key ^= ENTERING;
	if (tally_add(w->boot->tally, w->boot->slot, key, 1))
		c->address = key;
	return limit == 0 || tally_count(w->boot->tally, key) <= limit;
}

/* It has nothing unusual about it any more, unless it has. */
static void
settle_in(struct conn *c)
{
	struct guest *g = c->guest;

	g->stage = ENTER_IN;
	gate_drop(g->gate);
	g->gate = NULL;
	buf_release(&g->head);
	if (g->tls || g->told)
		return;
	c->guest = NULL;
	guest_free(g);
}

/* --- the stages ------------------------------------------------------------------------------ */

enum step { STEP_ON, STEP_WAIT, STEP_REFUSED };

/* What was peeked at is of the header: take so much out of the socket. */
static enum step
take_header(struct conn *c, size_t n)
{
	return recv(c->io.fd, c->w->scratch, n, MSG_DONTWAIT) == (ssize_t)n ? STEP_ON
									    : STEP_REFUSED;
}

static enum step
read_proxy(struct conn *c)
{
	struct guest *g = c->guest;
	char *scratch = c->w->scratch;
	size_t had = g->head.len;
	ssize_t n;
	int length;

	n = recv(c->io.fd, scratch, PROXY_BYTES - had, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_WAIT;
	if (n <= 0 || buf_add(&g->head, scratch, (size_t)n))
		return STEP_REFUSED;
	length = proxy_parse(buf_head(&g->head), g->head.len, &g->peer, &g->told);
	if (length < 0)
		return STEP_REFUSED;
	if (length == 0)
		return take_header(c, (size_t)n) == STEP_ON ? STEP_WAIT : STEP_REFUSED;
	return take_header(c, (size_t)length - had);
}

/* TOKEN SECRET\n. What is behind it stays in. */
static enum step
read_token(struct conn *c)
{
	static const char word[] = "TOKEN ";
	size_t n = c->in.len < TOKEN_BYTES ? c->in.len : TOKEN_BYTES, skip = sizeof word - 1;
	const char *s, *end = n ? memchr(buf_head(&c->in), '\n', n) : NULL;
	bool good;

	if (end == NULL)
		return n < TOKEN_BYTES && !c->in_end ? STEP_WAIT : STEP_REFUSED;
	s = buf_head(&c->in);
	n = (size_t)(end - s);
	good = n > skip && memcmp(s, word, skip) == 0;
	n -= n && s[n - 1] == '\r';
	good = good && gate_knows(c->guest->gate, s + skip, n - skip);
	explicit_bzero((char *)(uintptr_t)s, n);
	buf_eat(&c->in, (size_t)(end - s) + 1);
	return good ? STEP_ON : STEP_REFUSED;
}

/* TLS takes tens of KiB for a handshake: not for one who says nothing. */
static enum step
shake_hands(struct conn *c)
{
	struct guest *g = c->guest;
	char first;
	int got;

	if (g->tls == NULL) {
		if (recv(c->io.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
		    (errno == EAGAIN || errno == EINTR))
			return STEP_WAIT;
		g->tls = tls_accept(g->gate->tls, c->io.fd);
	}
	got = tls_handshake(g->tls);
	return got == 1 ? STEP_ON : got == TLS_AGAIN ? STEP_WAIT : STEP_REFUSED;
}

static enum step
go_on(struct conn *c)
{
	struct guest *g = c->guest;
	enum step step = STEP_ON;

	switch (g->stage) {
	case ENTER_PROXY:
		step = read_proxy(c);
		break;
	case ENTER_TLS:
		if (g->gate->tls)
			step = shake_hands(c);
		break;
	case ENTER_TOKEN:
		if (g->gate->n_tokens == 0)
			break;
		step = conn_io_receive(c) ? STEP_REFUSED : read_token(c);
		break;
	case ENTER_IN:
		break;
	}
	return step;
}

static const char *
why_refused(const struct conn *c)
{
	switch (c->guest->stage) {
	case ENTER_PROXY:
		return "proxy_header";
	case ENTER_TLS:
		return log_quote(tls_why(), strlen(tls_why()));
	default:
		return "token";
	}
}

/* A wrong token is told so, once TLS and address are fine. */
static void
deny(struct conn *c)
{
	enter_note_refusal(c->w, &c->guest->peer, "why", "token");
	settle_in(c);
	conn_fail(c, FAIL_DENIED, NULL);
	conn_leave(c, LEAVE_DENIED);
	conn_update(c);
}

void
enter_go(struct conn *c)
{
	struct guest *g = c->guest;
	struct sock_addr peer;

	while (g->stage != ENTER_IN) {
		enum step step = go_on(c);

		if (step == STEP_WAIT) {
			conn_watch(c);
			conn_wait_set(c);
			return;
		}
		if (step == STEP_REFUSED && g->stage == ENTER_TOKEN)
			return deny(c);
		if (step == STEP_REFUSED)
			return refuse(c, why_refused(c));
		/* A proxy that tells of nobody is taken for what it is. */
		if (g->stage == ENTER_PROXY && !gate_admits(g->gate, &g->peer))
			return refuse(c, "address");
		g->stage++;
		if (g->stage == ENTER_TLS && !may_try(c, &g->peer))
			return refuse(c, "entering");
	}
	peer = g->peer;
	conn_uncount(c);
	settle_in(c);
	come_in(c, &peer);
}

void
enter_is_late(struct conn *c)
{
	refuse(c, "timeout");
}

void
enter_open(struct worker *w, int fd, const struct sock_addr *peer, struct gate *gate)
{
	bool proxy = gate_is_proxy(gate, peer);
	struct conn *c;

	if (!proxy && !gate_admits(gate, peer)) {
		enter_note_refusal(w, peer, "why", "address");
		close(fd);
		return;
	}
	c = conn_new(w, fd);
	c->door = gate->web;
	if (gate->web)
		c->wire.codec = &codec_http;
	if (gate_is_open(gate)) {
		come_in(c, peer);
		return;
	}
	enter_set_peer(c, peer);
	c->guest->told = false;
	c->guest->gate = gate_keep(gate);
	c->guest->stage = proxy ? ENTER_PROXY : ENTER_TLS;
	if (!proxy && !may_try(c, peer))
		refuse(c, "entering");
	else
		enter_go(c);
}

/* --- who it is ------------------------------------------------------------------------------- */

void
enter_set_peer(struct conn *c, const struct sock_addr *peer)
{
	c->guest = mem_zalloc(sizeof *c->guest);
	c->guest->stage = ENTER_IN;
	c->guest->peer = *peer;
	c->guest->told = true;
	buf_init(&c->guest->head, PROXY_BYTES);
}

void
enter_peer(const struct conn *c, struct sock_addr *peer)
{
	if (c->guest) {
		*peer = c->guest->peer;
		return;
	}
	if (sock_peer(c->io.fd, peer))
		*peer = (struct sock_addr){ .len = 0 };
}
