/* test_keys.c - what a terminal sends. */
#include "unit/client/suites.h"

#include "base/text.h"
#include "client/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All keys of the bytes, fed in parts of `step` bytes, as text: "4(abc) 7 ". */
static void
decode(const char *bytes, size_t n, size_t step, char *out, size_t size)
{
	struct buf text;
	struct keys k;
	enum key key, last = KEY_NONE;

	keys_init(&k);
	buf_init(&text, KEYS_BYTES);
	*out = '\0';
	for (size_t i = 0; i <= n; i += step) {
		size_t now = i + step < n ? step : n - i;
		bool quiet = i + step > n;

		ck_assert_int_eq(keys_feed(&k, bytes + i, now), 0);
		while ((key = keys_next(&k, quiet, &text)) != KEY_NONE) {
			size_t used = strlen(out);

			if (key == KEY_TEXT && last == KEY_TEXT)
				used--; /* texts in a row are one */
			else if (key == KEY_TEXT || key == KEY_PASTE)
				used += (size_t)snprintf(out + used, size - used, "%s(",
				    key == KEY_TEXT ? "text" : "paste");
			if (key == KEY_TEXT || key == KEY_PASTE)
				snprintf(out + used, size - used, "%.*s)", (int)text.len,
				    text.len ? buf_head(&text) : "");
			else
				snprintf(out + used, size - used, "<%d>", (int)key);
			last = key;
		}
	}
	ck_assert(!keys_is_waiting(&k));
	keys_release(&k);
	buf_release(&text);
}

/* The same however it is cut. */
static void
expect(const char *bytes, const char *wanted)
{
	char got[4096];

	for (size_t step = 1; step <= strlen(bytes) + 1; step++) {
		decode(bytes, strlen(bytes), step, got, sizeof got);
		if (strcmp(got, wanted) != 0)
			ck_abort_msg("in steps of %zu: \"%s\", not \"%s\"", step, got, wanted);
	}
}

static const char *
key_text(enum key key)
{
	static char text[16];

	snprintf(text, sizeof text, "<%d>", (int)key);
	return text;
}

START_TEST(text_is_whole_characters)
{
	expect("abc", "text(abc)");
	expect("你好，世界", "text(你好，世界)");
	expect("👨‍👩‍👧é", "text(👨‍👩‍👧é)");
	expect("a\tb", "text(a\tb)");
}
END_TEST

