/* fuzz_ws.c - wire/codec_ws: messages, pings and the end are the same however they are cut, and
 * the same as those of a second reader, who has all bytes at once; what is kept is bounded; what is
 * said are frames that a browser may be sent, of JSON by the letter. The first byte chooses the
 * limit and, with IS_SCRIPT, that the pieces of the input are frames: first byte, text. So a person
 * can write them, and so can the fuzzer. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/codec_own.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 16, LARGE = 4096, IS_SMALL = 1, IS_SCRIPT = 2 };
enum { ROOM = 256, OUT = 1 << 18 }; /* ROOM: what codec_ws.c keeps for heads and pings */
enum { FIN = 0x80, MASKED = 0x80, MORE = 0, TEXT, BINARY, CLOSE = 8, PING, PONG };

struct reading {
	struct wire wire;
	struct buf in, out;
	bool over, silent; /* silent: answers were looked at before */
};

/* --- what is said ---------------------------------------------------------------------------- */

/* Section 7.4: what may be in a close frame. */
static bool
is_legal_code(unsigned code)
{
	return (code >= 3000 && code <= 4999) ||
	       (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006);
}

/* One whole unmasked frame at s: returns its bytes. */
static size_t
frame_at(const unsigned char *s, size_t n, const char **payload, size_t *n_payload)
{
	size_t bytes = 2, length;

	FUZZ_CHECK(n >= 2 && (s[0] == (FIN | TEXT) || s[0] >= (FIN | CLOSE)) &&
		   s[0] <= (FIN | PONG) && !(s[1] & MASKED));
	length = s[1];
	if (length >= 126) {
		bytes += length == 126 ? 2 : 8;
		FUZZ_CHECK(n >= bytes);
		length = 0;
		for (size_t i = 2; i < bytes; i++)
			length = length << 8 | s[i];
		FUZZ_CHECK(length >= (bytes == 4 ? 126 : 65536));
	}
	FUZZ_CHECK(length <= n - bytes);
	FUZZ_CHECK(s[0] == (FIN | TEXT) || length <= 125);
	*payload = (const char *)s + bytes;
	*n_payload = length;
	return bytes + length;
}

/* All of it is frames, and the member `key` of what they say is the text. Returns how many close
 * the chat. */
static int
check_frames(const struct buf *out, const char *key, const char *text, size_t n_text)
{
	const unsigned char *s = (const unsigned char *)buf_head(out), *end = s + out->len;
	int n_closes = 0;

	while (s < end) {
		const char *payload;
		size_t n, n_member = 0;
		unsigned opcode = *s & 15;
		struct json_object *o;

		FUZZ_CHECK(n_closes == 0);
		s += frame_at(s, (size_t)(end - s), &payload, &n);
		n_closes += opcode == CLOSE;
		FUZZ_CHECK(opcode != PING);
		if (opcode == CLOSE)
			FUZZ_CHECK(
			    n == 0 || (n >= 2 && is_legal_code((unsigned char)payload[0] << 8 |
							       (unsigned char)payload[1])));
		if (opcode != TEXT)
			continue;
		FUZZ_CHECK(*payload == '{' && payload[n - 1] == '}' && fuzz_is_json(payload, n));
		o = json_read(payload, n);
		FUZZ_CHECK(o != NULL);
		if (key) {
			const char *member = json_text(o, key, &n_member);

			FUZZ_CHECK(member && n_member == n_text && !memcmp(member, text, n_text));
		}
		json_drop(o);
	}
	return n_closes;
}

/* Say it, with all the room there is and with less than it takes. Returns how many frames close. */
static int
say(const struct wire *before, struct wire *w, enum part part, const struct msg *m, const char *key,
    const char *text, size_t n)
{
	struct buf out, small;
	int n_closes;

	*w = *before;
	buf_init(&out, OUT);
	FUZZ_CHECK(wire_encode(w, part, m, text, n, &out) == 0);
	n_closes = check_frames(&out, key, text, n);
	for (uint32_t room = out.len; room > 0; room /= 16) {
		struct wire other = *before;

		buf_init(&small, room - 1);
		FUZZ_CHECK(wire_encode(&other, part, m, text, n, &small) != 0);
		FUZZ_CHECK(small.len == 0 && memcmp(&other, before, sizeof other) == 0);
		buf_release(&small);
	}
	buf_release(&out);
	return n_closes;
}

