/* test_fault.c - replies that are no answers, or hostile ones (FAULTS, rows C9, C10, C13-C18). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_BYTES = FAKEBOT_BODY_BYTES };

/* A reply to Turing, OpenAI, Ollama and Anthropic, and the robots that are asked for it. */
static const char *const robots[] = { TURING, MODEL("openai", ""), MODEL("ollama", ""),
	MODEL("anthropic", "") };

/* What the heap keeps, in places, of a reply that became a hundred thousand values. */
enum { KEPT_KIB = 12 << 10 };

enum { ROBOTS = sizeof robots / sizeof robots[0] };

/* What a chat gets for this reply; the chats after it are served as ever. */
static void
expect_reply(const char *config, const struct fakebot_script *reply, const char *answer)
{
	struct server *s = server_start("%s", config);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	s->memory_slack_kib = KEPT_KIB;
	fakebot_play(b, reply);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, answer);
	ck_assert_int_eq(p->in.len, 0);
	fakebot_echo(b);
	peer_send(p, "hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}

static void
expect_bad_reply(const char *its_robots, const struct fakebot_script *reply)
{
	char config[1024];

	snprintf(config, sizeof config, "%s%s", ONE_WORKER, its_robots);
	expect_reply(config, reply, "ERR robot-bad-reply ");
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* Turing's answer with a member nested so deep, the answer itself being the first level. */
static char *
nested(int depth)
{
	char *body = mem_zalloc(BODY_BYTES);
	size_t n = (size_t)depth - 1, at;

	at = (size_t)sprintf(body, "{\"code\":100000,\"text\":\"deep\",\"x\":");
	memset(body + at, '[', n);
	body[at + n] = '1';
	memset(body + at + n + 1, ']', n);
	body[at + 2 * n + 1] = '}';
	return body;
}

START_TEST(c9_nesting_of_32_is_read_and_of_33_is_not)
{
	static const char *const answers[] = { "deep", "ERR robot-bad-reply " };
	char *body = nested(32 + _i);

	expect_reply(ONE_WORKER TURING, &(struct fakebot_script){ .body = body }, answers[_i]);
	free(body);
}
END_TEST

START_TEST(c9_nesting_of_a_million_harms_nothing)
{
	expect_bad_reply(robots[_i], &(struct fakebot_script){ .pieces = true,
					 .chunked = true,
					 .body = "{\"code\":100000,\"text\":\"deep\",\"x\":\f[",
					 .repeat = 1000000 });
}
END_TEST

/* Nine hundred kilobytes of them. */
START_TEST(c10_hundred_thousand_members_are_read_up_to_the_limit)
{
	static const struct {
		const char *limit, *answer;
	} limits[] = { { "65536", "ERR robot-bad-reply " }, { "1048576", "many" } };
	char *body = mem_zalloc(BODY_BYTES), config[1024];
	size_t n = (size_t)sprintf(body, "{\"code\":100000");

	for (int i = 0; i < 100000; i++)
		n += (size_t)sprintf(body + n, ",\"%x\":1", i);
	(void)sprintf(body + n, ",\"text\":\"many\"}");
	snprintf(config, sizeof config, "%slimits = { answer_bytes = %s; };\n%s",
	    PLAIN POOL(1) DOOR(9999), limits[_i].limit, TURING);
	expect_reply(config, &(struct fakebot_script){ .body = body }, limits[_i].answer);
	free(body);
}
END_TEST

START_TEST(c10_odd_members_are_read_or_refused)
{
	static const struct {
		const char *body, *answer;
	} odd[] = {
		{ "{\"code\":1,\"code\":100000,\"text\":\"a\",\"text\":\"b\"}", "b" },
		{ "{\"code\":1180591620717411303424,\"text\":\"a\"}", "a" },
		{ "{\"code\":1e999,\"text\":\"a\"}", "ERR robot-bad-reply " },
		{ "{\"code\":NaN,\"text\":\"a\"}", "ERR robot-bad-reply " },
		{ "{\"code\":-100000,\"text\":\"a\"}", "ERR robot-refused " },
	};

	expect_reply(
	    ONE_WORKER TURING, &(struct fakebot_script){ .body = odd[_i].body }, odd[_i].answer);
}
END_TEST

/* --- bytes ----------------------------------------------------------------------------------- */

static const char *const cut_short[] = {
	/* 13 of 100 bytes */
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
	"{\"code\":10000",
	/* whole text, but the end of the value is missing */
	"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":100000,\"text\":\"partial\"",
	/* inside a chunk; between chunks; a chunk's size that is none */
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	"chunked\r\n\r\n40\r\n{\"code\":100000,\"text\":\"part",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	"1e\r\n{\"code\":100000,\"text\":\"partial\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"code\":100000}\r\n0\r\n\r\n",
	/* whole, but the last chunk is missing */
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	"20\r\n{\"code\":100000,\"text\":\"partial\"}\r\n",
	/* inside the head */
	"HTTP/1.1 200 OK\r\nContent-Ty",
	/* C15: no head at all, which is HTTP/0.9 */
	"{\"code\":100000,\"text\":\"nine\"}",
	"hello there",
};

START_TEST(c14_c15_reply_cut_short_or_without_head_is_a_bad_reply)
{
	expect_bad_reply(TURING,
	    &(struct fakebot_script){ .raw = cut_short[_i], .n_raw = strlen(cut_short[_i]) });
}
END_TEST

/* Inside its value, and behind it. */
START_TEST(c14_whole_answer_of_a_model_cut_short_gives_no_partial_text)
{
	static const char *const bodies[ROBOTS] = {
		"{\"code\":100000,\"text\":\"partial\"}",
		"{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"partial\"}}]}",
		"{\"message\":{\"role\":\"assistant\",\"content\":\"partial\"},\"done\":true}",
		"{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"partial\"}]}",
	};
	char body[128];

	snprintf(body, sizeof body, "%.*s", (int)strlen(bodies[_i % ROBOTS]) - (_i < ROBOTS),
	    bodies[_i % ROBOTS]);
	expect_bad_reply(
	    robots[_i % ROBOTS], &(struct fakebot_script){ .body = body, .promise = 500 });
}
END_TEST

/* Of many headers, and of one. */
START_TEST(c15_headers_of_300_kb_are_a_bad_reply)
{
	char *raw = mem_zalloc(BODY_BYTES);
	size_t n = (size_t)sprintf(raw, "HTTP/1.1 200 OK\r\n");

	if (_i == 0)
		for (int i = 0; i < 3000; i++)
			n += (size_t)sprintf(raw + n, "X-%05d: %0*d\r\n", i, 90, 0);
	else
		n += (size_t)sprintf(raw + n, "X-Long: %0*d\r\n", 300000, 0);
	n += (size_t)sprintf(
	    raw + n, "Content-Length: 29\r\n\r\n{\"code\":100000,\"text\":\"late\"}\n");
	expect_bad_reply(TURING, &(struct fakebot_script){ .raw = raw, .n_raw = n });
	free(raw);
}
END_TEST

/* --- C13: traffic that is no progress -------------------------------------------------------- */

#define IMPATIENT "gap_timeout = \"300ms\"; first_byte_timeout = \"300ms\";"

static const struct {
	const char *type; /* of the robot */
	struct fakebot_script reply;
} idles[] = {
	{ "turing",
	    { .drip_ms = 20,
		.body = "{\"code\":100000,\"text\":\"0123456789012345678901234567890123456789"
			"012345678901234567890123456789012345678901234567890123456789\"}" } },
	{ "openai",
	    { .drip_ms = 20,
		.type = "text/event-stream",
		.body = "data: {\"id\":\"0123456789012345678901234567890123456789\",\"choices\":"
			"[{\"delta\":{\"content\":\"01234567890123456789\"}}]}\n\n" } },
	/* heartbeats, and blank lines before anything */
	{ "openai",
	    { .piece_ms = 50, .repeat = 1000, .type = "text/event-stream", .body = ": ping\n\n" } },
	{ "openai", { .piece_ms = 50, .repeat = 1000, .type = "text/event-stream", .body = "\n" } },
	{ "openai", { .piece_ms = 50, .repeat = 1000, .body = "\n" } },
	{ "openai", { .piece_ms = 50,
			.repeat = 1000,
			.type = "text/event-stream",
			.body = "data: {\"choices\":[],\"usage\":null}\n\n" } },
	{ "openai", { .piece_ms = 50,
			.repeat = 1000,
			.type = "text/event-stream",
			.body = "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n" } },
	{ "anthropic", { .piece_ms = 50,
			   .repeat = 1000,
			   .type = "text/event-stream",
			   .body = "event: ping\ndata: {\"type\":\"ping\"}\n\n" } },
};

START_TEST(c13_traffic_without_progress_times_out)
{
	char config[1024];

	snprintf(config, sizeof config,
	    ONE_WORKER "robots = ( { name = \"r\"; type = \"%s\"; url = \"http://$ADDR:8000\"; "
		       "api_key = \"" KEY "\"; model = \"m\"; " IMPATIENT " } );\n",
	    idles[_i].type);
	expect_reply(config, &idles[_i].reply, "ERR robot-timeout ");
}
END_TEST

/* Once text was heard, too. */
START_TEST(c13_stream_that_stops_saying_anything_times_out)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", IMPATIENT));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .piece_ms = 50,
			    .repeat = 1000,
			    .type = "text/event-stream",
			    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"}}]}\n\n"
				    "\f: ping\n\n" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "so\n");
	peer_expect_prefix(p, "ERR robot-timeout ");
	fakebot_wait_gone(b, 1);
	scene_end(s, b);
}
END_TEST

