/* test_frames.c - WebSocket frames whole, byte by byte and at every cut.
 * What must be refused is. */
#include "unit/wire/suites.h"

#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 64, TRANSCRIPT = 1 << 16, MANY = 100000, ROOM = 256 };
enum { FIN = 0x80, MASKED = 0x80 };

#define HI "{\"user\":\"ann\",\"text\":\"hi\",\"id\":7}"

/* What was decoded, as text: "text(ann,hi,7) ping(x) close(1000) fatal(1002) ". */
struct reading {
	struct wire wire;
	struct buf in, out;
	bool over;
};

static void
note(struct reading *r, enum decode got, const struct msg *m)
{
	int bad;

	ck_assert(got != DECODE_BAD || m->n_text == 0);
	if (got == DECODE_BAD && m->fatal)
		bad = buf_addf(&r->out, "fatal(%d) ", r->wire.frames.close);
	else if (got == DECODE_BAD)
		bad = buf_addf(&r->out, "bad(%d) ", m->fail);
	else if (m->kind == MSG_PING)
		bad = buf_addf(&r->out, "ping(%.*s) ", (int)m->n_text, m->text);
	else if (m->kind == MSG_CLOSE)
		bad = buf_addf(&r->out, "close(%d) ", r->wire.frames.close);
	else
		bad = buf_addf(&r->out, "text(%.*s,%.*s,%.*s) ", r->wire.n_user, r->wire.user,
		    (int)m->n_text, m->text, (int)m->n_id, m->id);
	ck_assert_int_eq(bad, 0);
}

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		ck_assert_int_ne(got, DECODE_PAUSE);
		if (got == DECODE_MORE)
			return;
		note(r, got, &m);
		r->over = (got == DECODE_BAD && m.fatal) || m.kind == MSG_CLOSE;
		wire_done(&r->wire, &r->in);
	}
}

static void
begin(struct reading *r)
{
	memset(r, 0, sizeof *r);
	wire_init(&r->wire, LIMIT);
	r->wire.codec = &codec_ws;
	buf_init(&r->in, wire_in_limit(LIMIT));
	buf_init(&r->out, TRANSCRIPT);
}

/* Never more at once than a connection would: what is read in between makes room. */
static void
feed(struct reading *r, const char *s, size_t n)
{
	while (n && !r->over) {
		size_t room = r->in.limit - r->in.len, k = n < room ? n : room;

		ck_assert_uint_gt(room, 0);
		ck_assert_int_eq(buf_add(&r->in, s, k), 0);
		decode_all(r, EDGE_MORE);
		s += k;
		n -= k;
	}
}

static void
end(struct reading *r, const char *expected, size_t cut)
{
	decode_all(r, EDGE_END);
	ck_assert_int_eq(buf_add(&r->out, "", 1), 0);
	ck_assert_msg(strcmp(buf_head(&r->out), expected) == 0, "cut %zu: \"%s\", not \"%s\"", cut,
	    buf_head(&r->out), expected);
	if (!r->over)
		ck_assert_uint_eq(r->in.len, 0);
	ck_assert_ptr_null(r->wire.tree);
	buf_release(&r->in);
	buf_release(&r->out);
}

static void
reads(const struct buf *b, const char *expected)
{
	struct reading r;

	for (size_t cut = 0; cut <= b->len; cut++) {
		begin(&r);
		feed(&r, buf_head(b), cut);
		feed(&r, buf_head(b) + cut, b->len - cut);
		end(&r, expected, cut);
	}
	begin(&r);
	for (size_t i = 0; i < b->len; i++)
		feed(&r, buf_head(b) + i, 1);
	end(&r, expected, b->len + 1);
}

/* --- frames ---------------------------------------------------------------------------------- */

static struct buf
frames(void)
{
	struct buf b;

	buf_init(&b, 1 << 22);
	return b;
}

