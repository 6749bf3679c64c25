/* test_key.c - keys: where they come from, which one is used, and where they never go. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHER    "fedcba9876543210fedcba9876543210"
#define TWO_KEYS "api_key = ( \"" KEY "\", \"" OTHER "\" );"
#define ROBOT(type, keys)                                                                          \
	"robots = ( { name = \"robot\"; type = \"" type                                            \
	"\"; url = \"http://$ADDR:8000\"; model = "                                                \
	"\"m1\"; " keys " } );\n"

static void
write_file(const struct server *s, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", s->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
ask(struct peer *p, const char *answer)
{
	peer_send(p, "me::hi\n");
	peer_expect(p, answer);
}

/* --- where they come from -------------------------------------------------------------------- */

START_TEST(key_from_a_file_is_used_and_read_again_at_a_reload)
{
	struct server *s =
	    server_new(ONE_WORKER ROBOT("%s", "api_key_file = \"key\";"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p;

	write_file(s, "key", KEY "\n");
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	ask(p, "echo:hi\n");
	write_file(s, "key", OTHER "\n" KEY "\n");
	server_reload_ok(s);
	ask(p, "echo:hi\n");
	ck_assert_str_eq(fakebot_record(b, 0).key, KEY);
	ck_assert_str_eq(fakebot_record(b, 1).key, OTHER);
	ck_assert_int_eq(server_count_log(s, KEY) + server_count_log(s, OTHER), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(second_key_of_a_file_is_used_when_the_first_is_rejected)
{
	struct server *s = server_new(ONE_WORKER ROBOT("openai", "api_key_file = \"key\";"));
	struct fakebot *b = scene_bot(s);

	write_file(s, "key", KEY "\r\n\n" OTHER "\n");
	server_run(s);
	server_wait_ready(s);
	fakebot_play(b, &(struct fakebot_script){ .only = KEY, .status = 401, .body = "{}" });
	ask(scene_chat(s), "echo:hi\n");
	ck_assert_int_eq(fakebot_requests_with(b, OTHER), 1);
	ck_assert_int_eq(server_count_log(s, KEY) + server_count_log(s, OTHER), 0);
	scene_end(s, b);
}
END_TEST

/* A variable of the environment that every server of this test begins with. */
START_TEST(key_from_the_environment_is_used)
{
	struct server *s;
	struct fakebot *b;

	ck_assert_int_eq(setenv("XIAOTU_TEST_KEY", OTHER, 1), 0);
	s = server_start(
	    ONE_WORKER ROBOT("%s", "api_key_env = \"XIAOTU_TEST_KEY\";"), scene_models[_i]);
	b = scene_bot(s);
	ask(scene_chat(s), "echo:hi\n");
	ck_assert_str_eq(fakebot_record(b, 0).key, OTHER);
	server_reload_ok(s);
	ask(scene_chat(s), "echo:hi\n");
	ck_assert_str_eq(fakebot_record(b, 1).key, OTHER);
	ck_assert_int_eq(server_count_log(s, OTHER), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(model_server_without_a_key_is_sent_none)
{
	struct server *s = server_start(ONE_WORKER ROBOT("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);

	ask(scene_chat(s), "echo:hi\n");
	ck_assert_ptr_null(strcasestr(fakebot_record(b, 0).head, "authorization:"));
	ck_assert_ptr_null(strcasestr(fakebot_record(b, 0).head, "x-api-key:"));
	scene_end(s, b);
}
END_TEST

/* --- which one is used ----------------------------------------------------------------------- */

struct refusal {
	int status;
	const char *body, *event;
};

static const struct refusal refusals[] = {
	{ 401, "{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}",
	    "ev=robot_key_rejected" },
	{ 403, "<html>forbidden</html>", "ev=robot_key_rejected" },
	{ 402, "{\"error\":{\"message\":\"Insufficient Balance\"}}", "ev=robot_key_used_up" },
	{ 429,
	    "{\"error\":{\"message\":\"You exceeded your current quota\",\"code\":"
	    "\"insufficient_quota\"}}",
	    "ev=robot_key_used_up" },
};

enum { REFUSALS = sizeof refusals / sizeof refusals[0] };

/* Rejected or used up: it is reported, and no message tries it again. */
START_TEST(key_that_does_not_work_is_set_aside_and_the_next_used)
{
	const struct refusal *r = &refusals[_i];
	struct server *s = server_start(ONE_WORKER ROBOT("openai", TWO_KEYS));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char words[64];

	fakebot_play(
	    b, &(struct fakebot_script){ .only = KEY, .status = r->status, .body = r->body });
	for (int i = 0; i < 5; i++)
		ask(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(fakebot_requests_with(b, OTHER), 5);
	snprintf(words, sizeof words, "%s robot=robot key=1", r->event);
	(void)server_wait_log(s, words);
	ck_assert_int_eq(server_count_log(s, r->event), 1);
	ck_assert_int_eq(server_count_log(s, "ev=robot_retry"), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(robot_whose_keys_are_all_set_aside_is_not_asked_until_a_reload)
{
	const struct refusal *r = &refusals[_i];
	struct server *s = server_start(ONE_WORKER ROBOT("openai", TWO_KEYS));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .status = r->status, .body = r->body });
	for (int i = 0; i < 5; i++) {
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-refused ");
	}
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(fakebot_requests_with(b, OTHER), 1);
	ck_assert_int_eq(server_count_log(s, r->event), 2);
	peer_send(p, "/robot\n");
	peer_expect_prefix(p, "robot (rests, ");
	peer_expect_prefix(p, "Last answer by: robot");
	fakebot_echo(b);
	server_reload_ok(s);
	ask(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 2);
	scene_end(s, b);
}
END_TEST

START_TEST(key_that_one_worker_set_aside_the_other_leaves_alone)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE ROBOT("openai", TWO_KEYS));
	struct fakebot *b = scene_bot(s);
	struct peer *chats[2];

	scene_chats_apart(s, chats);
	fakebot_play(b, &(struct fakebot_script){ .only = KEY, .status = 401, .body = "{}" });
	for (int i = 0; i < 4; i++)
		ask(chats[i % 2], "echo:hi\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(server_count_log(s, "ev=robot_key_rejected"), 1);
	scene_end(s, b);
}
END_TEST

/* Codes of the API, under status 200. */
START_TEST(turing_keys_are_set_aside_by_its_codes)
{
	static const struct {
		const char *body, *event;
	} codes[] = {
		{ "{\"code\":40001,\"text\":\"key\"}", "ev=robot_key_rejected code=40001" },
		{ "{\"code\":40004,\"text\":\"used up\"}", "ev=robot_key_used_up code=40004" },
	};
	struct server *s = server_start(ONE_WORKER ROBOT("turing", TWO_KEYS));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	fakebot_play(b, &(struct fakebot_script){ .only = KEY, .body = codes[_i].body });
	ask(p, "echo:hi\n");
	ask(p, "echo:hi\n");
	ck_assert_int_eq(fakebot_requests_with(b, KEY), 1);
	ck_assert_int_eq(server_count_log(s, codes[_i].event), 1);
	scene_end(s, b);
}
END_TEST

START_TEST(turing_with_a_secret_is_asked_in_a_sealed_envelope)
{
	struct server *s = server_start(
	    ONE_WORKER ROBOT("%s", "api_key = \"" KEY "\"; secret = \"a1b2c3d4e5f60718\";"),
	    _i == 0 ? "turing" : "turing2");
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	fakebot_play(b, &(struct fakebot_script){
			    .body = _i == 0 ? "{\"code\":100000,\"text\":\"open\"}"
					    : "{\"intent\":{\"code\":10004},\"results\":[{"
					      "\"resultType\":\"text\",\"values\":{\"text\":"
					      "\"open\"}}]}" });
	peer_send(p, "me::plain words\n");
	peer_expect(p, "open\n");
	r = fakebot_record(b, 0);
	ck_assert_int_eq(strncmp(r.body, "{\"key\":\"" KEY "\",\"timestamp\":\"",
			     strlen("{\"key\":\"" KEY "\",\"timestamp\":\"")),
	    0);
	ck_assert_ptr_nonnull(strstr(r.body, "\",\"data\":\""));
	ck_assert_ptr_null(strstr(r.body, "plain words"));
	ck_assert_ptr_null(strstr(r.body, "a1b2c3d4e5f60718"));
	ck_assert_ptr_null(strstr(r.head, "a1b2c3d4e5f60718"));
	ck_assert_int_eq(server_count_log(s, "a1b2c3d4e5f60718"), 0);
	scene_end(s, b);
}
END_TEST

/* --- where they never go --------------------------------------------------------------------- */

#define ODD_KEY "sk-a/b+c=d&e0123456789"
/* As long as vendors make them today. */
#define HEX32    "0123456789abcdef0123456789abcdef"
#define LONG_KEY "sk-proj-" HEX32 HEX32 HEX32 HEX32 "abcdefghijklmnopqrstuvwxyzab"

/* A key, how the server names it, and what the log must not have then. */
static const struct {
	const char *key, *body, *never;
} echoes[] = {
	{ ODD_KEY, "{\"error\":{\"message\":\"Incorrect API key provided: " ODD_KEY ".\"}}",
	    ODD_KEY },
	{ ODD_KEY, "{\"error\":\"bad key " ODD_KEY "\"}", ODD_KEY },
	{ ODD_KEY, "{\"detail\":\"" ODD_KEY "\"}", ODD_KEY },
	{ ODD_KEY, "<html>" ODD_KEY "</html>", ODD_KEY },
	/* longer than there is room for it */
	{ LONG_KEY, "{\"error\":{\"message\":\"Incorrect API key provided: " LONG_KEY ".\"}}",
	    "sk-proj-" HEX32 },
	/* in the clothes of a URL and of base64 */
	{ ODD_KEY, "{\"error\":{\"message\":\"no such key: sk-a%2Fb%2Bc%3Dd%26e0123456789\"}}",
	    "sk-a%2Fb%2B" },
	{ ODD_KEY, "{\"error\":{\"message\":\"no such key: c2stYS9iK2M9ZCZlMDEyMzQ1Njc4OQ==\"}}",
	    "c2stYS9iK2M9ZCZl" },
};

START_TEST(i7_key_that_the_server_echoes_stays_out_of_log_and_chat)
{
	static const int statuses[] = { 400, 401, 402, 429, 500 };
	struct server *s =
	    server_start(ONE_WORKER "log = { level = \"debug\"; messages = true; };\n" ROBOT(
			     "openai", "api_key = \"%s\"; total_timeout = \"300ms\";"),
		echoes[_i].key);
	struct fakebot *b = scene_bot(s);

	scene_canary(s);
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct peer *p = scene_chat(s);
		const char *line;

		fakebot_play(
		    b, &(struct fakebot_script){ .status = statuses[i], .body = echoes[_i].body });
		peer_send(p, "me::zzz\n");
		line = peer_line(p);
		ck_assert_int_eq(strncmp(line, "ERR robot-", 10), 0);
		ck_assert_ptr_null(strstr(line, echoes[_i].never));
		server_reload_ok(s); /* takes the key up again */
	}
	ck_assert_int_eq(fakebot_requests(b), 5);
	ck_assert_int_eq(server_count_log(s, echoes[_i].never), 0);
	s->worker_slack = 8;
	scene_end(s, b);
}
END_TEST

/* Servers quote what they refuse, from wherever in the chat. */
START_TEST(text_that_the_server_quotes_stays_out_of_the_log)
{
	struct server *s = server_start(ONE_WORKER ROBOT("openai", "system = \"hush hush\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	peer_send(p, "me::my pin is 1234\n");
	peer_expect(p, "echo:my pin is 1234\n");
	fakebot_play(
	    b, &(struct fakebot_script){ .status = 400,
		   .body = "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"blocked: "
			   "pin is 1234; hush hush; ivate\"}}" });
	peer_send(p, "private\n");
	peer_expect_prefix(p, "ERR robot-refused ");
	(void)server_wait_log(s, "ev=robot_refused says=\"invalid_request_error\"");
	ck_assert_int_eq(server_count_log(s, "1234"), 0);
	ck_assert_int_eq(server_count_log(s, "hush"), 0);
	ck_assert_int_eq(server_count_log(s, "ivate"), 0);
	scene_end(s, b);
}
END_TEST

Suite *
key_suite(void)
{
	Suite *suite = suite_create("key");
	TCase *tc = scene_case(suite, "source");

	tcase_add_loop_test(
	    tc, key_from_a_file_is_used_and_read_again_at_a_reload, 0, SCENE_MODELS);
	tcase_add_test(tc, second_key_of_a_file_is_used_when_the_first_is_rejected);
	tcase_add_loop_test(tc, key_from_the_environment_is_used, 0, SCENE_MODELS);
	tcase_add_loop_test(tc, model_server_without_a_key_is_sent_none, 0, SCENE_MODELS);
	tc = scene_case(suite, "aside");
	tcase_add_loop_test(tc, key_that_does_not_work_is_set_aside_and_the_next_used, 0, REFUSALS);
	tcase_add_loop_test(
	    tc, robot_whose_keys_are_all_set_aside_is_not_asked_until_a_reload, 0, REFUSALS);
	tcase_add_test(tc, key_that_one_worker_set_aside_the_other_leaves_alone);
	tcase_add_loop_test(tc, turing_keys_are_set_aside_by_its_codes, 0, 2);
	tc = scene_case(suite, "secret");
	tcase_add_loop_test(tc, turing_with_a_secret_is_asked_in_a_sealed_envelope, 0, 2);
	tcase_add_loop_test(tc, i7_key_that_the_server_echoes_stays_out_of_log_and_chat, 0,
	    (int)(sizeof echoes / sizeof echoes[0]));
	tcase_add_test(tc, text_that_the_server_quotes_stays_out_of_the_log);
	return suite;
}