static void
check_answer(const struct reading *r, const struct msg *question)
{
	struct msg m = *question;
	struct wire w, left;

	m.robot = "r\"";
	FUZZ_CHECK(
	    say(&r->wire, &w, PART_PIECE, &m, m.stream ? "piece" : NULL, m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_END, &m, "text", m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_NOTE, &m, "text", m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_WAIT, &m, "notice", m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_HELLO, NULL, "greeting", m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_FAIL, &m, NULL, m.text, m.n_text) == 0);
	FUZZ_CHECK(say(&r->wire, &left, PART_BYE, NULL, NULL, m.text, m.n_text) == 1);
	FUZZ_CHECK(say(&left, &w, PART_CLOSE, NULL, NULL, "", 0) == 0);
}

/* --- what is read ---------------------------------------------------------------------------- */

static void
note(const struct wire *w, enum decode got, const struct msg *m, struct buf *out)
{
	int bad;

	FUZZ_CHECK(m->n_id <= WIRE_ID_BYTES && w->n_user <= WIRE_NAME_BYTES);
	FUZZ_CHECK(text_is_utf8(w->user, w->n_user));
	if (got == DECODE_BAD)
		FUZZ_CHECK(m->fail > FAIL_NONE && m->fail <= FAIL_BAD_INPUT);
	if (got == DECODE_GOT && m->kind < MSG_REQUEST)
		FUZZ_CHECK(text_is_utf8(m->text, m->n_text) && !memchr(m->text, 0, m->n_text));
	if (got == DECODE_GOT && m->kind == MSG_TEXT)
		FUZZ_CHECK(m->n_text > 0 && m->n_text <= wire_text_limit(w) && w->n_user);
	bad =
	    buf_addf(out, "%d %d %d %d %d %u <%.*s> <%.*s> <", (int)got, (int)m->kind, (int)m->fail,
		m->fatal, m->stream, w->frames.close, (int)w->n_user, w->user, (int)m->n_id, m->id);
	bad = bad || (m->kind != MSG_CLOSE && buf_add(out, m->text, m->n_text));
	FUZZ_CHECK(!bad && buf_adds(out, ">\n") == 0);
}

/* The last that is said, as conn does. */
static void
check_end(const struct reading *r)
{
	struct wire w, again;

	FUZZ_CHECK(r->wire.frames.close != 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_FAIL, NULL, NULL, "bad-input so", 12) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_BYE, NULL, NULL, "shutdown so", 11) == 0);
	FUZZ_CHECK(say(&r->wire, &w, PART_CLOSE, NULL, NULL, "", 0) == 1);
	FUZZ_CHECK(say(&w, &again, PART_CLOSE, NULL, NULL, "", 0) == 0);
}

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		struct wire w;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		FUZZ_CHECK(got != DECODE_PAUSE && r->in.size <= 2 * r->in.limit);
		if (got == DECODE_MORE) {
			/* Who waits for more has room for it. */
			FUZZ_CHECK(r->in.len < r->in.limit && r->wire.frames.got <= r->in.len);
			return;
		}
		note(&r->wire, got, &m, &r->out);
		if (got == DECODE_GOT && m.kind == MSG_TEXT && !r->silent)
			check_answer(r, &m);
		if (got == DECODE_GOT && m.kind == MSG_PING)
			FUZZ_CHECK(say(&r->wire, &w, PART_PONG, NULL, NULL, m.text, m.n_text) == 0);
		r->over = (got == DECODE_BAD && m.fatal) || m.kind == MSG_CLOSE;
		FUZZ_CHECK(got != DECODE_BAD || !m.fatal || r->in.size == 0);
		if (r->over)
			check_end(r);
		wire_done(&r->wire, &r->in);
	}
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;

	while (n && !r->over) {
		fuzz_fill(&r->in, &s, &n);
		decode_all(r, EDGE_MORE);
	}
	if (quiet && !r->over)
		decode_all(r, EDGE_QUIET);
}