static void
add_masked(struct buf *b, const char *s, size_t n)
{
	static const unsigned char mask[4] = { 0x5A, 0x00, 0xFF, 0x13 };

	ck_assert_int_eq(buf_add(b, mask, sizeof mask), 0);
	for (size_t i = 0; i < n; i++) {
		const unsigned char byte = (unsigned char)s[i] ^ mask[i % 4];

		ck_assert_int_eq(buf_add(b, &byte, 1), 0);
	}
}

/* First byte and length as they are told; the length in n_length bytes (0: in the second one). */
static void
add_head(struct buf *b, unsigned first, unsigned second, int n_length, uint64_t length)
{
	unsigned char head[10] = { (unsigned char)first, (unsigned char)second };

	for (int i = 0; i < n_length; i++)
		head[2 + i] = (unsigned char)(length >> 8 * (n_length - 1 - i));
	ck_assert_int_eq(buf_add(b, head, 2 + (size_t)n_length), 0);
}

static void
add_frame(struct buf *b, unsigned first, const char *s, size_t n)
{
	int n_length = n < 126 ? 0 : n < 65536 ? 2 : 8;

	add_head(b, first,
	    MASKED | (n_length == 0      ? (unsigned)n
			 : n_length == 2 ? 126
					 : 127),
	    n_length, n);
	add_masked(b, s, n);
}

static void
add(struct buf *b, unsigned first, const char *text)
{
	add_frame(b, first, text, strlen(text));
}

static void
reads_one(unsigned first, const char *s, size_t n, const char *expected)
{
	struct buf b = frames();

	add_frame(&b, first, s, n);
	add(&b, FIN | 1, HI);
	reads(&b, expected);
	buf_release(&b);
}

/* --- what is read ---------------------------------------------------------------------------- */

START_TEST(messages_are_objects)
{
	struct buf b = frames();

	add(&b, FIN | 1, HI);
	add(&b, FIN | 1, "{\"text\":\"more\"}");
	add(&b, FIN | 1, "no object");
	add(&b, FIN | 1, "");
	add(&b, FIN | 1, "{\"text\":\"after\"}");
	reads(&b, "text(ann,hi,7) text(ann,more,) bad(4) text(ann,after,) ");
	buf_release(&b);
}
END_TEST

START_TEST(fragments_are_put_together_around_control_frames)
{
	struct buf b = frames();

	add(&b, 1, "{\"user\":\"ann\",");
	add(&b, 0, "");
	add(&b, FIN | 9, "are you there");
	add(&b, 0, "\"text\":\"\xe5");
	add(&b, FIN | 10, "an answer nobody asked for");
	add(&b, FIN | 9, "");
	add(&b, 0, "\xb0\x8f\xe5\x9b");
	add(&b, FIN | 0, "\xbe\"}");
	add(&b, FIN | 1, HI);
	reads(&b, "ping(are you there) ping() text(ann,\xe5\xb0\x8f\xe5\x9b\xbe,) text(ann,hi,7) ");
	buf_release(&b);
}
END_TEST

START_TEST(what_fails_behind_a_pong_holds_nothing_of_it)
{
	struct buf b = frames();

	add(&b, 1, "no ");
	add(&b, FIN | 10, "pong");
	add(&b, FIN | 0, "object");
	add(&b, FIN | 1, HI);
	reads(&b, "bad(4) text(ann,hi,7) ");
	buf_release(&b);
}
END_TEST

START_TEST(message_of_a_64_bit_length)
{
	enum { BYTES = 70000 };
	char *text = malloc(BYTES);
	struct buf b = frames();
	struct reading r;

	memset(text, ' ', BYTES);
	memcpy(text, HI, strlen(HI));
	add_frame(&b, FIN | 1, text, BYTES);
	begin(&r);
	r.wire.limit_bytes = BYTES / 6;
	r.in.limit = wire_in_limit(BYTES / 6);
	for (size_t at = 0; at < b.len; at += 1000)
		feed(&r, buf_head(&b) + at, b.len - at < 1000 ? b.len - at : 1000);
	end(&r, "text(ann,hi,7) ", 0);
	buf_release(&b);
	free(text);
}
END_TEST

