/* move_pack.c - see move.h: a chat as bytes. Numbers are in the machine's own order, because the
 * bytes never leave it. A message is
 *   "XTMV", the version, the least version that can read it (16 bits each), then fields of
 *   a tag, 1 for indispensable (16 bits each), a length (32 bits), and so many bytes. */
#include "worker/move.h"

#include "base/mem.h"
#include "worker/enter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char mark[4] = { 'X', 'T', 'M', 'V' };

enum field_tag {
	TAG_ID = 1,
	TAG_DIALECT,
	TAG_USER,
	TAG_WIRE,
	TAG_FLAGS,
	TAG_IN,
	TAG_OUT,
	TAG_QUESTION,
	TAG_TURN,
	TAG_ROBOT,
	TAG_SINCE,
	TAG_RATE,
	TAG_PEER,
	TAG_DOOR,
	TAG_FRAMES,
};

enum { MUST = 1 };
enum { FRAMES_OPEN = 1, FRAMES_IN_FRAME = 2, FRAMES_LAST = 4 };
enum { FLAG_LINES = 1, FLAG_IN_END = 2, FLAG_DEAF = 4 };

struct field {
	uint16_t tag, must;
	uint32_t n;
};

struct question_head {
	uint32_t kind, stream, n_user, n_id;
};

struct rate {
	int64_t ms;
	double left;
};

/* How far a WebSocket is in a message, whose bytes are at the head of TAG_IN. */
struct frames {
	uint32_t got, left;
	unsigned char mask[4];
	uint32_t turn, flags;
};

enum { DIALECTS = 5 };
static const struct codec *const dialects[DIALECTS] = { &codec_line, &codec_json, &codec_raw,
	&codec_http, &codec_ws };

/* --- packing --------------------------------------------------------------------------------- */

static int
add(struct buf *out, enum field_tag tag, int must, const void *bytes, size_t n)
{
	const struct field f = { (uint16_t)tag, (uint16_t)must, (uint32_t)n };

	return buf_add(out, &f, sizeof f) || buf_add(out, bytes, n);
}

static int
add_text(struct buf *out, enum field_tag tag, int must, const char *s)
{
	return add(out, tag, must, s, strlen(s));
}

static int
add_buf(struct buf *out, enum field_tag tag, const struct buf *b)
{
	return b->len ? add(out, tag, MUST, buf_head(b), b->len) : 0;
}

static int
add_questions(const struct conn *c, struct buf *out)
{
	int bad = 0;

	for (const struct asked *a = c->first; a && !bad; a = a->next) {
		const struct question_head h = { (uint32_t)a->kind, a->stream, (uint32_t)a->n_user,
			(uint32_t)a->n_id };
		size_t n = a->n_user + a->n_text + a->n_id;
		const struct field f = { TAG_QUESTION, MUST, (uint32_t)(sizeof h + n) };

		bad = buf_add(out, &f, sizeof f) || buf_add(out, &h, sizeof h) ||
		      buf_add(out, a->bytes, n);
	}
	return bad;
}

/* What was said, for robots that remember nothing. */
static int
add_turns(const struct conn *c, struct buf *out)
{
	struct store_turn turns[STORE_MAX_TURNS];
	int n = store_mem.recent(c->w->store, c->id, STORE_MAX_TURNS, turns), bad = 0;

	for (int i = 0; i < n && !bad; i++) {
		const struct store_turn *t = &turns[i];
		uint32_t n_question = (uint32_t)t->n_question;
		const struct field f = { TAG_TURN, 0,
			(uint32_t)(sizeof n_question + t->n_question + t->n_answer) };

		bad = buf_add(out, &f, sizeof f) || buf_add(out, &n_question, sizeof n_question) ||
		      buf_add(out, t->question, t->n_question) ||
		      buf_add(out, t->answer, t->n_answer);
	}
	return bad;
}

static int
add_frames(const struct wire_frames *f, struct buf *out)
{
	struct frames to = { .got = f->got,
		.left = f->left,
		.turn = f->turn,
		.flags = (f->is_open ? FRAMES_OPEN : 0) | (f->in_frame ? FRAMES_IN_FRAME : 0) |
			 (f->is_last ? FRAMES_LAST : 0) };

	memcpy(to.mask, f->mask, sizeof to.mask);
	return add(out, TAG_FRAMES, MUST, &to, sizeof to);
}