/* Each takes longer than the gap, in steps that do not: thoughts and text are progress. */
START_TEST(slow_but_steady_answer_is_told_whole)
{
	static const struct {
		const char *type, *thought, *text, *end;
	} talks[SCENE_MODELS] = {
		{ "text/event-stream",
		    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
		    "data: {\"choices\":[{\"delta\":{\"content\":\"ha\"}}]}\n\n",
		    "data: [DONE]\n\n" },
		{ "application/x-ndjson",
		    "{\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n",
		    "{\"message\":{\"content\":\"ha\"},\"done\":false}\n",
		    "{\"message\":{\"content\":\"\"},\"done\":true}\n" },
		{ "text/event-stream",
		    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
		    "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n",
		    "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
		    "{\"type\":\"text_delta\",\"text\":\"ha\"}}\n\n",
		    "data: {\"type\":\"message_stop\"}\n\n" },
	};
	struct server *s =
	    server_start(ONE_WORKER MODEL("%s", "gap_timeout = \"500ms\";"), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	char body[2048] = "";

	for (int i = 0; i < 10; i++) {
		strcat(body, i < 5 ? talks[_i].thought : talks[_i].text);
		strcat(body, "\f");
	}
	strcat(body, talks[_i].end);
	fakebot_play(
	    b, &(struct fakebot_script){ .piece_ms = 75, .type = talks[_i].type, .body = body });
	peer_send(p, "me::hi\n");
	peer_expect(p, "hahahahaha\n");
	scene_end(s, b);
}
END_TEST

/* --- text ------------------------------------------------------------------------------------ */

/* The first byte of a character in one piece, the others in the next. */
START_TEST(c17_stream_is_cleaned_across_its_pieces)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
#define SAYS(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n\f"
	fakebot_play(b, &(struct fakebot_script){ .piece_ms = 5,
			    .type = "text/event-stream",
			    .body = SAYS("a\\u001b[2J") SAYS("b\\u0000\\u202e") SAYS("\xff")
				SAYS("c\\u0007\\u009b\\r") SAYS("\xc0\xaf") SAYS("d\xe4\xbd")
				    SAYS("\xa0\\n") "data: [DONE]\n\n" });
	peer_send(p, "me::hi\n");
	peer_expect(p, "a[2Jb\xef\xbf\xbd"
		       "c\xef\xbf\xbd\xef\xbf\xbd"
		       "d你\n\n");
	scene_end(s, b);
}
END_TEST

