/* test_frames_said.c - what a WebSocket is told, framed as it should be; and that a full buffer
 * gets all of it or nothing. */
#include "unit/wire/suites.h"

#include "wire/codec.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 64 };

static void
says(struct wire *w, enum part part, const struct msg *m, const char *text, const void *expected,
    size_t n)
{
	struct wire before = *w;
	struct buf out;

	/* One byte less than it takes: nothing. */
	buf_init(&out, (uint32_t)n - (n > 0));
	ck_assert_int_eq(wire_encode(w, part, m, text, strlen(text), &out), n ? -1 : 0);
	ck_assert_uint_eq(out.len, 0);
	*w = before;
	buf_init(&out, (uint32_t)n + 10);
	ck_assert_int_eq(wire_encode(w, part, m, text, strlen(text), &out), 0);
	ck_assert_uint_eq(out.len, n);
	ck_assert_int_eq(memcmp(n ? buf_head(&out) : "", expected, n), 0);
	buf_release(&out);
}

static const struct msg question = { .id = "7", .n_id = 1, .robot = "xiaotu" };
static const struct msg streamed = { .id = "7", .n_id = 1, .robot = "xiaotu", .stream = true };

START_TEST(objects_are_framed)
{
	struct wire w;

	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	says(&w, PART_PIECE, &question, "hel", "", 0);
	says(&w, PART_PIECE, &streamed, "hel", "\x81\x16{\"id\":7,\"piece\":\"hel\"}", 24);
	says(&w, PART_END, &streamed, "hello",
	    "\x81\x28{\"id\":7,\"robot\":\"xiaotu\",\"text\":\"hello\"}", 42);
	says(&w, PART_HELLO, NULL, "Hi\n", "\x81\x13{\"greeting\":\"Hi\\n\"}", 21);
	says(&w, PART_PONG, NULL, "x", "\x8a\x01x", 3);
	says(&w, PART_PONG, NULL, "", "\x8a\x00", 2);
}
END_TEST

START_TEST(goodbye_is_an_object_and_then_a_close_and_only_once)
{
	struct wire w;

	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	says(&w, PART_BYE, NULL, "shutdown so long",
	    "\x81\x31{\"bye\":{\"reason\":\"shutdown\",\"message\":\"so long\"}}\x88\x02\x03\xe9",
	    55);
	says(&w, PART_CLOSE, NULL, "", "", 0);
	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	says(&w, PART_CLOSE, NULL, "", "\x88\x02\x03\xe8", 4);
	says(&w, PART_CLOSE, NULL, "", "", 0);
	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	w.frames.close = 1005;
	says(&w, PART_END, &question, "nobody hears it", "", 0);
	says(&w, PART_CLOSE, NULL, "", "\x88\x00", 2);
	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	w.frames.close = 1009;
	says(&w, PART_FAIL, NULL, "too-long that", "", 0);
	says(&w, PART_CLOSE, NULL, "", "\x88\x02\x03\xf1", 4);
}
END_TEST

/* At every length of a head: the bytes it takes, and the text behind it. */
START_TEST(long_objects_have_longer_heads)
{
	static const size_t around[] = { 126, 65536 };
	char *text = malloc(70000);
	struct wire w;

	wire_init(&w, LIMIT);
	w.codec = &codec_ws;
	for (int k = 0; k < 2; k++)
		for (size_t n = around[k] - 2; n < around[k] + 2; n++) {
			size_t n_text = n - strlen("{\"text\":\"\"}");
			struct buf out;
			const unsigned char *s;
			size_t head = n < 126 ? 2 : n < 65536 ? 4 : 10;

			memset(text, 'a', n_text);
			buf_init(&out, 80000);
			ck_assert_int_eq(wire_encode(&w, PART_NOTE, NULL, text, n_text, &out), 0);
			s = (const unsigned char *)buf_head(&out);
			ck_assert_uint_eq(out.len, head + n);
			ck_assert_uint_eq(s[0], 0x81);
			ck_assert_uint_eq(s[1], head == 2 ? n : head == 4 ? 126 : 127);
			if (head > 2)
				ck_assert_uint_eq(
				    (size_t)s[head - 2] << 8 | s[head - 1], n & 0xFFFF);
			ck_assert_int_eq(s[head], '{');
			ck_assert_int_eq(s[out.len - 1], '}');
			buf_release(&out);
		}
	free(text);
}
END_TEST

Suite *
frames_said_suite(void)
{
	Suite *suite = suite_create("frames_said");
	TCase *tc = tcase_create("frames_said");

	tcase_add_test(tc, objects_are_framed);
	tcase_add_test(tc, goodbye_is_an_object_and_then_a_close_and_only_once);
	tcase_add_test(tc, long_objects_have_longer_heads);
	suite_add_tcase(suite, tc);
	return suite;
}