START_TEST(keys_are_known)
{
	static const struct {
		const char *bytes;
		enum key key;
	} rows[] = { { "\r", KEY_ENTER }, { "\n", KEY_ENTER }, { "\x1b\r", KEY_NEWLINE },
		{ "\x7f", KEY_BACKSPACE }, { "\b", KEY_BACKSPACE }, { "\x1b[3~", KEY_DELETE },
		{ "\x1b[D", KEY_LEFT }, { "\x1bOD", KEY_LEFT }, { "\x02", KEY_LEFT },
		{ "\x1b[C", KEY_RIGHT }, { "\x1b[1;5C", KEY_WORD_RIGHT },
		{ "\x1b"
		  "b",
		    KEY_WORD_LEFT },
		{ "\x1b[H", KEY_HOME }, { "\x1b[1~", KEY_HOME }, { "\x01", KEY_HOME },
		{ "\x1b[F", KEY_END }, { "\x05", KEY_END }, { "\x1b[A", KEY_UP },
		{ "\x1b[B", KEY_DOWN }, { "\x03", KEY_CANCEL }, { "\x04", KEY_DELETE_OR_LEAVE },
		{ "\x17", KEY_CUT_WORD }, { "\x15", KEY_CUT_START }, { "\x0b", KEY_CUT_END },
		{ "\x19", KEY_YANK }, { "\x14", KEY_SWAP }, { "\x0c", KEY_REDRAW },
		{ "\x1a", KEY_SUSPEND } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect(rows[i].bytes, key_text(rows[i].key));
}
END_TEST

START_TEST(unknown_sequences_leave_no_trace_in_the_text)
{
	char wanted[64];

	snprintf(wanted, sizeof wanted, "text(a)<%d>text(b)", KEY_UNKNOWN);
	expect("a\x1b[1;2;3;4zb", wanted);
	expect("a\x1b[?12$yb", wanted);
	expect("a\x1bOzb", wanted);
	expect("a\x1b[200", "text(a)<1>text([200)"); /* cut off for good: ESC was the key */
}
END_TEST

START_TEST(paste_is_one_text)
{
	expect("\x1b[200~一\n二\x1b[201~", "paste(一\n二)");
	expect("\x1b[200~a\r\nb\rc\x1b[201~d", "paste(a\nb\nc)text(d)");
	expect("\x1b[200~\x1b[31mred\x07\x03\x1b[201~", "paste([31mred)");
	expect("x\x1b[200~\x1b[201~y", "text(x)paste()text(y)");
}
END_TEST

START_TEST(bad_utf8_becomes_a_replacement)
{
	char got[256];

	decode("a\xff\xe4\xbd", 4, 4, got, sizeof got);
	ck_assert_str_eq(got, "text(a\xEF\xBF\xBD\xEF\xBF\xBD)");
}
END_TEST

START_TEST(cancel_drops_what_was_typed_before)
{
	struct buf text;
	struct keys k;

	keys_init(&k);
	buf_init(&text, 100);
	ck_assert(!keys_take_cancel(&k));
	ck_assert_int_eq(keys_feed(&k, "abc\x03xy", 6), 0);
	ck_assert(keys_take_cancel(&k));
	ck_assert_int_eq(keys_next(&k, true, &text), KEY_TEXT);
	ck_assert(text.len == 2 && memcmp(buf_head(&text), "xy", 2) == 0);
	keys_release(&k);
	buf_release(&text);
}
END_TEST

/* More than may wait comes as more than one paste, cut between characters. */
START_TEST(huge_paste_is_bounded)
{
	struct buf text;
	struct keys k;
	char part[3000];
	size_t sum = 0, fed = 0;
	enum key key;

	for (size_t i = 0; i < sizeof part; i += 3)
		memcpy(part + i, "好", 3);
	keys_init(&k);
	buf_init(&text, KEYS_BYTES);
	ck_assert_int_eq(keys_feed(&k, "\x1b[200~", 6), 0);
	for (; fed < 3 << 20; fed += sizeof part) {
		ck_assert_int_eq(keys_feed(&k, part, sizeof part), 0);
		while ((key = keys_next(&k, false, &text)) != KEY_NONE) {
			ck_assert_int_eq(key, KEY_PASTE);
			sum += text.len;
		}
	}
	ck_assert_int_eq(keys_feed(&k, "\x1b[201~", 6), 0);
	ck_assert_int_eq(keys_next(&k, false, &text), KEY_PASTE);
	sum += text.len;
	ck_assert_uint_eq(sum, fed);
	ck_assert_int_eq(keys_next(&k, false, &text), KEY_NONE);
	keys_release(&k);
	buf_release(&text);
}
END_TEST

/* Whatever comes, however it is cut, texts are clean and all of it is used up. */
START_TEST(any_bytes_make_clean_texts)
{
	static const char *const parts[] = { "\x1b", "[", "2", "00~", "201~", "\x1b[200~",
		"\x1b[201~", "O", "\r", "\n", "\xe4", "\xbd", "\xa0", "\xf0\x9f", "a", "\x9b",
		"\x7f", ";5C" };
	struct buf text;
	struct keys k;

	srandom(3);
	keys_init(&k);
	buf_init(&text, KEYS_BYTES);
	for (int i = 0; i < 30000; i++) {
		const char *s = parts[(size_t)random() % (sizeof parts / sizeof *parts)];
		enum key key;

		ck_assert_int_eq(keys_feed(&k, s, strlen(s)), 0);
		while ((key = keys_next(&k, random() % 8 == 0, &text)) != KEY_NONE) {
			ck_assert(text.len == 0 || text_is_utf8(buf_head(&text), text.len));
			ck_assert(text.len == 0 || !memchr(buf_head(&text), 0x1B, text.len));
		}
		ck_assert_uint_lt(k.in.len, 10000);
		if (k.pasting && random() % 50 == 0)
			ck_assert_int_eq(keys_feed(&k, "\x1b[201~", 6), 0);
	}
	keys_release(&k);
	buf_release(&text);
}
END_TEST

Suite *
keys_suite(void)
{
	Suite *suite = suite_create("keys");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, text_is_whole_characters);
	tcase_add_test(tc, keys_are_known);
	tcase_add_test(tc, unknown_sequences_leave_no_trace_in_the_text);
	tcase_add_test(tc, paste_is_one_text);
	tcase_add_test(tc, bad_utf8_becomes_a_replacement);
	tcase_add_test(tc, cancel_drops_what_was_typed_before);
	tcase_add_test(tc, any_bytes_make_clean_texts);
	tcase_add_test(tc, huge_paste_is_bounded);
	suite_add_tcase(suite, tc);
	return suite;
}
