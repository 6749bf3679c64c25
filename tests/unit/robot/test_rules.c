/* test_rules.c - the rule robot through the vtable, as a chain asks it. */
#include "unit/robot/suites.h"

#include "base/mem.h"
#include "conf/conf_load.h"
#include "robot/robot.h"

#include <stdlib.h>
#include <string.h>

struct stage {
	struct ev_loop *loop;
	struct later later;
	struct arena arena;
	struct conf_robot conf;
	struct robot *robot;
	struct said said[64];
	int n_said;
	char answer[4096];
	int n_done;
	enum why why;
};

static void
on_piece(void *arg, const char *text, size_t n)
{
	struct stage *s = arg;

	ck_assert_uint_lt(strlen(s->answer) + n, sizeof s->answer);
	strncat(s->answer, text, n);
}

static void
on_done(void *arg, enum why why)
{
	struct stage *s = arg;

	s->n_done++;
	s->why = why;
}

static void
begin(struct stage *s, const struct conf_rules *rules)
{
	struct robot_env env = { .later = &s->later, .language = CONF_ZH, .limit_bytes = 1 << 16 };
	struct err e = { "" };

	memset(s, 0, sizeof *s);
	s->loop = ev_loop_new(EVFLAG_AUTO);
	later_init(&s->later, s->loop);
	env.loop = s->loop;
	env.standings = standings_new();
	ck_assert_ptr_nonnull(env.standings);
	s->conf = (struct conf_robot){ .name = "r",
		.kind = CONF_RULES,
		.url = "",
		.model = "",
		.secret = "",
		.rules = *rules };
	s->robot = robot_open(&s->conf, &env, &e);
	ck_assert_msg(s->robot != NULL, "%s", e.text);
}

static void
end(struct stage *s)
{
	robot_close(s->robot);
	later_release(&s->later);
	ev_loop_destroy(s->loop);
	for (int i = 0; i < s->n_said; i++) {
		free((void *)(uintptr_t)s->said[i].question);
		free((void *)(uintptr_t)s->said[i].answer);
	}
}

/* Ask; both sides go into the history. */
static const char *
ask(struct stage *s, const char *text)
{
	static const struct sink sink = { on_piece, on_done };
	const struct talk talk = { .user = "ann",
		.n_user = 3,
		.text = text,
		.n_text = strlen(text),
		.history = s->said,
		.n_history = s->n_said };
	struct ask ask = { .own = NULL };

	s->answer[0] = '\0';
	s->n_done = 0;
	robot_ask(s->robot, &talk, &ask, &sink, s);
	ck_assert_int_eq(s->n_done, 0); /* never from inside */
	ev_run(s->loop, EVRUN_NOWAIT);
	ck_assert_int_eq(s->n_done, 1);
	s->said[s->n_said++] =
	    (struct said){ mem_dup(text), mem_dup(s->answer), strlen(text), strlen(s->answer) };
	return s->answer;
}

#define TEXTS(...)                                                                                 \
	{                                                                                          \
		(const char *[]){ __VA_ARGS__ },                                                   \
		    sizeof(const char *[]){ __VA_ARGS__ } / sizeof(char *)                         \
	}

START_TEST(answers_come_in_turn_and_captures_are_turned)
{
	struct conf_rule rules[] = { { .patterns = TEXTS("i like *"),
					 .answers = TEXTS("why {1}?") },
		{ .patterns = TEXTS("hi*"), .answers = TEXTS("one {user}", "two") },
		{ .patterns = TEXTS("*cat*"), .answers = TEXTS("a cat"), .priority = 9 },
		{ .patterns = TEXTS("我爱*"), .answers = TEXTS("为什么爱{1}？") } };
	struct conf_pair pairs[] = { { "my", "your" }, { "你", "我" }, { "我", "你" } };
	const struct conf_rules c = { rules, 4, pairs, 3, TEXTS("hm", "so") };
	struct stage s;

	begin(&s, &c);
	ck_assert_str_eq(ask(&s, "hi"), "one ann");
	ck_assert_str_eq(ask(&s, "Hi there"), "two");
	ck_assert_str_eq(ask(&s, "hi"), "one ann");
	ck_assert_str_eq(ask(&s, "I like my dog!"), "why your dog?");
	ck_assert_str_eq(ask(&s, "I like my cat"), "a cat");
	ck_assert_str_eq(ask(&s, "我爱你的猫"), "为什么爱我的猫？");
	ck_assert_str_eq(ask(&s, "zzz"), "hm");
	ck_assert_str_eq(ask(&s, "zzz"), "so");
	end(&s);
}
END_TEST