START_TEST(message_as_long_as_the_limit_is_taken_and_one_longer_is_told)
{
	char text[512];
	struct buf b = frames();

	snprintf(text, sizeof text, "{\"user\":\"a\",\"text\":\"%0*d\"}", LIMIT, 0);
	add(&b, FIN | 1, text);
	snprintf(text, sizeof text, "{\"user\":\"a\",\"text\":\"%0*d\"}", LIMIT + 1, 0);
	add(&b, FIN | 1, text);
	snprintf(text, sizeof text, "text(a,%0*d,) bad(2) ", LIMIT, 0);
	reads(&b, text);
	buf_release(&b);
}
END_TEST

START_TEST(close_is_answered_in_kind)
{
	reads_one(FIN | 8, "", 0, "close(1005) ");
	reads_one(FIN | 8, "\x03\xe8", 2, "close(1000) ");
	reads_one(FIN | 8, "\x03\xe9\xe5\xb0\x8f", 5, "close(1001) ");
	reads_one(FIN | 8, "\x0f\xa0 own", 6, "close(4000) ");
	reads_one(FIN | 8, "\x03", 1, "fatal(1002) ");
	reads_one(FIN | 8, "\x03\xe7", 2, "fatal(1002) ");
	reads_one(FIN | 8, "\x03\xed", 2, "fatal(1002) "); /* 1005 */
	reads_one(FIN | 8, "\x03\xee", 2, "fatal(1002) "); /* 1006 */
	reads_one(FIN | 8, "\x03\xf7", 2, "fatal(1002) "); /* 1015 */
	reads_one(FIN | 8, "\x13\x88", 2, "fatal(1002) "); /* 5000 */
	reads_one(FIN | 8, "\x03\xe8\xff", 3, "fatal(1007) ");
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

START_TEST(a8_bits_and_opcodes_that_nobody_agreed_on)
{
	for (unsigned rsv = 0x10; rsv <= 0x40; rsv <<= 1)
		reads_one(FIN | rsv | 1, HI, strlen(HI), "fatal(1002) ");
	for (unsigned opcode = 3; opcode <= 15; opcode++)
		if (opcode < 8 || opcode > 10)
			reads_one(FIN | opcode, "", 0, "fatal(1002) ");
	reads_one(FIN | 2, "binary", 6, "fatal(1003) ");
	reads_one(FIN | 0, "of nothing", 10, "fatal(1002) ");
	reads_one(9, "half a ping", 11, "fatal(1002) ");
	reads_one(8, "", 0, "fatal(1002) ");
}
END_TEST

START_TEST(a8_frame_without_mask)
{
	struct buf b = frames();

	add_head(&b, FIN | 1, (unsigned)strlen(HI), 0, 0);
	ck_assert_int_eq(buf_adds(&b, HI), 0);
	reads(&b, "fatal(1002) ");
	buf_release(&b);
}
END_TEST

START_TEST(a8_message_begun_in_a_message)
{
	struct buf b = frames();

	add(&b, 1, "{");
	add(&b, FIN | 1, HI);
	reads(&b, "fatal(1002) ");
	buf_release(&b);
}
END_TEST

static void
refuses_length(unsigned second, int n_length, uint64_t length, const char *expected)
{
	struct buf b = frames();
	struct reading r;

	add_head(&b, FIN | 1, MASKED | second, n_length, length);
	add_masked(&b, "", 0);
	reads(&b, expected);
	/* Before anything is made room for. */
	begin(&r);
	feed(&r, buf_head(&b), b.len);
	ck_assert_uint_eq(r.in.size, 0);
	end(&r, expected, 0);
	buf_release(&b);
}

START_TEST(a8_lengths_that_are_none)
{
	refuses_length(127, 8, UINT64_MAX, "fatal(1002) ");
	refuses_length(127, 8, (uint64_t)1 << 63, "fatal(1002) ");
	refuses_length(127, 8, ((uint64_t)1 << 63) - 1, "fatal(1009) ");
	refuses_length(127, 8, (uint64_t)1 << 32, "fatal(1009) ");
	refuses_length(127, 8, 65535, "fatal(1002) ");
	refuses_length(127, 8, 5, "fatal(1002) ");
	refuses_length(126, 2, 125, "fatal(1002) ");
	refuses_length(126, 2, 0, "fatal(1002) ");
	refuses_length(126, 2, wire_in_limit(LIMIT) - ROOM + 1, "fatal(1009) ");
}
END_TEST

START_TEST(a9_many_fragments_of_a_byte_stop_at_the_cap)
{
	struct buf b = frames();
	struct reading r;

	add(&b, 1, "{");
	for (int i = 0; i < MANY; i++)
		add(&b, 0, " ");
	begin(&r);
	for (size_t at = 0; at < b.len && !r.over; at += 1000) {
		feed(&r, buf_head(&b) + at, b.len - at < 1000 ? b.len - at : 1000);
		ck_assert_uint_le(r.in.size, 2 * wire_in_limit(LIMIT));
	}
	ck_assert(r.over);
	ck_assert_uint_eq(r.in.size, 0);
	end(&r, "fatal(1009) ", 0);
	buf_release(&b);
}
END_TEST

START_TEST(a10_text_that_is_not_utf8)
{
	struct buf b = frames();

	reads_one(FIN | 1, "{\"text\":\"\xff\"}", 12, "fatal(1007) ");
	reads_one(FIN | 1, "\xed\xa0\x80", 3, "fatal(1007) ");
	add(&b, 1, "{\"text\":\"\xe5");
	add(&b, FIN | 0, "\"}");
	reads(&b, "fatal(1007) ");
	buf_release(&b);
}
END_TEST

START_TEST(a10_ping_of_126_bytes)
{
	char text[126];

	memset(text, 'p', sizeof text);
	reads_one(FIN | 9, text, sizeof text, "fatal(1002) ");
}
END_TEST

START_TEST(limit_that_was_lowered_counts_for_what_is_in)
{
	struct buf b = frames();
	struct reading r;
	char text[9001];

	memset(text, ' ', sizeof text);
	add_frame(&b, 1, text, sizeof text);
	begin(&r);
	r.wire.limit_bytes = 4096;
	r.in.limit = wire_in_limit(4096);
	feed(&r, buf_head(&b), b.len);
	ck_assert_uint_eq(r.in.len, sizeof text);
	r.wire.limit_bytes = LIMIT;
	feed(&r, " ", 1);
	end(&r, "fatal(1009) ", 0);
	buf_release(&b);
}
END_TEST

Suite *
frames_suite(void)
{
	Suite *suite = suite_create("frames");
	TCase *tc = tcase_create("frames");

	tcase_add_test(tc, messages_are_objects);
	tcase_add_test(tc, fragments_are_put_together_around_control_frames);
	tcase_add_test(tc, what_fails_behind_a_pong_holds_nothing_of_it);
	tcase_add_test(tc, message_of_a_64_bit_length);
	tcase_add_test(tc, message_as_long_as_the_limit_is_taken_and_one_longer_is_told);
	tcase_add_test(tc, close_is_answered_in_kind);
	tcase_add_test(tc, a8_bits_and_opcodes_that_nobody_agreed_on);
	tcase_add_test(tc, a8_frame_without_mask);
	tcase_add_test(tc, a8_message_begun_in_a_message);
	tcase_add_test(tc, a8_lengths_that_are_none);
	tcase_add_test(tc, a9_many_fragments_of_a_byte_stop_at_the_cap);
	tcase_add_test(tc, a10_text_that_is_not_utf8);
	tcase_add_test(tc, a10_ping_of_126_bytes);
	tcase_add_test(tc, limit_that_was_lowered_counts_for_what_is_in);
	suite_add_tcase(suite, tc);
	return suite;
}
