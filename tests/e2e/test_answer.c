/* test_answer.c - Turing's answers of every class as a chat hears them, and its refusals. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <ctype.h>
#include <string.h>

struct sample {
	const char *body;
	const char *heard[5]; /* texts the answer holds */
};

static const struct sample v1[] = {
	{ "{\"code\":100000,\"text\":\"你也好 嘻嘻\"}", { "你也好 嘻嘻" } },
	{ "{\"code\":\"100000\",\"text\":\"code as text\"}", { "code as text" } },
	{ "{\"code\":100000,\"text\":\"one<br>two\xc2\xa0three\"}", { "one", "two three" } },
	{ "{\"code\":200000,\"text\":\"亲，已帮你找到图片\",\"url\":\"http://m.image.so.com/"
	  "i?q=1\"}",
	    { "亲，已帮你找到图片", "http://m.image.so.com/i?q=1" } },
	{ "{\"code\":302000,\"text\":\"亲，已帮您找到相关新闻\",\"list\":[{\"article\":\"工信部\","
	  "\"source\":\"网易新闻\",\"icon\":\"\",\"detailurl\":\"http://news.163.com/A.html\"},"
	  "{\"article\":\"第二条\",\"source\":\"b\",\"icon\":\"\",\"detailurl\":\"http://b.example/"
	  "\"}]}",
	    { "亲，已帮您找到相关新闻", "工信部", "http://news.163.com/A.html", "第二条",
		"http://b.example/" } },
	{ "{\"code\":308000,\"text\":\"亲，已帮您找到菜谱信息\",\"list\":[{\"name\":\"鱼香肉丝\","
	  "\"icon\":\"http://i4.example/a.jpg\",\"info\":\"猪肉、木耳 | 盐\",\"detailurl\":"
	  "\"http://m.example/264781/\"}]}",
	    { "亲，已帮您找到菜谱信息", "鱼香肉丝", "猪肉、木耳 | 盐",
		"http://m.example/264781/" } },
	{ "{\"code\":313000,\"text\":\"开始播放\",\"function\":{\"song\":\"小星星\",\"singer\":"
	  "\"x\"}}",
	    { "开始播放", "小星星" } },
	{ "{\"code\":314000,\"text\":\"开始朗读诗词。\",\"function\":{\"author\":\"佚名\",\"name\":"
	  "\"长歌行\"}}",
	    { "开始朗读诗词。", "佚名", "长歌行" } },
	{ "{\"code\":305000,\"text\":\"trains\",\"list\":[{\"trainnum\":\"G1\",\"start\":"
	  "\"北京南\","
	  "\"starttime\":\"07:00\",\"terminal\":\"上海\",\"endtime\":\"11:40\",\"detailurl\":"
	  "\"http://t.example/\"}]}",
	    { "trains", "G1", "北京南", "07:00", "上海" } },
	{ "{\"code\":306000,\"text\":\"flights\",\"list\":[{\"flight\":\"CA1\",\"route\":\"a-b\","
	  "\"starttime\":\"07:00\",\"endtime\":\"09:00\"}]}",
	    { "flights", "CA1", "07:00" } },
};

static const struct sample v2[] = {
	{ "{\"intent\":{\"code\":10004},\"results\":[{\"groupType\":0,\"resultType\":\"text\","
	  "\"values\":{\"text\":\"还不错，见到你更好啦。\"}}]}",
	    { "还不错，见到你更好啦。" } },
	{ "{\"intent\":{\"code\":10005},\"results\":[{\"groupType\":1,\"resultType\":\"url\","
	  "\"values\":{\"url\":\"http://m.example/"
	  "hotel\"}},{\"groupType\":1,\"resultType\":\"text\","
	  "\"values\":{\"text\":\"亲，已帮你找到相关酒店信息\"}}]}",
	    { "亲，已帮你找到相关酒店信息", "http://m.example/hotel" } },
	{ "{\"intent\":{\"code\":10015},\"results\":[{\"groupType\":1,\"resultType\":\"text\","
	  "\"values\":{\"text\":\"亲，已帮您找到菜谱信息\"}},{\"groupType\":1,\"resultType\":"
	  "\"news\","
	  "\"values\":{\"news\":[{\"name\":\"鱼香肉丝\",\"icon\":\"\",\"info\":\"评分8.3\","
	  "\"detailurl\":\"http://m.example/100352761/\"}]}}]}",
	    { "亲，已帮您找到菜谱信息", "鱼香肉丝", "评分8.3", "http://m.example/100352761/" } },
};