/* --- a second reader ------------------------------------------------------------------------- */

struct second {
	struct wire wire; /* user and limit: json_take() */
	struct buf text, out;
	const unsigned char *s, *end;
	bool is_open;
};

struct frame {
	unsigned opcode;
	bool is_last;
	uint64_t n;
	const unsigned char *mask, *payload;
};

/* The code for what this frame should not be, 0 for none yet; `payload` is NULL while it is not all
 * of it there. */
static unsigned
second_frame(struct second *o, struct frame *f)
{
	const unsigned char *s = o->s;
	uint64_t have = (uint64_t)(o->end - s), bytes = 2;
	unsigned most_bits;

	*f = (struct frame){ .payload = NULL };
	if (have >= 1 && (s[0] & 0x70))
		return 1002;
	if (have < 2)
		return 0;
	f->opcode = s[0] & 15;
	f->is_last = s[0] & FIN;
	f->n = s[1] & 127;
	if (!(s[1] & MASKED) || f->opcode > PONG || (f->opcode > BINARY && f->opcode < CLOSE))
		return 1002;
	if (f->opcode >= CLOSE && (!f->is_last || f->n > 125))
		return 1002;
	if (f->n >= 126) {
		most_bits = f->n == 126 ? 16 : 64;
		bytes += most_bits / 8;
		if (have < bytes)
			return 0;
		f->n = 0;
		for (unsigned i = 2; i < bytes; i++)
			f->n = f->n * 256 + s[i];
		if (f->n < 126 || (most_bits == 64 && (f->n < 65536 || f->n > INT64_MAX)))
			return 1002;
	}
	if (have < bytes + 4)
		return 0;
	f->mask = s + bytes;
	if (f->opcode < CLOSE && (f->opcode == MORE) != o->is_open)
		return 1002;
	if (f->opcode == BINARY)
		return 1003;
	if (f->opcode < CLOSE && o->text.len + f->n > wire_in_limit(o->wire.limit_bytes) - ROOM)
		return 1009;
	if (have - bytes - 4 >= f->n)
		f->payload = f->mask + 4;
	return 0;
}

static void
unmask(const struct frame *f, struct buf *to)
{
	for (size_t i = 0; i < f->n; i++) {
		char c = (char)(f->payload[i] ^ f->mask[i & 3]);

		FUZZ_CHECK(buf_add(to, &c, 1) == 0);
	}
}

static bool
second_fatal(struct second *o, unsigned code)
{
	struct msg m = { .id = "", .text = "" };

	o->wire.frames.close = (uint16_t)code;
	note(&o->wire, wire_bad(&m, code == 1009 ? FAIL_TOO_LONG : FAIL_BAD_INPUT, true), &m,
	    &o->out);
	return false;
}

/* Returns false: nothing more is read. */
static bool
second_control(struct second *o, const struct frame *f)
{
	struct msg m = { .id = "", .text = "", .kind = f->opcode == PING ? MSG_PING : MSG_CLOSE };
	struct buf text;
	unsigned code = 0;
	const unsigned char *s;

	if (f->opcode == PONG)
		return true;
	buf_init(&text, 125);
	unmask(f, &text);
	s = (const unsigned char *)buf_head(&text);
	m.text = (const char *)s;
	m.n_text = text.len;
	if (f->opcode == CLOSE) {
		code = text.len < 2 ? 1005 : (unsigned)(s[0] << 8 | s[1]);
		o->wire.frames.close = (uint16_t)code;
		code = text.len == 1 || (text.len && !is_legal_code(code))        ? 1002
		       : text.len > 2 && !text_is_utf8(m.text + 2, text.len - 2U) ? 1007
										  : 0;
	}
	if (code)
		(void)second_fatal(o, code);
	else
		note(&o->wire, DECODE_GOT, &m, &o->out);
	buf_release(&text);
	return f->opcode == PING;
}

static bool
second_message(struct second *o)
{
	struct msg m = { .id = "", .text = "" };
	const char *s = buf_head(&o->text);

	if (!text_is_utf8(s, o->text.len))
		return second_fatal(o, 1007);
	if (o->text.len)
		note(&o->wire, json_take(&o->wire, s, o->text.len, &m), &m, &o->out);
	if (o->wire.tree)
		json_drop(o->wire.tree);
	o->wire.tree = NULL;
	buf_cut(&o->text, 0);
	return true;
}

