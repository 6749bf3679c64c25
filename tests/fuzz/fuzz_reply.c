/* fuzz_reply.c - robot/reply with every API: text, verdict and account are the same however a reply
 * is cut, and what would reach a chat is clean. Inputs look like tests/data/replies: the lines
 * "robot: NAME", "type: CONTENT-TYPE", "status: NUMBER", an empty line, the body. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "robot/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 128 };

struct kind {
	const char *name;
	const struct api *api;
};

static const struct kind kinds[] = { { "openai", &api_openai }, { "ollama", &api_ollama },
	{ "anthropic", &api_anthropic }, { "turing", &api_turing }, { "turing2", &api_turing2 },
	{ NULL, NULL } };

struct sample {
	const struct api *api;
	char type[64];
	long status;
	bool cut_off; /* the transfer failed */
	const char *body;
	size_t n_body;
};

struct reading {
	struct reply reply;
	struct buf text;
	bool over;
};

/* --- the input ------------------------------------------------------------------------------- */

static void
take_line(struct sample *s, const char *line)
{
	if (strncmp(line, "robot: ", 7) == 0)
		for (const struct kind *k = kinds; k->name; k++)
			s->api = strcmp(k->name, line + 7) == 0 ? k->api : s->api;
	if (strncmp(line, "type: ", 6) == 0)
		snprintf(s->type, sizeof s->type, "%.63s", line + 6);
	if (strncmp(line, "status: ", 8) == 0)
		s->status = strtol(line + 8, NULL, 10);
	s->cut_off = s->cut_off || strcmp(line, "cut") == 0;
}

static void
take_sample(const char *bytes, size_t n, struct sample *s)
{
	char line[128];

	*s = (struct sample){ .api = &api_openai, .status = 200 };
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t n_line = end ? (size_t)(end - bytes) : n;

		if (n_line == 0 || n_line >= sizeof line)
			break;
		memcpy(line, bytes, n_line);
		line[n_line] = '\0';
		take_line(s, line);
		bytes += n_line + (end != NULL);
		n -= n_line + (end != NULL);
	}
	s->body = n && *bytes == '\n' ? bytes + 1 : bytes;
	s->n_body = n && *bytes == '\n' ? n - 1 : n;
}

/* --- reading --------------------------------------------------------------------------------- */

static void
hand_on(struct reading *r, bool at_end)
{
	if (r->reply.text.len == 0 || (r->reply.whole && !at_end))
		return;
	FUZZ_CHECK(buf_add(&r->text, buf_head(&r->reply.text), r->reply.text.len) == 0);
	buf_cut(&r->reply.text, 0);
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;
	enum reply_step step;

	(void)quiet;
	if (r->over || n == 0)
		return;
	step = reply_feed(&r->reply, s, n);
	FUZZ_CHECK((step == REPLY_OVER) == r->reply.over);
	r->over = step == REPLY_OVER;
	FUZZ_CHECK(r->reply.text.len <= r->reply.text.limit);
	hand_on(r, false);
}

static void
check_clean(const struct buf *text)
{
	struct text_clean state = { .n_part = 0 };
	struct buf out;

	buf_init(&out, 4 * FUZZ_BYTES);
	FUZZ_CHECK(text_clean(&state, text->len ? buf_head(text) : "", text->len, &out) == 0);
	FUZZ_CHECK(text_clean_end(&state, &out) == 0);
	FUZZ_CHECK_CLEAN(buf_head(&out), out.len);
	buf_release(&out);
}

/* The transcript is text and verdict. */
static void
read_in(const struct sample *s, enum fuzz_way way, uint32_t limit, struct buf *out)
{
	struct reading r = { .over = false };
	enum why why;

	buf_init(&r.text, FUZZ_BYTES);
	reply_init(&r.reply, s->api->on_value, limit);
	reply_head(&r.reply, s->status, s->type);
	fuzz_feed(s->body, s->n_body, way, on_piece, &r);
	why = reply_end(&r.reply, s->cut_off ? WHY_UNAVAILABLE : WHY_OK);
	hand_on(&r, true);
	FUZZ_CHECK(why != WHY_OK || r.text.len > 0);
	FUZZ_CHECK(why != WHY_OK || (s->status >= 200 && s->status < 300) || s->status == 0);
	FUZZ_CHECK(!(why != WHY_OK && r.reply.whole) || r.text.len == 0);
	check_clean(&r.text);
	buf_init(out, 2 * FUZZ_BYTES);
	FUZZ_CHECK(buf_addf(out, "%s %" PRId64 " %" PRId64 " %" PRId64 " <%s> <%s>\n",
		       why_words[why], r.reply.tokens_in, r.reply.tokens_out, r.reply.code,
		       r.reply.words, r.reply.says) == 0);
	FUZZ_CHECK(buf_add(out, r.text.len ? buf_head(&r.text) : "", r.text.len) == 0);
	reply_release(&r.reply);
	buf_release(&r.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf out[FUZZ_WAYS], small;
	struct sample s;

	if (n > FUZZ_BYTES / 8)
		return 0;
	take_sample((const char *)data, n, &s);
	for (int way = 0; way < FUZZ_WAYS; way++) {
		read_in(&s, (enum fuzz_way)way, FUZZ_BYTES, &out[way]);
		if (!fuzz_has_odd_number(s.body, s.n_body))
			FUZZ_CHECK_SAME(&out[0], &out[way]);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&out[way]);
	read_in(&s, FUZZ_AS_CUT, SMALL, &small);
	buf_release(&small);
	return 0;
}
