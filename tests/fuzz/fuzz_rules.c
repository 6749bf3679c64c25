/* fuzz_rules.c - conf/conf_rules, robot/pattern, robot/reflect and the rule robot: a rule file,
 * then behind cuts what a chat says to it. What is read dumps and reads the same; there is one end
 * to each question, and every answer is clean and bounded. */
#include "fuzz/fuzz.h"

#include "base/later.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/conf_rules.h"
#include "robot/robot.h"

#include <stdlib.h>
#include <string.h>

enum { TURNS = 8, LIMIT = 4096, DUMP = 1 << 22 };

struct stage {
	struct ev_loop *loop;
	struct later later;
	struct conf_robot conf;
	struct robot *robot;
	struct said said[TURNS];
	int n_said;
	struct buf answer;
	int n_done;
};

/* --- the file -------------------------------------------------------------------------------- */

/* An @include finds nothing where it is sent to. */
static int
read_rules(const char *text, struct arena *a, struct conf_rules *out)
{
	struct err e = { "" };
	config_t file;
	int bad;

	config_init(&file);
	config_set_include_dir(&file, "/nonexistent");
	bad = config_read_string(&file, text) == CONFIG_FALSE ||
	      conf_rules_read(config_root_setting(&file), true, a, out, &e);
	if (bad)
		FUZZ_CHECK(
		    text_is_utf8(e.text, strlen(e.text)) || !text_is_utf8(text, strlen(text)));
	config_destroy(&file);
	return bad;
}

static void
check_dump(const struct conf_rules *rules)
{
	struct arena a = { NULL };
	struct conf_rules again;
	struct buf out;

	buf_init(&out, DUMP);
	FUZZ_CHECK(conf_rules_dump(rules, &out) == 0 && buf_add(&out, "", 1) == 0);
	FUZZ_CHECK(read_rules(buf_head(&out), &a, &again) == 0);
	FUZZ_CHECK(conf_rules_same(rules, &again));
	arena_release(&a);
	buf_release(&out);
}

/* --- the robot ------------------------------------------------------------------------------- */

static void
on_ask_piece(void *arg, const char *text, size_t n)
{
	struct stage *s = arg;

	FUZZ_CHECK(s->n_done == 0);
	FUZZ_CHECK_CLEAN(text, n);
	FUZZ_CHECK(buf_add(&s->answer, text, n) == 0);
}

static void
on_ask_done(void *arg, enum why why)
{
	struct stage *s = arg;

	s->n_done++;
	FUZZ_CHECK(why == WHY_OK || why == WHY_REFUSED || why == WHY_NO_ANSWER);
}

static void
open_robot(struct stage *s, const struct conf_rules *rules)
{
	static struct standings *standings;
	struct robot_env env = { .language = CONF_ZH, .limit_bytes = LIMIT };
	struct err e = { "" };

	standings = standings ? standings : standings_new(NULL);
	FUZZ_CHECK(standings != NULL);
	s->loop = ev_loop_new(EVBACKEND_SELECT);
	later_init(&s->later, s->loop);
	env.loop = s->loop;
	env.later = &s->later;
	env.standings = standings;
	s->conf = (struct conf_robot){ .name = "r",
		.kind = CONF_RULES,
		.url = "",
		.model = "",
		.secret = "",
		.rules = *rules };
	s->robot = robot_open(&s->conf, &env, &e);
	FUZZ_CHECK(s->robot != NULL);
}

/* Ask; both sides become the history of what is asked next. */
static void
ask(struct stage *s, char *text, size_t n)
{
	static const struct sink sink = { on_ask_piece, on_ask_done };
	const struct talk talk = { .user = "安",
		.n_user = 3,
		.text = text,
		.n_text = n,
		.history = s->said,
		.n_history = s->n_said };
	struct ask a = { .own = NULL };

	buf_init(&s->answer, LIMIT);
	s->n_done = 0;
	robot_ask(s->robot, &talk, &a, &sink, s);
	FUZZ_CHECK(s->n_done == 0);
	ev_run(s->loop, EVRUN_NOWAIT);
	FUZZ_CHECK(s->n_done == 1);
	s->said[s->n_said++] =
	    (struct said){ text, mem_ndup(s->answer.len ? buf_head(&s->answer) : "", s->answer.len),
		    n, s->answer.len };
	buf_release(&s->answer);
}

static void
talk_to(const struct conf_rules *rules, const char *s, size_t n)
{
	struct stage stage = { .n_said = 0 };
	char *text;
	size_t n_text;

	open_robot(&stage, rules);
	while (stage.n_said < TURNS && (text = fuzz_next(&s, &n, &n_text)) != NULL) {
		if (n_text && text_is_utf8(text, n_text) && strlen(text) == n_text)
			ask(&stage, text, n_text);
		else
			free(text);
	}
	robot_close(stage.robot);
	later_release(&stage.later);
	ev_loop_destroy(stage.loop);
	for (int i = 0; i < stage.n_said; i++) {
		free((void *)(uintptr_t)stage.said[i].question);
		free((void *)(uintptr_t)stage.said[i].answer);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	struct arena a = { NULL };
	struct conf_rules rules;
	size_t n_text;
	char *text = fuzz_next(&s, &n, &n_text);

	if (text != NULL && n_text < FUZZ_BYTES && read_rules(text, &a, &rules) == 0) {
		check_dump(&rules);
		talk_to(&rules, s, n);
	}
	arena_release(&a);
	free(text);
	return 0;
}
