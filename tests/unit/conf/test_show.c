/* test_show.c - dump, sample and difference of snapshots. */
#include "unit/conf/suites.h"

#include "conf/conf_load.h"
#include "conf/conf_show.h"

#include <string.h>

static struct conf *
load(const char *text)
{
	struct err e = { "" };
	struct conf *c = conf_load_dump(text, strlen(text), &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	return c;
}

static void
dump(const struct conf *c, enum conf_dump how, struct buf *out)
{
	buf_init(out, 1 << 24);
	ck_assert_int_eq(conf_dump(c, how, out), 0);
	ck_assert_int_eq(buf_add(out, "", 1), 0);
}

static void
on_change(const struct conf_change *change, void *arg)
{
	struct buf *out = arg;

	ck_assert_int_eq(
	    buf_addf(out, "%s%s ", change->key, change->policy == OPT_RESTART ? "!" : ""), 0);
}

static void
on_values(const struct conf_change *change, void *arg)
{
	struct buf *out = arg;

	ck_assert_int_eq(buf_addf(out, "%s: %s -> %s\n", change->key, change->from, change->to), 0);
}

static void
differs(const char *a, const char *b, const char *expected)
{
	struct conf *from = load(a), *to = load(b);
	struct buf out;

	buf_init(&out, 4096);
	(void)conf_diff(from, to, on_change, &out);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	ck_assert_str_eq(buf_head(&out), expected);
	buf_release(&out);
	conf_free(from);
	conf_free(to);
}

#define TURING "robots = ( { name = \"t\"; type = \"turing\"; api_key = \"s3cr3t\"; } );"

START_TEST(a_dump_loads_to_the_same)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(NULL, true, &e), *again;
	struct buf one, two;

	ck_assert_msg(c != NULL, "%s", e.text);
	dump(c, CONF_WHOLE, &one);
	again = load(buf_head(&one));
	dump(again, CONF_WHOLE, &two);
	ck_assert_str_eq(buf_head(&one), buf_head(&two));
	conf_free(c);
	conf_free(again);
	buf_release(&one);
	buf_release(&two);
}
END_TEST

START_TEST(a_masked_dump_hides_keys_only)
{
	struct conf *c = load(TURING);
	struct buf out;

	ck_assert(conf_has_secret(c));
	dump(c, CONF_MASKED, &out);
	ck_assert_ptr_null(strstr(buf_head(&out), "s3cr3t"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "***"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "first_byte_timeout"));
	buf_release(&out);
	conf_free(c);
}
END_TEST

START_TEST(the_sample_is_the_defaults)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(NULL, true, &e), *sample;
	struct buf text;

	buf_init(&text, 1 << 20);
	ck_assert_int_eq(conf_sample(&text), 0);
	sample = conf_load_dump(buf_head(&text), text.len, &e);
	ck_assert_msg(sample != NULL, "%s", e.text);
	ck_assert_int_eq(sample->idle_ms, c->idle_ms);
	ck_assert_int_eq(sample->limit_chats, c->limit_chats);
	ck_assert_str_eq(sample->greeting, c->greeting);
	conf_free(sample);
	conf_free(c);
	buf_release(&text);
}
END_TEST

START_TEST(differences_are_named_by_key)
{
	differs(TURING, TURING, "");
	differs("workers = 1;", "workers = 2;", "workers ");
	differs("", "pid_file = \"/x\";", "pid_file! ");
	differs("", "limits = { chats = 5; };", "limits.chats ");
	differs(TURING, "robots = ( { name = \"t\"; type = \"turing\"; api_key = \"other\"; } );",
	    "robots.t.api_key ");
	differs("", "listen = ( { port = 80; } );", "listen ");
	differs("", "listen = ( { allow = \"::1\"; } );", "listen.[0].allow ");
}
END_TEST

START_TEST(differences_have_both_values_and_no_secret)
{
	struct conf *from = load(TURING "workers = 1; greeting = \"a\\nb\";");
	struct conf *to =
	    load("robots = ( { name = \"t\"; type = \"turing\"; api_key = \"n3w\"; } );"
		 "workers = 2; timeouts = { idle = 90; }; listen = ( { port = 80; } );");
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(conf_diff(from, to, on_values, &out), 5);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	ck_assert_str_eq(buf_head(&out),
	    "workers: 1 -> 2\n"
	    "greeting: \"a\\nb\" -> \"你好，欢迎来到机器人聊天器！\\n\"\n"
	    "timeouts.idle: \"30m\" -> \"90s\"\n"
	    "listen: [\"tcp://127.0.0.1:9999\"] -> [\"tcp://127.0.0.1:80\"]\n"
	    "robots.t.api_key: [\"***\"] -> [\"***\"]\n");
	buf_release(&out);
	conf_free(from);
	conf_free(to);
}
END_TEST

START_TEST(robots_are_told_apart_by_name_address_and_key)
{
	struct conf *a = load(TURING), *b = load(TURING);
	struct conf_robot *r = &b->robots[0];
	const char *other = "other";

	ck_assert(conf_robot_identity(&a->robots[0]) == conf_robot_identity(r));
	r->model = other;
	ck_assert(conf_robot_identity(&a->robots[0]) != conf_robot_identity(r));
	r->model = a->robots[0].model;
	r->api_key.at[0] = other;
	ck_assert(conf_robot_identity(&a->robots[0]) != conf_robot_identity(r));
	conf_free(a);
	conf_free(b);
}
END_TEST

Suite *
show_suite(void)
{
	Suite *suite = suite_create("show");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, a_dump_loads_to_the_same);
	tcase_add_test(tc, a_masked_dump_hides_keys_only);
	tcase_add_test(tc, the_sample_is_the_defaults);
	tcase_add_test(tc, differences_are_named_by_key);
	tcase_add_test(tc, differences_have_both_values_and_no_secret);
	tcase_add_test(tc, robots_are_told_apart_by_name_address_and_key);
	suite_add_tcase(suite, tc);
	return suite;
}