static void
play_sample(const char *config, const struct sample *sample)
{
	struct server *s = server_start("%s", config);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	const char *answer;

	fakebot_play(b, &(struct fakebot_script){ .body = sample->body });
	answer = scene_ask_json(p, "hi");
	for (int i = 0; i < 5 && sample->heard[i] != NULL; i++)
		if (strstr(answer, sample->heard[i]) == NULL)
			ck_abort_msg("\"%s\" is missing in \"%s\"", sample->heard[i], answer);
	scene_end(s, b);
}

START_TEST(turing_answer_is_told_with_its_links)
{
	play_sample(TURING_SERVER, &v1[_i]);
}
END_TEST

START_TEST(turing2_answer_is_told_with_its_links)
{
	play_sample(PLAIN POOL(1) DOOR(9999) TURING2, &v2[_i]);
}
END_TEST

START_TEST(turing_is_asked_with_key_text_and_a_user_of_its_own_for_each_person)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record first, second, third;

	peer_send(p, "小-明::你好\n");
	peer_expect(p, "echo:你好\n");
	peer_send(p, "ann@home::again\n");
	peer_expect(p, "echo:again\n");
	peer_send(p, "小-明::third\n");
	peer_expect(p, "echo:third\n");
	first = fakebot_record(b, 0);
	second = fakebot_record(b, 1);
	third = fakebot_record(b, 2);
	ck_assert_str_eq(first.key, KEY);
	ck_assert_str_eq(first.info, "你好");
	ck_assert_uint_ge(strlen(first.userid), 1);
	ck_assert_uint_le(strlen(first.userid), 32);
	for (const char *c = first.userid; *c != '\0'; c++)
		ck_assert(isalnum((unsigned char)*c));
	ck_assert_str_ne(first.userid, second.userid);
	ck_assert_str_eq(first.userid, third.userid);
	scene_end(s, b);
}
END_TEST

START_TEST(turing2_is_asked_in_its_own_form)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) TURING2);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	peer_send(p, "ann::你好\n");
	peer_expect(p, "echo:你好\n");
	r = fakebot_record(b, 0);
	ck_assert_str_eq(r.key, KEY);
	ck_assert_str_eq(r.info, "你好");
	ck_assert_int_eq(strncmp(r.head, "POST /openapi/api/v2 ", 21), 0);
	scene_end(s, b);
}
END_TEST

static const struct {
	const char *body, *code;
} failures[] = {
	{ "{\"code\":40001,\"text\":\"亲爱的，key不对哦。\"}", "ERR robot-refused" },
	{ "{\"code\":40004,\"text\":\"亲爱的，当天请求次数已用完。\"}", "ERR robot-refused" },
	{ "{\"code\":40007,\"text\":\"请按规定的要求进行加密\"}", "ERR robot-refused" },
};

START_TEST(turing_error_code_is_no_answer)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .body = failures[_i].body });
	ck_assert_str_eq(scene_ask_json(p, "hi"), failures[_i].code);
	scene_end(s, b);
}
END_TEST

START_TEST(turing2_error_code_is_no_answer_although_it_carries_text)
{
	struct server *s = server_start(PLAIN POOL(1) DOOR(9999) TURING2);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b,
	    &(struct fakebot_script){
		.body = "{\"intent\":{\"code\":4003},\"results\":[{\"groupType\":0,"
			"\"resultType\":\"text\",\"values\":{\"text\":\"请求次数超限制!\"}}]}" });
	ck_assert_str_eq(scene_ask_json(p, "hi"), "ERR robot-refused");
	scene_end(s, b);
}
END_TEST

Suite *
answer_suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *tc = scene_case(suite, "turing");

	tcase_add_loop_test(
	    tc, turing_answer_is_told_with_its_links, 0, (int)(sizeof v1 / sizeof v1[0]));
	tcase_add_loop_test(
	    tc, turing2_answer_is_told_with_its_links, 0, (int)(sizeof v2 / sizeof v2[0]));
	tcase_add_test(tc, turing_is_asked_with_key_text_and_a_user_of_its_own_for_each_person);
	tcase_add_test(tc, turing2_is_asked_in_its_own_form);
	tcase_add_loop_test(
	    tc, turing_error_code_is_no_answer, 0, (int)(sizeof failures / sizeof failures[0]));
	tcase_add_test(tc, turing2_error_code_is_no_answer_although_it_carries_text);
	return suite;
}
