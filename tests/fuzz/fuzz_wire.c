/* fuzz_wire.c - wire/: dialect and messages are the same however the bytes are cut, texts are what
 * codec.h promises, and answers can be read back. The first byte chooses the limit, and whether the
 * input is datagrams; FUZZ_QUIET is a pause of timeouts.quiet. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/text.h"
#include "wire/codec_own.h"

#include <string.h>

enum { SMALL = 16, LARGE = 4096, IS_SMALL = 1, IS_DATAGRAM = 2 };

struct reading {
	struct wire wire;
	struct buf in, out;
	bool over;
};

static void
note(struct reading *r, enum decode got, const struct msg *m)
{
	int bad = 0;

	FUZZ_CHECK(m->n_id <= WIRE_ID_BYTES && r->wire.n_user <= WIRE_NAME_BYTES);
	FUZZ_CHECK(text_is_utf8(r->wire.user, r->wire.n_user));
	FUZZ_CHECK(text_is_utf8(m->text, m->n_text) && memchr(m->text, 0, m->n_text) == NULL);
	if (got == DECODE_BAD)
		FUZZ_CHECK(m->fail > FAIL_NONE && m->fail <= FAIL_BAD_INPUT);
	if (got == DECODE_GOT && m->kind == MSG_TEXT)
		FUZZ_CHECK(
		    m->n_text > 0 && m->n_text <= wire_text_limit(&r->wire) && r->wire.n_user);
	bad = buf_addf(&r->out, "%d %d %d %d %d <%.*s> <%.*s> <", (int)got, (int)m->kind,
	    (int)m->fail, m->fatal, m->stream, (int)r->wire.n_user, r->wire.user, (int)m->n_id,
	    m->id);
	bad = bad || buf_add(&r->out, m->text, m->n_text) || buf_adds(&r->out, ">\n");
	FUZZ_CHECK(!bad);
}

/* --- answers --------------------------------------------------------------------------------- */

static void
check_json_lines(const struct buf *out)
{
	const char *s = buf_head(out), *end;

	for (size_t n = out->len; n; n -= (size_t)(end - s) + 1, s = end + 1) {
		struct json_object *o;

		end = memchr(s, '\n', n);
		FUZZ_CHECK(end != NULL && fuzz_is_json(s, (size_t)(end - s)));
		o = json_read(s, (size_t)(end - s));
		FUZZ_CHECK(o != NULL && json_is_object(o));
		json_drop(o);
	}
}

/* The question comes back as the answer. */
static void
check_answer(struct reading *r, const struct msg *question)
{
	struct msg m = *question;
	struct wire *w = &r->wire;
	struct buf out;
	int bad;

	m.robot = "r\"";
	buf_init(&out, 32 * LARGE);
	bad = wire_encode(w, PART_PIECE, &m, m.text, m.n_text, &out) ||
	      wire_encode(w, PART_END, &m, m.text, m.n_text, &out);
	FUZZ_CHECK(!bad && !wire_is_mid_answer(w));
	FUZZ_CHECK(w->codec != &codec_raw || (out.len && out.len <= WIRE_DGRAM_BYTES));
	FUZZ_CHECK(w->codec != &codec_raw || w->datagram || out.len <= WIRE_RAW_BYTES);
	FUZZ_CHECK(text_is_utf8(buf_head(&out), out.len));
	bad = wire_encode(w, PART_FAIL, &m, "busy too much", 13, &out) ||
	      wire_encode(w, PART_NOTE, NULL, "note", 4, &out) ||
	      wire_encode(w, PART_WAIT, &m, "wait", 4, &out) ||
	      wire_encode(w, PART_BYE, NULL, "idle", 4, &out);
	FUZZ_CHECK(!bad);
	if (w->codec == &codec_json)
		check_json_lines(&out);
	buf_release(&out);
	/* No room: nothing is added, nothing is half said. */
	buf_init(&out, 3);
	if (wire_encode(w, PART_FAIL, &m, m.text, m.n_text, &out))
		FUZZ_CHECK(out.len == 0 && !wire_is_mid_answer(w));
	buf_release(&out);
}

/* --- reading --------------------------------------------------------------------------------- */

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		if (got == DECODE_GOT || got == DECODE_BAD)
			note(r, got, &m);
		if (got == DECODE_GOT && m.kind == MSG_TEXT)
			check_answer(r, &m);
		r->over = got == DECODE_BAD && m.fatal;
		wire_done(&r->wire, &r->in);
		if (got == DECODE_MORE || got == DECODE_PAUSE)
			return;
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

static void
on_datagram(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;

	(void)quiet;
	wire_init(&r->wire, r->wire.limit_bytes);
	if (n && n <= r->in.limit) {
		FUZZ_CHECK(buf_add(&r->in, s, n) == 0);
		decode_all(r, EDGE_DATAGRAM);
	}
	r->over = false;
	FUZZ_CHECK(r->in.len == 0);
}

static void
read_in(const char *s, size_t n, uint32_t limit, enum fuzz_way way, struct reading *r)
{
	memset(r, 0, sizeof *r);
	wire_init(&r->wire, limit);
	buf_init(&r->in, wire_in_limit(limit));
	buf_init(&r->out, 64 * FUZZ_BYTES);
	fuzz_feed(s, n, way, on_piece, r);
	decode_all(r, EDGE_END);
	FUZZ_CHECK(r->in.len == 0 || r->over);
	FUZZ_CHECK(r->wire.tree == NULL);
	buf_release(&r->in);
}

static void
read_datagrams(const char *s, size_t n, uint32_t limit)
{
	struct reading r = { .over = false };

	wire_init(&r.wire, limit);
	buf_init(&r.in, wire_in_limit(limit));
	buf_init(&r.out, 64 * FUZZ_BYTES);
	fuzz_feed(s, n, FUZZ_AS_CUT, on_datagram, &r);
	buf_release(&r.in);
	buf_release(&r.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data + 1;
	struct reading r[FUZZ_WAYS];
	uint32_t limit;

	if (n == 0 || n > FUZZ_BYTES)
		return 0;
	limit = (data[0] & IS_SMALL) ? SMALL : LARGE;
	n--;
	if (data[0] & IS_DATAGRAM) {
		read_datagrams(s, n, limit);
		return 0;
	}
	for (int way = 0; way < FUZZ_WAYS; way++) {
		read_in(s, n, limit, (enum fuzz_way)way, &r[way]);
		/* Where it pauses is part of what is said in `raw`. */
		if (way != FUZZ_AS_CUT || memchr(s, FUZZ_QUIET, n) == NULL)
			FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&r[way].out);
	return 0;
}