int
move_pack(const struct conn *c, struct buf *out)
{
	const uint16_t versions[2] = { BOOT_MOVE_VERSION, BOOT_MOVE_LEAST };
	const uint32_t first = c->wire.first, flags = (c->wire.lines ? FLAG_LINES : 0) |
						      (c->in_end ? FLAG_IN_END : 0) |
						      (c->deaf ? FLAG_DEAF : 0);
	const struct rate rate = { c->rate_ms, c->rate_left };
	const struct chain *chain = c->w->setup->chain;

	if (buf_add(out, mark, sizeof mark) || buf_add(out, versions, sizeof versions) ||
	    add(out, TAG_ID, MUST, &c->id, sizeof c->id) ||
	    (c->wire.codec && add_text(out, TAG_DIALECT, MUST, c->wire.codec->name)) ||
	    add(out, TAG_USER, 0, c->wire.user, c->wire.n_user) ||
	    add(out, TAG_WIRE, 0, &first, sizeof first) ||
	    add(out, TAG_FLAGS, MUST, &flags, sizeof flags) || add_buf(out, TAG_IN, &c->in) ||
	    add_buf(out, TAG_OUT, &c->out) || add_questions(c, out) || add_turns(c, out) ||
	    (c->robot >= 0 && add_text(out, TAG_ROBOT, 0, chain_name_at(chain, c->robot))) ||
	    add(out, TAG_SINCE, 0, &c->since_ms, sizeof c->since_ms) ||
	    add(out, TAG_RATE, 0, &rate, sizeof rate) ||
	    (c->guest && add(out, TAG_PEER, 0, &c->guest->peer.u, c->guest->peer.len)) ||
	    (c->door && add(out, TAG_DOOR, 0, &c->door, sizeof c->door)) ||
	    (c->wire.codec == &codec_ws && add_frames(&c->wire.frames, out)))
		return -1;
	return 0;
}

/* --- unpacking ------------------------------------------------------------------------------- */

/* A field of one fixed size. Returns 0, or -1. */
static int
take_fixed(void *to, size_t size, const char *bytes, size_t n)
{
	if (n != size)
		return -1;
	memcpy(to, bytes, size);
	return 0;
}

static int
take_dialect(struct conn *c, const char *bytes, size_t n)
{
	for (size_t i = 0; i < DIALECTS; i++)
		if (strlen(dialects[i]->name) == n && memcmp(dialects[i]->name, bytes, n) == 0)
			c->wire.codec = dialects[i];
	return c->wire.codec ? 0 : -1;
}

static int
take_flags(struct conn *c, const char *bytes, size_t n)
{
	uint32_t flags;

	if (take_fixed(&flags, sizeof flags, bytes, n))
		return -1;
	c->wire.lines = flags & FLAG_LINES;
	c->in_end = flags & FLAG_IN_END;
	c->deaf = flags & FLAG_DEAF;
	return 0;
}

/* What is in stays in, although the limits may be others here. */
static int
take_bytes(struct buf *b, const char *bytes, size_t n)
{
	if (b->limit < n)
		b->limit = (uint32_t)n;
	return buf_add(b, bytes, n);
}

static int
take_question(struct conn *c, const char *bytes, size_t n)
{
	struct question_head h;
	struct msg m = { .text = "" };
	const char *user = bytes + sizeof h;

	if (n < sizeof h)
		return -1;
	memcpy(&h, bytes, sizeof h);
	n -= sizeof h;
	if (h.kind > MSG_ROBOT || h.n_user > n || h.n_id > n - h.n_user)
		return -1;
	m.kind = (enum msg_kind)h.kind;
	m.stream = h.stream;
	m.text = user + h.n_user;
	m.n_text = n - h.n_user - h.n_id;
	m.id = m.text + m.n_text;
	m.n_id = h.n_id;
	conn_wait_in_line(c, user, h.n_user, &m);
	return 0;
}

static int
take_turn(const struct conn *c, const char *bytes, size_t n)
{
	uint32_t n_question;
	struct store_turn t;

	if (n < sizeof n_question)
		return -1;
	memcpy(&n_question, bytes, sizeof n_question);
	n -= sizeof n_question;
	if (n_question > n)
		return -1;
	t.question = bytes + sizeof n_question;
	t.n_question = n_question;
	t.answer = t.question + n_question;
	t.n_answer = n - n_question;
	store_mem.append(c->w->store, c->id, (int)c->w->setup->conf->memory_turns, &t);
	return 0;
}

static int
take_rate(struct conn *c, const char *bytes, size_t n)
{
	struct rate rate;

	if (take_fixed(&rate, sizeof rate, bytes, n))
		return -1;
	c->rate_ms = rate.ms;
	c->rate_left = rate.left;
	return 0;
}

