/* test_pattern.c - what a pattern matches, and what its stars stand for. */
#include "unit/robot/suites.h"

#include "robot/pattern.h"

#include <string.h>

/* The captures joined with "|", or NULL for no match. Valid until the next call. */
static const char *
match(const char *pattern, const char *text)
{
	static char out[512];
	struct pattern_span spans[PATTERN_CAPTURES];
	struct arena arena = { NULL };
	struct pattern_text t;
	struct pattern p;
	size_t n = 0;
	bool found;

	pattern_make(&arena, pattern, &p);
	pattern_text_init(&t, text, strlen(text));
	found = pattern_match(&p, &t, spans);
	for (int i = 0; found && i < p.n_parts - 1; i++) {
		size_t size = spans[i].to - spans[i].from;

		if (i)
			out[n++] = '|';
		memcpy(out + n, t.s + spans[i].from, size);
		n += size;
	}
	out[n] = '\0';
	pattern_text_release(&t);
	arena_release(&arena);
	return found ? out : NULL;
}

START_TEST(without_a_star_it_is_the_whole)
{
	ck_assert_ptr_nonnull(match("hello", "hello"));
	ck_assert_ptr_nonnull(match("hello", "  HeLLo!  "));
	ck_assert_ptr_nonnull(match("hello", "ｈｅｌｌｏ"));
	ck_assert_ptr_nonnull(match("你好", "你好！"));
	ck_assert_ptr_null(match("hello", "hello you"));
	ck_assert_ptr_null(match("hello", ""));
}
END_TEST

START_TEST(stars_stand_for_any_text)
{
	ck_assert_str_eq(match("*joke*", "tell me a joke please"), "tell me a|please");
	ck_assert_str_eq(match("我喜欢*", "我喜欢苹果。"), "苹果");
	ck_assert_str_eq(match("*", "anything"), "anything");
	ck_assert_ptr_null(match("i like *", "we like it"));
}
END_TEST

START_TEST(words_are_whole_words)
{
	ck_assert_ptr_null(match("*eat*", "the weather"));
	ck_assert_ptr_nonnull(match("*eat*", "I eat fish"));
}
END_TEST

START_TEST(a_clause_is_enough)
{
	ck_assert_ptr_nonnull(match("你好", "你好，我叫小红"));
	ck_assert_ptr_nonnull(match("你好", "你好 我叫小红"));
	ck_assert_ptr_null(match("你好", "你好笨"));
	ck_assert_str_eq(match("我叫*", "你好！我叫小红。今年八岁"), "小红");
	ck_assert_str_eq(match("i'm *", "I'm fine, thanks"), "fine");
	ck_assert_str_eq(
	    match("* because *", "I like you, because you listen"), "i like you|you listen");
	ck_assert_str_eq(match("i want *", "I want 3.5 or 1,000 of them"), "3.5 or 1,000 of them");
	ck_assert_str_eq(match("我爱吃*", "我爱吃苹果、梨"), "苹果、梨");
	ck_assert_str_eq(match("*j,f", "a,b,c,d,e,f,g,h,i,j,f"), "h,i");
}
END_TEST

START_TEST(emoji_at_the_end_may_be_meant_or_not)
{
	ck_assert_ptr_nonnull(match("好的", "好的😊👍🏽！"));
	ck_assert_ptr_nonnull(match("thanks", "Thanks :)"));
	ck_assert_str_eq(match("我喜欢*", "😋我喜欢苹果❤️"), "苹果");
	ck_assert_str_eq(match("*👍", "好的👍"), "好的");
	ck_assert_ptr_nonnull(match("😂*", "😂😂"));
	ck_assert_ptr_nonnull(match("?*", "？？？"));
}
END_TEST

START_TEST(a_question_mark_after_a_star_asks_for_one)
{
	ck_assert_str_eq(match("*?", "你去过？！"), "你去过");
	ck_assert_str_eq(match("*?", "走吧😂？"), "走吧");
	ck_assert_str_eq(match("*?", "好。走吧？"), "走吧");
	ck_assert_ptr_null(match("*?", "走吗"));
	ck_assert_ptr_nonnull(match("are you there?", "are you there"));
}
END_TEST

START_TEST(choices_are_all_their_texts)
{
	static const char *const texts[] = { "a(b|)(c|d)", ":(", "(x)" };
	static const char *const all[] = { "abc", "abd", "ac", "ad", ":(", "(x)" };
	struct arena arena = { NULL };
	int n;
	const char **got = pattern_choices(&arena, texts, 3, &n);

	ck_assert_int_eq(n, 6);
	for (int i = 0; i < n; i++)
		ck_assert_str_eq(got[i], all[i]);
	arena_release(&arena);
}
END_TEST

START_TEST(many_stars_take_no_time)
{
	char text[65536];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_ptr_null(match("*a b*a b*a b*a b*a b*a b*a b*a b*", text));
}
END_TEST

Suite *
pattern_suite(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, without_a_star_it_is_the_whole);
	tcase_add_test(tc, stars_stand_for_any_text);
	tcase_add_test(tc, words_are_whole_words);
	tcase_add_test(tc, a_clause_is_enough);
	tcase_add_test(tc, emoji_at_the_end_may_be_meant_or_not);
	tcase_add_test(tc, a_question_mark_after_a_star_asks_for_one);
	tcase_add_test(tc, choices_are_all_their_texts);
	tcase_add_test(tc, many_stars_take_no_time);
	suite_add_tcase(suite, tc);
	return suite;
}
