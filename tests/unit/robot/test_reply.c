/* test_reply.c - every recorded reply in tests/data/replies, whole, byte by byte and at every cut:
 * the text, the verdict and the account of tokens are the same. */
#include "unit/robot/suites.h"

#include "base/mem.h"
#include "robot/api.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "tests/data/replies"

enum { LIMIT_BYTES = 1 << 20, LEAST_SAMPLES = 100 };

struct sample {
	char robot[32], type[64], text[2048];
	long status;
	enum why why;
	long long tokens_in, tokens_out; /* -2: not told */
	const char *body;
	size_t n_body;
};

struct outcome {
	enum why why;
	int64_t tokens_in, tokens_out;
	struct buf text;
};

static reply_value *
value_of(const char *robot)
{
	static const struct {
		const char *name;
		const struct api *api;
	} apis[] = { { "openai", &api_openai }, { "ollama", &api_ollama },
		{ "anthropic", &api_anthropic }, { "turing", &api_turing },
		{ "turing2", &api_turing2 } };

	for (size_t i = 0; i < sizeof apis / sizeof *apis; i++)
		if (strcmp(apis[i].name, robot) == 0)
			return apis[i].api->on_value;
	ck_abort_msg("no API %s", robot);
	return NULL;
}

/* --- the files ------------------------------------------------------------------------------- */

static char *
read_file(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	ck_assert_msg(fd >= 0 && fstat(fd, &st) == 0, "%s", path);
	text = mem_zalloc((size_t)st.st_size + 1);
	ck_assert_int_eq(read(fd, text, (size_t)st.st_size), st.st_size);
	close(fd);
	*n = (size_t)st.st_size;
	return text;
}

/* \n \t \r \\ \xHH */
static void
unescape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		if (*from != '\\') {
			to[n++] = *from;
		} else if (*++from == 'x') {
			char hex[3] = { from[1], from[2], '\0' };

			to[n++] = (char)strtol(hex, NULL, 16);
			from += 2;
		} else {
			to[n++] = *from == 'n'   ? '\n'
				  : *from == 't' ? '\t'
				  : *from == 'r' ? '\r'
						 : *from;
		}
	}
	to[n] = '\0';
}

static enum why
why_of_word(const char *word)
{
	int i = 0;

	while (i < WHY_BUSY && strcmp(why_words[i], word) != 0)
		i++;
	ck_assert_msg(i < WHY_BUSY, "no such outcome: %s", word);
	return (enum why)i;
}

static void
take_line(struct sample *s, const char *line)
{
	const char *value = strchr(line, ':');

	ck_assert_ptr_nonnull(value);
	value += value[1] == ' ' ? 2 : 1;
	if (strncmp(line, "robot:", 6) == 0)
		snprintf(s->robot, sizeof s->robot, "%s", value);
	else if (strncmp(line, "type:", 5) == 0)
		snprintf(s->type, sizeof s->type, "%s", value);
	else if (strncmp(line, "status:", 7) == 0)
		s->status = strtol(value, NULL, 10);
	else if (strncmp(line, "why:", 4) == 0)
		s->why = why_of_word(value);
	else if (strncmp(line, "tokens:", 7) == 0)
		ck_assert_int_eq(sscanf(value, "%lld %lld", &s->tokens_in, &s->tokens_out), 2);
	else if (strncmp(line, "text:", 5) == 0)
		unescape(value, s->text, sizeof s->text);
	else
		ck_abort_msg("what is %s?", line);
}