static int
take_peer(struct conn *c, const char *bytes, size_t n)
{
	struct sock_addr peer = { .len = (socklen_t)n };

	if (n > sizeof peer.u || c->guest)
		return -1;
	memcpy(&peer.u, bytes, n);
	enter_set_peer(c, &peer);
	return 0;
}

static int
take_frames(struct wire_frames *f, const char *bytes, size_t n)
{
	struct frames from;

	if (take_fixed(&from, sizeof from, bytes, n) || from.turn >= sizeof from.mask)
		return -1;
	f->got = from.got;
	f->left = from.left;
	f->turn = (uint8_t)from.turn;
	f->is_open = from.flags & FRAMES_OPEN;
	f->in_frame = from.flags & FRAMES_IN_FRAME;
	f->is_last = from.flags & FRAMES_LAST;
	memcpy(f->mask, from.mask, sizeof f->mask);
	/* Bytes are owed by a frame, a frame by a message; what is no message has no bytes. */
	return (f->left && !f->in_frame) || ((f->in_frame || f->got) && !f->is_open) ? -1 : 0;
}

/* Returns 0, or -1: it cannot be read, or must be understood and is not. */
static int
take_field(struct conn *c, const struct field *f, const char *bytes)
{
	switch (f->tag) {
	case TAG_ID:
		return take_fixed(&c->id, sizeof c->id, bytes, f->n);
	case TAG_DIALECT:
		return take_dialect(c, bytes, f->n);
	case TAG_USER:
		return f->n && !wire_set_user(&c->wire, bytes, f->n) ? -1 : 0;
	case TAG_WIRE:
		return take_fixed(&c->wire.first, sizeof c->wire.first, bytes, f->n);
	case TAG_FLAGS:
		return take_flags(c, bytes, f->n);
	case TAG_IN:
		return take_bytes(&c->in, bytes, f->n);
	case TAG_OUT:
		return take_bytes(&c->out, bytes, f->n);
	case TAG_QUESTION:
		return take_question(c, bytes, f->n);
	case TAG_TURN:
		return take_turn(c, bytes, f->n);
	case TAG_ROBOT:
		c->robot = chain_find(c->w->setup->chain, bytes, f->n);
		return 0;
	case TAG_SINCE:
		return take_fixed(&c->since_ms, sizeof c->since_ms, bytes, f->n);
	case TAG_RATE:
		return take_rate(c, bytes, f->n);
	case TAG_PEER:
		return take_peer(c, bytes, f->n);
	case TAG_DOOR:
		return take_fixed(&c->door, sizeof c->door, bytes, f->n);
	case TAG_FRAMES:
		return take_frames(&c->wire.frames, bytes, f->n);
	default:
		return f->must ? -1 : 0;
	}
}

static int
take_fields(struct conn *c, const char *bytes, size_t n, struct err *e)
{
	while (n > 0) {
		struct field f;

		if (n < sizeof f)
			return err_set(e, "a field is cut off");
		memcpy(&f, bytes, sizeof f);
		bytes += sizeof f;
		n -= sizeof f;
		if (f.n > n)
			return err_set(e, "field %u is cut off", f.tag);
		if (take_field(c, &f, bytes))
			return err_set(e, "field %u makes no sense here", f.tag);
		bytes += f.n;
		n -= f.n;
	}
	if (c->wire.frames.got > c->in.len)
		return err_set(e, "it has less of a message than it says");
	return 0;
}

struct conn *
move_unpack(struct worker *w, int fd, const char *bytes, size_t n, struct err *e)
{
	uint16_t versions[2];
	struct conn *c;

	if (fd < 0) {
		err_set(e, "no descriptor came with it");
		return NULL;
	}
	c = conn_new(w, fd);
	if (n < sizeof mark + sizeof versions || memcmp(bytes, mark, sizeof mark) != 0)
		err_set(e, "this is no chat");
	else if (memcpy(versions, bytes + sizeof mark, sizeof versions),
	    versions[1] > BOOT_MOVE_VERSION)
		err_set(e, "version %u is too new", versions[0]);
	else if (take_fields(c, bytes + sizeof mark + sizeof versions,
		     n - sizeof mark - sizeof versions, e) == 0) {
		conn_taken_up(c);
		return c;
	}
	conn_kick(c); /* nobody can make sense of it: a goodbye is all there is */
	return NULL;
}
