/* test_history.c - what was said before. */
#include "unit/client/suites.h"

#include "client/history.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];
static struct history history;
static struct buf out;

static void
set_up(void)
{
	snprintf(folder, sizeof folder, "/tmp/xiaotu-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/state/xiaotu/history", folder);
	history_open(&history, mem_dup(path));
	buf_init(&out, 1 << 20);
}

static void
tear_down(void)
{
	char command[160];

	history_release(&history);
	buf_release(&out);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
say(const char *s)
{
	history_add(&history, s, strlen(s));
}

static void
reopen(void)
{
	history_release(&history);
	history_open(&history, mem_dup(path));
}

/* A step leads to this text; NULL: nowhere. */
static void
step(int by, const char *now, const char *wanted)
{
	bool moved = history_move(&history, by, now, strlen(now), &out);

	ck_assert(moved == (wanted != NULL));
	if (moved)
		ck_assert_msg(out.len == strlen(wanted) &&
				  (out.len == 0 || memcmp(buf_head(&out), wanted, out.len) == 0),
		    "%.*s, not %s", (int)out.len, out.len ? buf_head(&out) : "", wanted);
}

START_TEST(up_and_down_and_back_to_what_was_typed)
{
	say("一");
	say("二");
	say("二");
	step(-1, "正在", "二");
	step(-1, "二", "一");
	step(-1, "一", NULL);
	step(1, "一", "二");
	step(1, "二", "正在");
	step(1, "正在", NULL);
}
END_TEST

static void
find(const char *now, const char *wanted)
{
	bool found = history_find(&history, now, strlen(now), &out);

	ck_assert(found == (wanted != NULL));
	if (found)
		ck_assert(
		    out.len == strlen(wanted) && memcmp(buf_head(&out), wanted, out.len) == 0);
}

START_TEST(search_is_for_what_was_typed)
{
	say("今天天气");
	say("你好");
	say("天气预报");
	find("天气", "天气预报");
	find("天气预报", "今天天气");
	find("今天天气", NULL);
	step(1, "今天天气", "你好");
	step(1, "", "天气预报");
	step(1, "", "天气");
	find("没有", NULL);
	find("", "天气预报");
}
END_TEST

START_TEST(file_brings_it_back)
{
	say("两\n行 \\n");
	say("");
	say(" secret");
	say("三");
	reopen();
	step(-1, "", "三");
	step(-1, "三", "两\n行 \\n");
	step(-1, "", NULL);
}
END_TEST

START_TEST(file_is_for_its_owner_alone)
{
	struct stat st;

	say("一");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
}
END_TEST

START_TEST(two_clients_keep_what_each_said)
{
	struct history other;

	history_open(&other, mem_dup(path));
	say("一");
	history_add(&other, "二", strlen("二"));
	history_release(&other);
	reopen();
	step(-1, "", "二");
	step(-1, "", "一");
}
END_TEST

START_TEST(memory_and_file_are_bounded)
{
	char text[32];
	int n = 0, c;
	FILE *f;

	for (int i = 0; i < 3 * HISTORY_LINES; i++) {
		snprintf(text, sizeof text, "line %d", i);
		say(text);
	}
	ck_assert_int_eq(history.n, HISTORY_LINES);
	reopen();
	ck_assert_int_eq(history.n, HISTORY_LINES);
	step(-1, "", text);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	ck_assert_int_eq(n, HISTORY_LINES);
}
END_TEST

START_TEST(bad_file_is_passed_over)
{
	FILE *f;

	say("好");
	f = fopen(path, "a");
	fputs("\xff\xfe\n\n末", f);
	fclose(f);
	reopen();
	step(-1, "", "末");
	step(-1, "", "好");
	step(-1, "", NULL);
}
END_TEST

START_TEST(no_file_is_memory_alone)
{
	history_release(&history);
	history_open(&history, NULL);
	say("一");
	step(-1, "", "一");
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

static void
expect_path(const char *wanted)
{
	char *got = history_path();

	if (wanted == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, wanted);
	free(got);
}

START_TEST(place_is_that_of_the_environment)
{
	setenv("HOME", "/h", 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("XIAOTU_HISTORY");
	expect_path("/h/.local/state/xiaotu/history");
	setenv("XDG_STATE_HOME", "/s", 1);
	expect_path("/s/xiaotu/history");
	setenv("XDG_STATE_HOME", "relative", 1); /* is to be ignored, says the specification */
	expect_path("/h/.local/state/xiaotu/history");
	setenv("XIAOTU_HISTORY", "/x", 1);
	expect_path("/x");
	setenv("XIAOTU_HISTORY", "", 1);
	expect_path(NULL);
	unsetenv("XIAOTU_HISTORY");
	unsetenv("HOME");
	expect_path(NULL);
}
END_TEST

Suite *
history_suite(void)
{
	Suite *suite = suite_create("history");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, up_and_down_and_back_to_what_was_typed);
	tcase_add_test(tc, search_is_for_what_was_typed);
	tcase_add_test(tc, file_brings_it_back);
	tcase_add_test(tc, file_is_for_its_owner_alone);
	tcase_add_test(tc, two_clients_keep_what_each_said);
	tcase_add_test(tc, memory_and_file_are_bounded);
	tcase_add_test(tc, bad_file_is_passed_over);
	tcase_add_test(tc, no_file_is_memory_alone);
	tcase_add_test(tc, place_is_that_of_the_environment);
	suite_add_tcase(suite, tc);
	return suite;
}