static void
take_sample(struct sample *s, char *file, size_t n)
{
	char *body = strstr(file, "\n\n"), *rest = file, *line;

	*s = (struct sample){ .tokens_in = -2 };
	ck_assert_ptr_nonnull(body);
	s->body = body + 2;
	s->n_body = n - (size_t)(s->body - file);
	body[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		take_line(s, line);
}

/* --- reading --------------------------------------------------------------------------------- */

static void
hand_on(struct reply *r, struct outcome *out, bool whole)
{
	if (r->text.len && (whole || !r->whole)) {
		ck_assert_int_eq(buf_add(&out->text, buf_head(&r->text), r->text.len), 0);
		buf_cut(&r->text, 0);
	}
}

/* The piece is copied to its exact size, so that the sanitizers see a read beyond. */
static void
feed(struct reply *r, struct outcome *out, const char *bytes, size_t n)
{
	char *copy = mem_zalloc(n);

	memcpy(copy, bytes, n);
	(void)reply_feed(r, copy, n);
	free(copy);
	hand_on(r, out, false);
}

/* Read the body in pieces of `step` bytes behind a first one of `first`. */
static void
read_in(const struct sample *s, size_t first, size_t step, struct outcome *out)
{
	struct reply r;

	buf_init(&out->text, LIMIT_BYTES);
	reply_init(&r, value_of(s->robot), LIMIT_BYTES);
	reply_head(&r, s->status, s->type);
	for (size_t i = 0, n; i < s->n_body; i += n) {
		n = i == 0 ? first : step;
		n = n < s->n_body - i ? n : s->n_body - i;
		feed(&r, out, s->body + i, n);
	}
	out->why = reply_end(&r, WHY_OK);
	hand_on(&r, out, true);
	out->tokens_in = r.tokens_in;
	out->tokens_out = r.tokens_out;
	reply_release(&r);
}

static void
check(const struct sample *s, const char *name, size_t first, size_t step)
{
	struct outcome out;

	read_in(s, first, step, &out);
	if (out.why != s->why || out.text.len != strlen(s->text) ||
	    (out.text.len && memcmp(buf_head(&out.text), s->text, out.text.len) != 0))
		ck_abort_msg("%s in pieces of %zu, %zu: %s \"%.*s\", not %s \"%s\"", name, first,
		    step, why_words[out.why], (int)out.text.len,
		    out.text.len ? buf_head(&out.text) : "", why_words[s->why], s->text);
	if (s->tokens_in != -2 &&
	    (out.tokens_in != s->tokens_in || out.tokens_out != s->tokens_out))
		ck_abort_msg("%s: tokens %lld %lld, not %lld %lld", name, (long long)out.tokens_in,
		    (long long)out.tokens_out, s->tokens_in, s->tokens_out);
	buf_release(&out.text);
}

static void
check_file(const char *name)
{
	char path[512], *file;
	struct sample s;
	size_t n;

	snprintf(path, sizeof path, FOLDER "/%s", name);
	file = read_file(path, &n);
	take_sample(&s, file, n);
	check(&s, name, s.n_body, s.n_body);
	check(&s, name, 1, 1);
	for (size_t cut = 1; cut < s.n_body; cut++)
		check(&s, name, cut, s.n_body);
	free(file);
}

START_TEST(every_recorded_reply_reads_the_same_however_it_is_cut)
{
	DIR *folder = opendir(FOLDER);
	struct dirent *one;
	int n = 0;

	ck_assert_ptr_nonnull(folder);
	while ((one = readdir(folder)) != NULL) {
		if (strstr(one->d_name, ".reply") == NULL)
			continue;
		check_file(one->d_name);
		n++;
	}
	closedir(folder);
	ck_assert_int_ge(n, LEAST_SAMPLES);
}
END_TEST

/* --- what files cannot say ------------------------------------------------------------------- */

static enum why
ends_as(const struct api *api, const char *type, const char *body, enum why transport)
{
	struct reply r;
	enum why why;

	reply_init(&r, api->on_value, LIMIT_BYTES);
	reply_head(&r, 200, type);
	(void)reply_feed(&r, body, strlen(body));
	why = reply_end(&r, transport);
	if (why != WHY_OK && r.whole)
		ck_assert_uint_eq(r.text.len, 0);
	reply_release(&r);
	return why;
}

START_TEST(transfer_cut_after_the_end_of_a_stream_is_an_answer)
{
	static const char finished[] = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},"
				       "\"finish_reason\":\"stop\"}]}\n\n",
			  whole[] = "{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}";

	ck_assert_int_eq(
	    ends_as(&api_openai, "text/event-stream", finished, WHY_BAD_REPLY), WHY_OK);
	ck_assert_int_eq(ends_as(&api_openai, "application/json", whole, WHY_OK), WHY_OK);
	ck_assert_int_eq(
	    ends_as(&api_openai, "application/json", whole, WHY_BAD_REPLY), WHY_BAD_REPLY);
	ck_assert_int_eq(ends_as(&api_openai, "application/json", whole, WHY_TIMEOUT), WHY_TIMEOUT);
}
END_TEST