START_TEST(c18_hostile_text_arrives_at_a_model_as_text_and_adds_nothing)
{
	static const char text[] = "a&key=1#x\r\nX-Evil: 1\",\"admin\":true,\"z\":\"\\u0022";
	struct server *s = server_start(ONE_WORKER MODEL("%s", ""), scene_models[_i]);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct fakebot_record r;

	scene_canary(s);
	for (int i = 0; i < 2; i++) { /* the second time as history, too */
		(void)scene_ask_json(p, text);
		r = fakebot_record(b, i);
		ck_assert_str_eq(r.info, text);
		ck_assert_str_eq(r.key, KEY);
		ck_assert_int_eq(r.n_messages, 1 + 2 * i);
		ck_assert_ptr_null(strstr(r.head, "\nX-Evil"));
		ck_assert_ptr_null(strstr(r.body, "\"admin\":true"));
	}
	ck_assert_ptr_eq(
	    strstr(r.history, "user:a&key=1#x\r\nX-Evil: 1\",\"admin\":true"), r.history);
	scene_end(s, b);
}
END_TEST

static void
add_time_tests(TCase *tc)
{
	tcase_add_loop_test(
	    tc, c13_traffic_without_progress_times_out, 0, (int)(sizeof idles / sizeof idles[0]));
	tcase_add_test(tc, c13_stream_that_stops_saying_anything_times_out);
	tcase_add_loop_test(tc, slow_but_steady_answer_is_told_whole, 0, SCENE_MODELS);
}

Suite *
fault_suite(void)
{
	Suite *suite = suite_create("fault");
	TCase *tc = scene_case(suite, "json");

	tcase_add_loop_test(tc, c9_nesting_of_32_is_read_and_of_33_is_not, 0, 2);
	tcase_add_loop_test(tc, c9_nesting_of_a_million_harms_nothing, 0, ROBOTS);
	tcase_add_loop_test(tc, c10_hundred_thousand_members_are_read_up_to_the_limit, 0, 2);
	tcase_add_loop_test(tc, c10_odd_members_are_read_or_refused, 0, 5);
	tc = scene_case(suite, "bytes");
	tcase_add_loop_test(tc, c14_c15_reply_cut_short_or_without_head_is_a_bad_reply, 0,
	    (int)(sizeof cut_short / sizeof cut_short[0]));
	tcase_add_loop_test(
	    tc, c14_whole_answer_of_a_model_cut_short_gives_no_partial_text, 0, 2 * ROBOTS);
	tcase_add_loop_test(tc, c15_headers_of_300_kb_are_a_bad_reply, 0, 2);
	add_time_tests(scene_case(suite, "time"));
	tc = scene_case(suite, "text");
	tcase_add_test(tc, c17_stream_is_cleaned_across_its_pieces);
	tcase_add_loop_test(
	    tc, c18_hostile_text_arrives_at_a_model_as_text_and_adds_nothing, 0, SCENE_MODELS);
	return suite;
}