START_TEST(what_was_said_is_come_back_to_once)
{
	struct conf_rule rules[] = { { .patterns = TEXTS("my *"),
	    .answers = TEXTS("oh"),
	    .remember = TEXTS("tell me of your {1}") } };
	const struct conf_rules c = { rules, 1, NULL, 0, TEXTS("hm") };
	struct stage s;

	begin(&s, &c);
	ck_assert_str_eq(ask(&s, "my garden"), "oh");
	ck_assert_str_eq(ask(&s, "zzz"), "tell me of your garden");
	ck_assert_str_eq(ask(&s, "zzz"), "hm");
	end(&s);
}
END_TEST

START_TEST(without_an_answer_the_next_robot_is_meant)
{
	struct conf_rule rules[] = { { .patterns = TEXTS("a"), .answers = TEXTS("b") } };
	const struct conf_rules c = { .rules = rules, .n_rules = 1 };
	struct stage s;

	begin(&s, &c);
	ck_assert_str_eq(ask(&s, "zzz"), "");
	ck_assert_int_eq(s.why, WHY_REFUSED);
	end(&s);
}
END_TEST

/* clang-format off */
static const char *const zh[] = {
	"你好", "你是谁", "你会什么", "讲个笑话", "今天天气怎么样", "现在几点了", "今天星期几",
	"我喜欢音乐", "我觉得很累", "我想去北京", "为什么天是蓝的", "你喜欢什么", "我今天加班了",
	"谢谢你", "我是学生", "好的", "不是", "来个绕口令", "我很开心", "再见",
};
static const char *const en[] = {
	"hello", "who are you", "what can you do", "tell me a joke", "how is the weather",
	"what time is it", "what day is it", "I like music", "I feel tired", "I want a bicycle",
	"why is the sky blue", "how are you", "I work too much", "thank you", "I am a student",
	"ok", "no", "my cat is old", "you are funny", "bye",
};
/* clang-format on */

/* The sample file talks for twenty turns, in the language of the questions, and hardly falls back.
 * */
static void
twenty_turns(const char *const *questions, const struct conf_rules *rules)
{
	struct stage s;
	int n_fallback = 0;

	begin(&s, rules);
	for (int i = 0; i < 20; i++) {
		const char *answer = ask(&s, questions[i]);

		ck_assert_int_eq(s.why, WHY_OK);
		ck_assert_ptr_null(strchr(answer, '{'));
		ck_assert_msg((answer[0] & 0x80) == (questions[i][0] & 0x80), "\"%s\": \"%s\"",
		    questions[i], answer);
		for (int k = 0; k < rules->fallback.n; k++)
			n_fallback += strcmp(answer, rules->fallback.at[k]) == 0;
	}
	ck_assert_int_le(n_fallback, 2);
	end(&s);
}

START_TEST(sample_file_is_pleasant_in_both_languages)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(NULL, true, &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	twenty_turns(zh, &c->robots[0].rules);
	twenty_turns(en, &c->robots[0].rules);
	conf_free(c);
}
END_TEST

Suite *
rules_suite(void)
{
	Suite *suite = suite_create("rules");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, answers_come_in_turn_and_captures_are_turned);
	tcase_add_test(tc, what_was_said_is_come_back_to_once);
	tcase_add_test(tc, without_an_answer_the_next_robot_is_meant);
	tcase_add_test(tc, sample_file_is_pleasant_in_both_languages);
	suite_add_tcase(suite, tc);
	return suite;
}