START_TEST(value_beyond_the_limit_is_a_bad_reply)
{
	struct reply r;
	char spaces[1024];

	memset(spaces, 'x', sizeof spaces);
	for (int is_stream = 0; is_stream < 2; is_stream++) {
		const char *open = is_stream ? "data: {\"a\":\"" : "{\"a\":\"";

		reply_init(&r, api_openai.on_value, 4096);
		reply_head(&r, 200, is_stream ? "text/event-stream" : "application/json");
		(void)reply_feed(&r, open, strlen(open));
		for (int i = 0; i < 8; i++)
			(void)reply_feed(&r, spaces, sizeof spaces);
		ck_assert_int_eq(reply_feed(&r, "x", 1), REPLY_OVER);
		ck_assert_int_eq(reply_end(&r, WHY_OK), WHY_BAD_REPLY);
		reply_release(&r);
	}
}
END_TEST

START_TEST(nesting_of_32_is_read_and_of_33_is_not)
{
	for (int levels = 32; levels <= 33; levels++) {
		char body[256] = "{\"choices\":[{\"message\":{\"content\":\"hi\"}}],\"x\":";
		size_t n = strlen(body);

		/* The object around it is a level, too. */
		memset(body + n, '[', (size_t)levels - 1);
		body[n + (size_t)levels - 1] = '1';
		memset(body + n + levels, ']', (size_t)levels - 1);
		body[n + 2 * (size_t)levels - 1] = '}';
		ck_assert_int_eq(ends_as(&api_openai, "application/json", body, WHY_OK),
		    levels == 32 ? WHY_OK : WHY_BAD_REPLY);
	}
}
END_TEST

/* What each kind of bytes is for the clocks. */
START_TEST(heartbeats_are_traffic_and_tokens_are_progress)
{
	static const struct {
		const char *bytes;
		enum reply_step step;
	} steps[] = { { "\n\n", REPLY_BLANK }, { ": ping\n\n", REPLY_BLANK },
		{ "data:\n\n", REPLY_TRAFFIC }, { ": ping\n\n", REPLY_TRAFFIC },
		{ "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
		    REPLY_TRAFFIC },
		{ "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n",
		    REPLY_PROGRESS },
		{ "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n", REPLY_PROGRESS },
		{ "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
		    REPLY_FINISHED },
		{ ": ping\n\n", REPLY_FINISHED }, { "data: [DONE]\n\n", REPLY_OVER } };
	struct reply r;

	reply_init(&r, api_openai.on_value, LIMIT_BYTES);
	reply_head(&r, 200, "text/event-stream");
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		ck_assert_msg(
		    reply_feed(&r, steps[i].bytes, strlen(steps[i].bytes)) == steps[i].step, "%s",
		    steps[i].bytes);
	ck_assert_int_eq(reply_end(&r, WHY_OK), WHY_OK);
	reply_release(&r);
}
END_TEST

Suite *
reply_suite(void)
{
	Suite *suite = suite_create("reply");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_recorded_reply_reads_the_same_however_it_is_cut);
	tcase_add_test(tc, transfer_cut_after_the_end_of_a_stream_is_an_answer);
	tcase_add_test(tc, value_beyond_the_limit_is_a_bad_reply);
	tcase_add_test(tc, nesting_of_32_is_read_and_of_33_is_not);
	tcase_add_test(tc, heartbeats_are_traffic_and_tokens_are_progress);
	suite_add_tcase(suite, tc);
	return suite;
}
