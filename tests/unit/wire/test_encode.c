/* test_encode.c - what each dialect says, and that a full buffer gets all of it or nothing. */
#include "unit/wire/suites.h"

#include "base/text.h"
#include "wire/codec.h"
#include "wire/sentence.h"

#include <string.h>

static void
says(const struct codec *codec, enum part part, const struct msg *m, const char *text,
    const char *expected)
{
	struct wire w;
	struct buf out;

	wire_init(&w, 64);
	w.codec = codec;
	buf_init(&out, 4096);
	ck_assert_int_eq(wire_encode(&w, part, m, text, strlen(text), &out), 0);
	ck_assert_uint_eq(out.len, strlen(expected));
	ck_assert_int_eq(memcmp(out.len ? buf_head(&out) : "", expected, out.len), 0);
	buf_release(&out);
	/* One byte less than it takes: nothing. */
	buf_init(&out, (uint32_t)strlen(expected) - (*expected != '\0'));
	ck_assert_int_eq(wire_encode(&w, part, m, text, strlen(text), &out), *expected ? -1 : 0);
	ck_assert_uint_eq(out.len, 0);
	buf_release(&out);
}

static const struct msg question = { .id = "7", .n_id = 1, .robot = "xiaotu" };
static const struct msg streamed = { .id = "7", .n_id = 1, .robot = "xiaotu", .stream = true };

START_TEST(line_says)
{
	says(&codec_line, PART_PIECE, &question, "hel", "hel");
	says(&codec_line, PART_END, &question, "hello", "\n");
	says(&codec_line, PART_FAIL, NULL, "busy wait", "ERR busy wait\n");
	says(&codec_line, PART_BYE, NULL, "idle bye", "BYE idle bye\n");
	says(&codec_line, PART_NOTE, NULL, "a", "a\n");
	says(NULL, PART_FAIL, NULL, "busy wait", "ERR busy wait\n");
}
END_TEST

START_TEST(line_ends_a_half_answer_before_anything_else)
{
	struct wire w;
	struct buf out;

	wire_init(&w, 64);
	w.codec = &codec_line;
	buf_init(&out, 100);
	ck_assert_int_eq(wire_encode(&w, PART_PIECE, NULL, "hel", 3, &out), 0);
	ck_assert(wire_is_mid_answer(&w));
	ck_assert_int_eq(wire_encode(&w, PART_BYE, NULL, "idle x", 6, &out), 0);
	ck_assert(!wire_is_mid_answer(&w));
	ck_assert_uint_eq(out.len, 15);
	ck_assert_int_eq(memcmp(buf_head(&out), "hel\nBYE idle x\n", 15), 0);
	buf_release(&out);
}
END_TEST

START_TEST(json_says)
{
	says(&codec_json, PART_PIECE, &question, "hel", "");
	says(&codec_json, PART_PIECE, &streamed, "h\"", "{\"id\":7,\"piece\":\"h\\\"\"}\n");
	says(&codec_json, PART_END, &question, "hello",
	    "{\"id\":7,\"robot\":\"xiaotu\",\"text\":\"hello\"}\n");
	says(&codec_json, PART_FAIL, &question, "busy wait a bit",
	    "{\"id\":7,\"error\":{\"code\":\"busy\",\"message\":\"wait a bit\"}}\n");
	says(&codec_json, PART_FAIL, NULL, "busy wait",
	    "{\"error\":{\"code\":\"busy\",\"message\":\"wait\"}}\n");
	says(&codec_json, PART_BYE, NULL, "idle bye",
	    "{\"bye\":{\"reason\":\"idle\",\"message\":\"bye\"}}\n");
}
END_TEST

START_TEST(raw_says)
{
	says(&codec_raw, PART_PIECE, NULL, "hel", "");
	says(&codec_raw, PART_END, NULL, "hello", "hello");
	says(&codec_raw, PART_FAIL, NULL, "busy wait", "ERR busy wait");
}
END_TEST

/* At every length around the limit: whole characters, the mark, at most 1,024 bytes. */
START_TEST(raw_is_cut_between_characters)
{
	for (size_t n = WIRE_RAW_BYTES - 8; n < WIRE_RAW_BYTES + 8; n++) {
		char text[WIRE_RAW_BYTES + 16];
		struct wire w;
		struct buf out;
		size_t i = n % 3;

		memset(text, 'a', sizeof text);
		for (; i + 3 <= n; i += 3)
			memcpy(text + i, "你", 3);
		wire_init(&w, 64);
		w.codec = &codec_raw;
		buf_init(&out, 4096);
		ck_assert_int_eq(wire_encode(&w, PART_END, NULL, text, n, &out), 0);
		ck_assert_uint_le(out.len, WIRE_RAW_BYTES);
		ck_assert(text_is_utf8(buf_head(&out), out.len));
		if (n <= WIRE_RAW_BYTES)
			ck_assert_uint_eq(out.len, n);
		else
			ck_assert_int_eq(memcmp(buf_head(&out) + out.len - 3, "…", 3), 0);
		buf_release(&out);
	}
}
END_TEST

START_TEST(datagram_is_cut_without_a_mark)
{
	char text[3 * 500];
	struct wire w;
	struct buf out;

	for (size_t i = 0; i < sizeof text; i += 3)
		memcpy(text + i, "你", 3);
	wire_init(&w, 64);
	w.codec = &codec_raw;
	w.datagram = true;
	buf_init(&out, 4096);
	ck_assert_int_eq(wire_encode(&w, PART_END, NULL, text, sizeof text, &out), 0);
	ck_assert_uint_eq(out.len, WIRE_DGRAM_BYTES);
	ck_assert_int_eq(memcmp(buf_head(&out), text, out.len), 0);
	buf_release(&out);
}
END_TEST

static void
is_sentence(const char *s, const char *word)
{
	size_t n = strlen(word);

	ck_assert(text_is_utf8(s, strlen(s)));
	ck_assert_int_eq(strncmp(s, word, n), 0);
	ck_assert_int_eq(s[n], ' ');
	ck_assert_ptr_null(strpbrk(s, "\r\n\t"));
}

START_TEST(there_is_a_sentence_for_everything)
{
	for (int i = FAIL_NONE + 1; i < FAIL_COUNT; i++) {
		is_sentence(sentence_fail((enum fail)i, CONF_ZH), sentence_fail_word((enum fail)i));
		is_sentence(sentence_fail((enum fail)i, CONF_EN), sentence_fail_word((enum fail)i));
	}
	for (int i = 0; i < BYE_COUNT; i++) {
		is_sentence(sentence_bye((enum bye)i, CONF_ZH), sentence_bye_word((enum bye)i));
		is_sentence(sentence_bye((enum bye)i, CONF_EN), sentence_bye_word((enum bye)i));
	}
	ck_assert_str_eq(sentence_fail_word(FAIL_ROBOT_BAD_REPLY), "robot-bad-reply");
	ck_assert_str_eq(sentence_bye_word(BYE_SLOW_READER), "slow-reader");
}
END_TEST

Suite *
encode_suite(void)
{
	Suite *suite = suite_create("encode");
	TCase *tc = tcase_create("dialects");

	tcase_add_test(tc, line_says);
	tcase_add_test(tc, line_ends_a_half_answer_before_anything_else);
	tcase_add_test(tc, json_says);
	tcase_add_test(tc, raw_says);
	tcase_add_test(tc, raw_is_cut_between_characters);
	tcase_add_test(tc, datagram_is_cut_without_a_mark);
	tcase_add_test(tc, there_is_a_sentence_for_everything);
	suite_add_tcase(suite, tc);
	return suite;
}
