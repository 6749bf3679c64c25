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
	env.standings = standings_new(NULL);
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

START_TEST(you_is_i_before_a_verb)
{
	struct conf_rule rules[] = { { .patterns = TEXTS("say *"), .answers = TEXTS("{1}") } };
	struct conf_pair pairs[] = { { "you", "me" }, { "you *", "I *" },
		{ "(to|love) you", "(to|love) me" }, { "you (and|to)", "me (and|to)" },
		{ "you are", "I am" }, { "(i|me)", "you" } };
	const struct conf_rules c = { rules, 1, pairs, 6, TEXTS("hm") };
	static const char *const rows[][2] = { { "say you sing", "I sing" },
		{ "say I hate you", "you hate me" }, { "say I hate you.", "you hate me" },
		{ "say I love you madly", "you love me madly" },
		{ "say give it to you now", "give it to me now" },
		{ "say I want you to go", "you want me to go" },
		{ "say that YOU are it", "that I am it" } };
	struct stage s;

	begin(&s, &c);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_str_eq(ask(&s, rows[i][0]), rows[i][1]);
	end(&s);
}
END_TEST

START_TEST(what_this_chat_heard_is_passed_over)
{
	struct conf_rule rules[] = { { .patterns = TEXTS("hi"), .answers = TEXTS("a", "b", "c") } };
	const struct conf_rules c = { .rules = rules, .n_rules = 1 };
	struct stage s;

	begin(&s, &c);
	ck_assert_str_eq(ask(&s, "hi"), "a");
	/* Another chat took the turn before. */
	memcpy((char *)(uintptr_t)s.said[0].answer, "b", 1);
	ck_assert_str_eq(ask(&s, "hi"), "c");
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

struct row {
	const char *question, *holds, *must_not;
};

/* Each in a chat of its own, that begins with `first` if not NULL. */
static void
ask_rows(const struct row *rows, size_t n, const char *first)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(NULL, true, &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		const char *answer;
		struct stage s;

		begin(&s, &c->robots[0].rules);
		if (first)
			ask(&s, first);
		answer = ask(&s, r->question);
		ck_assert_msg(strstr(answer, r->holds), "\"%s\": \"%s\"", r->question, answer);
		if (r->must_not)
			ck_assert_msg(
			    !strstr(answer, r->must_not), "\"%s\": \"%s\"", r->question, answer);
		end(&s);
	}
	conf_free(c);
}

/* clang-format off */
static const struct row rule_rows[] = {
	{ "你好笨", "不太聪明", "你好呀" }, { "你好漂亮", "过奖", "你好呀" }, { "你好吗", "挺好", "你好呀" },
	{ "我觉得你很笨", "不太聪明", "过奖" }, { "你真聪明", "过奖", NULL },
	{ "我叫小红", "小红，好名字", NULL }, { "你好，我叫小红，今年八岁", "小红，好名字", NULL },
	{ "My name is Ann", "meet you, Ann!", "Your name" },
	{ "你还记得我的名字吗？", "ann", NULL }, { "What is my name?", "ann", NULL },
	{ "My boss yells at me all the time", "upset", "It is" },
	{ "what's the time?", "It is", NULL }, { "现在几点了？", "现在是", NULL },
	{ "我想你了", "盼着你来", "试试" }, { "我爱你", "谢谢", "你爱我" }, { "你喜欢我吗？", "喜欢", "听起来" },
	{ "Do you like me?", "I like", "you?" }, { "你喜欢猫吗", "猫", NULL },
	{ "我很难过", "抱抱", NULL }, { "我今天有点难过", "抱抱", NULL }, { "我不开心", "抱抱", "太好了" },
	{ "hi, how are you?", "And you?", NULL }, { "I'm fine, thanks", "Glad", "thanks" },
	{ "我喜欢吃苹果", "苹果", NULL }, { "I like apples, pears and plums", "about apples?", "pears" },
	{ "这个工作是你做的吗", "", "忙" }, { "hello world program", "code", "Hello" },
	{ "hey jude is a song", "favourite", "Hi" }, { "早上好", "早上好", ":" },
	{ "傻逼", "消消气", "有意思" }, { "再讲一个", "？", NULL }, { "tell me a joke", "joke", NULL },
	{ "今天好冷啊", "当心", NULL }, { "我家的狗死了", "节哀", "毛茸茸" }, { "我不想活了", "12356", NULL },
};
static const struct row turned_rows[] = {
	{ "I feel that you don't understand me", "Why do you feel that I don't understand you?", NULL },
	{ "why do you hate me", "Do I hate you?", NULL }, { "why are you so slow", "Am I so slow?", NULL },
	{ "I like you because you listen to me", "Thank you", "me listen" },
	{ "I want to give you my heart", "to give me your heart?", NULL },
	{ "I think you should talk to me", "that I should talk to you?", NULL },
	{ "you never listen to me", "that I never listen to you?", NULL },
	{ "我觉得你不懂我", "不太聪明", NULL }, { "我觉得和你聊天很放松", "和我聊天很放松", NULL },
	{ "我想换我的被子", "换你的被子", NULL },
};
static const struct row sign_rows[] = {
	{ "？？？", "怎么了", NULL }, { "?", "怎么了", NULL }, { "。。。", "接着说", NULL }, { "😂", "笑", NULL },
	{ "😭😭", "怎么", NULL }, { "不想", "聊", "What" }, { "👍🏽", "聊", NULL }, { "嗯", "嗯", NULL }, { "ok", "嗯", "Go on" },
	{ "lol", "笑", NULL }, { "哈哈哈哈", "笑", NULL }, { "好的😊", "嗯", NULL }, { "bye", "再见", NULL },
};
static const struct row question_rows[] = {
	{ "你觉得我应该怎么办？", "", "想辞职" }, { "再讲一个", "", "换工作" }, { "What is 2+2?", "", "You spoke" },
	{ "吃了没？", "", "换工作" }, { "地球有多大", "", "换工作" }, { "他去了哪里", "", "换工作" },
	{ "because I was late", "", "Earlier" }, { "这样行吗", "", "换工作" }, { "？", "", "换工作" },
	{ "没头没脑的话", "换工作", NULL },
};
/* clang-format on */

#define N(rows) (sizeof(rows) / sizeof *(rows))

START_TEST(sample_file_takes_the_right_rule)
{
	ask_rows(rule_rows, N(rule_rows), NULL);
	ask_rows(turned_rows, N(turned_rows), NULL);
}
END_TEST

START_TEST(sample_file_knows_short_words_and_signs)
{
	ask_rows(sign_rows, N(sign_rows), "你好");
}
END_TEST

START_TEST(sample_file_does_not_come_back_to_things_on_a_question)
{
	ask_rows(question_rows, N(question_rows), "我想辞职");
}
END_TEST

Suite *
rules_suite(void)
{
	Suite *suite = suite_create("rules");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, answers_come_in_turn_and_captures_are_turned);
	tcase_add_test(tc, what_was_said_is_come_back_to_once);
	tcase_add_test(tc, you_is_i_before_a_verb);
	tcase_add_test(tc, what_this_chat_heard_is_passed_over);
	tcase_add_test(tc, without_an_answer_the_next_robot_is_meant);
	tcase_add_test(tc, sample_file_is_pleasant_in_both_languages);
	tcase_add_test(tc, sample_file_takes_the_right_rule);
	tcase_add_test(tc, sample_file_knows_short_words_and_signs);
	tcase_add_test(tc, sample_file_does_not_come_back_to_things_on_a_question);
	suite_add_tcase(suite, tc);
	return suite;
}