/* RFC 6455 section 5 once more, for who has all of it. */
static void
second_read(struct second *o, const char *s, size_t n)
{
	bool goes_on = true;

	o->s = (const unsigned char *)s;
	o->end = o->s + n;
	while (goes_on && o->s < o->end) {
		struct frame f;
		unsigned code = second_frame(o, &f);

		goes_on = code ? second_fatal(o, code) : f.payload != NULL;
		if (!goes_on)
			return;
		o->s = f.payload + f.n;
		if (f.opcode >= CLOSE) {
			goes_on = second_control(o, &f);
			continue;
		}
		unmask(&f, &o->text);
		o->is_open = !f.is_last;
		if (f.is_last)
			goes_on = second_message(o);
	}
}

static void
on_whole(void *arg, const char *s, size_t n, int quiet)
{
	(void)quiet;
	second_read(arg, s, n);
}

/* --- both ------------------------------------------------------------------------------------ */

static void
read_in(const char *s, size_t n, uint32_t limit, enum fuzz_way way, struct reading *r)
{
	memset(r, 0, sizeof *r);
	wire_init(&r->wire, limit);
	r->wire.codec = &codec_ws;
	r->silent = way != FUZZ_WHOLE;
	buf_init(&r->in, wire_in_limit(limit));
	buf_init(&r->out, 64 * FUZZ_BYTES);
	fuzz_feed(s, n, way, on_piece, r);
	decode_all(r, EDGE_END);
	FUZZ_CHECK(r->over || (r->in.len == 0 && r->in.size == 0));
	FUZZ_CHECK(r->wire.tree == NULL && r->wire.eat == 0);
	buf_release(&r->in);
}

static void
check(const char *s, size_t n, uint32_t limit)
{
	struct second second;
	struct reading r;

	memset(&second, 0, sizeof second);
	wire_init(&second.wire, limit);
	buf_init(&second.text, wire_in_limit(limit));
	buf_init(&second.out, 64 * FUZZ_BYTES);
	fuzz_feed(s, n, FUZZ_WHOLE, on_whole, &second);
	for (int way = 0; way < FUZZ_WAYS; way++) {
		read_in(s, n, limit, (enum fuzz_way)way, &r);
		FUZZ_CHECK_SAME(&r.out, &second.out);
		buf_release(&r.out);
	}
	buf_release(&second.text);
	buf_release(&second.out);
}

/* Frames of the pieces, cut as they were. No byte of this mask makes one that means a cut. */
static void
write_frames(const char *s, size_t n, struct buf *out)
{
	static const char mask[4] = { 3, 0, 0, 3 }, cut = (char)FUZZ_CUT;
	char *piece;
	size_t n_piece;

	while ((piece = fuzz_next(&s, &n, &n_piece)) != NULL) {
		size_t n_text = n_piece ? n_piece - 1 : 0;
		char head[4] = { *piece, (char)(MASKED | (n_text < 126 ? n_text : 126)),
			(char)(n_text >> 8), (char)n_text };

		for (size_t i = 0; i < n_text; i++)
			piece[1 + i] = (char)(piece[1 + i] ^ mask[i & 3]);
		FUZZ_CHECK(buf_add(out, head, n_text < 126 ? 2 : 4) == 0 &&
			   buf_add(out, mask, sizeof mask) == 0 &&
			   buf_add(out, piece + 1, n_text) == 0 && buf_add(out, &cut, 1) == 0);
		free(piece);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data + 1;
	struct buf frames;
	uint32_t limit;

	if (n == 0 || n >= FUZZ_BYTES)
		return 0;
	limit = data[0] & IS_SMALL ? SMALL : LARGE;
	n--;
	buf_init(&frames, 16 * FUZZ_BYTES);
	if (data[0] & IS_SCRIPT) {
		write_frames(s, n, &frames);
		s = buf_head(&frames);
		n = frames.len;
	}
	check(s, n, limit);
	buf_release(&frames);
	return 0;
}
