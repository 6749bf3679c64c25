/* test_load.c - configuration files, good ones and bad ones: errors name file, line and key. */
#include "unit/conf/suites.h"

#include "conf/conf_child.h"
#include "conf/conf_json.h"
#include "conf/conf_load.h"
#include "conf/conf_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char folder[64], path[96];

static void
make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/xiaotu-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/xiaotud.conf", folder);
}

static void
drop_folder(void)
{
	char command[160];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	char whole[160];
	FILE *f;

	snprintf(whole, sizeof whole, "%s/%s", folder, name);
	f = fopen(whole, "we");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(whole, mode), 0);
}

/* It is refused, and the error holds all of these. */
static void
refuses(const char *text, const char *a, const char *b)
{
	struct err e = { "" };
	struct conf *c;

	put("xiaotud.conf", text, 0600);
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c == NULL, "taken: %s", text);
	ck_assert_msg(strstr(e.text, a) && strstr(e.text, b), "\"%s\": \"%s\"", text, e.text);
	ck_assert_ptr_null(strchr(e.text, '\n'));
}

START_TEST(defaults_are_the_product_s)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(NULL, true, &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_int_eq(c->workers, 2);
	ck_assert_int_eq(c->n_listen, 1);
	ck_assert_str_eq(c->listen[0].address, "127.0.0.1");
	ck_assert_int_eq(c->listen[0].port, 9999);
	ck_assert_int_eq(c->robots[0].kind, CONF_RULES);
	ck_assert_int_eq(c->limit_message_bytes, 4096);
	ck_assert_int_eq(c->idle_ms, 1800000);
	ck_assert_int_eq(c->quiet_ms, 30);
	ck_assert_str_eq(c->greeting, "你好，欢迎来到机器人聊天器！\n");
	conf_free(c);
}
END_TEST

START_TEST(values_are_taken)
{
	struct err e = { "" };
	struct conf *c;

	put("robot.conf", "fallback = \"x\";", 0644);
	put("xiaotud.conf",
	    "workers = 7; timeouts = { idle = 90; drain = \"1.5s\"; };\n"
	    "listen = ( { address = \"::1\"; port = 80; }, { path = \"sock\"; } );\n"
	    "robots = ( { file = \"robot.conf\"; }, { name = \"t\"; type = \"turing\"; "
	    "api_key = [\"a\", \"b\"]; } );\n",
	    0600);
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_int_eq(c->workers, 7);
	ck_assert_int_eq(c->idle_ms, 90000);
	ck_assert_int_eq(c->drain_ms, 1500);
	ck_assert_int_eq(c->n_listen, 2);
	ck_assert_int_eq(strncmp(c->listen[1].path, folder, strlen(folder)), 0);
	ck_assert_str_eq(c->robots[0].rules.fallback.at[0], "x");
	ck_assert_int_eq(c->robots[1].api_key.n, 2);
	conf_free(c);
}
END_TEST

START_TEST(doors_have_networks_and_tokens)
{
	struct err e = { "" };
	struct conf *c;

	put("xiaotud.conf",
	    "listen = ( { allow = \"10.0.0.0/8\"; deny = ( \"10.1.0.0/16\", \"::1\" );\n"
	    "proxy_from = \"127.0.0.1\"; token = \"sha256:" HEX "\"; } );\n",
	    0600);
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_str_eq(c->listen[0].allow.at[0], "10.0.0.0/8");
	ck_assert_int_eq(c->listen[0].deny.n, 2);
	ck_assert_int_eq(c->listen[0].token.n, 1);
	conf_free(c);
	refuses(
	    "listen = ( { allow = \"10.0.0.1/8\"; } );", "allow: \"10.0.0.1/8\"", ":1: listen.[0]");
	refuses("listen = ( { deny = \"host\"; } );", "deny: \"host\"", "network");
	refuses("listen = ( { proxy_from = \"::/129\"; } );", "proxy_from: ", "0 to 128");
	refuses("listen = ( { path = \"s\"; allow = \"::1\"; } );", "allow: ", "mode");
	refuses("listen = ( { token = \"hush-hush\"; } );", "token: ", "sha256");
	refuses("listen = ( { token = \"sha256:" HEX "0\"; } );", "token: ", "sha256");
	refuses(
	    "listen = ( { transport = \"udp\"; token = \"sha256:" HEX "\"; } );", "token: ", "");
}
END_TEST

START_TEST(tls_needs_a_certificate_and_its_key)
{
	refuses("listen = ( { tls = 5; } );", "listen.[0].tls", "must be a group");
	refuses("listen = ( { tls = { sert = \"x\"; }; } );", "listen.[0].tls.sert",
	    "did you mean cert");
	refuses("listen = ( { tls = { cert_pem = \"x\"; }; } );", "cert_pem", "unknown key");
	refuses("listen = ( { tls = { cert = \"x.pem\"; }; } );", "needs cert and key", "");
	refuses("listen = ( { tls = { cert = \"x.pem\"; key = \"x.key\"; }; } );",
	    "tls.cert: ", "x.pem");
	put("x.pem", "no certificate", 0644);
	put("x.key", "no key", 0644);
	refuses("listen = ( { tls = { cert = \"x.pem\"; key = \"x.key\"; }; } );",
	    "tls.key: ", "others may read it");
	put("x.key", "no key", 0600);
	refuses(
	    "listen = ( { tls = { cert = \"x.pem\"; key = \"x.key\"; }; } );", "tls: cert: ", "");
}
END_TEST

START_TEST(bad_values_are_named)
{
	refuses("\nwrokers = 2;", "xiaotud.conf:2: wrokers", "did you mean workers");
	refuses("port = 9999;", ":1: port", "a group of listen");
	refuses("api_key = \"k\";", ":1: api_key", "a group of robots");
	refuses("workers = \"2\";", ":1: workers", "");
	refuses("greeting = \"a\\\\\\x00b\";", ":1: greeting", "x00");
	refuses("workers = -1;", ":1: workers", "");
	refuses("workers = 100000;", ":1: workers", "");
	refuses("listen = ( { port = 0; } );", "port", "xiaotud.conf:1");
	refuses("listen = ( { port = 65536; } );", "port", "xiaotud.conf:1");
	refuses("listen = ( { port = 4294967376; } );", "xiaotud.conf:1", "");
	refuses("listen = ( { port = 999999999999999999999999999999; } );", "xiaotud.conf:1", "");
	refuses("listen = ( { port = 8080.5; } );", "port", "xiaotud.conf:1");
	refuses("listen = ( { address = \"localhost\"; } );", "localhost", "address");
	refuses("listen = ( { port = 1; }, { port = 1; } );", "twice", "");
	refuses("listen = ( { speak = \"dance\"; } );", "speak", "");
	refuses("language = \"fr\";", "language", "");
	refuses("timeouts = { idle = \"soon\"; };", "timeouts.idle", "");
	refuses("limits = 5;", "limits", "");
	refuses("workers = 1;\nlisten = (((;\n", "xiaotud.conf:2", "");
	refuses("robots = ( { type = \"turing\"; } );", "api_key", "");
	refuses("robots = ( { type = \"openai\"; model = \"m\"; } );", "api_key", "url");
	refuses("robots = ( { type = \"anthropic\"; model = \"m\"; } );", "api_key", "url");
	refuses("robots = ( { type = \"turing\"; api_key = \"\"; } );", "api_key", "");
	refuses("robots = ( { name = \"a\"; }, { name = \"a\"; } );", "used twice", "a");
	refuses("robots = ( { file = \"missing\"; } );", "missing", "file");
	refuses(
	    "robots = ( { type = \"turing\"; api_key = \"k\"; url = \"ftp://x\"; } );", "url", "");
}
END_TEST

/* A file that cannot be looked at is no file that is missing. */
START_TEST(defaults_are_for_who_has_no_file)
{
	struct err e = { "" };
	struct conf *c = conf_load_file(path, true, &e);

	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_str_eq(c->origin, "built-in defaults");
	conf_free(c);
	ck_assert_int_eq(symlink(path, path), 0);
	ck_assert_ptr_null(conf_load_file(path, true, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "cannot be opened"));
}
END_TEST

/* Of two members of one name a server takes either. */
START_TEST(extra_members_are_none_that_are_sent_anyway)
{
	static const struct {
		const char *type, *more, *extra;
		bool good;
	} rows[] = {
		{ "openai", "", "temperature", true },
		{ "openai", "", "messages", false },
		{ "openai", "", "stream", false },
		{ "openai", "", "model", false },
		{ "openai", "", "stream_options", false },
		{ "openai", "stream_usage = false;", "stream_options", true },
		{ "openai", "", "max_tokens", true },
		{ "openai", "max_tokens = 5;", "max_tokens", false },
		{ "openai", "max_tokens = 5;", "max_completion_tokens", false },
		{ "ollama", "", "options", true },
		{ "ollama", "max_tokens = 5;", "options", false },
		{ "anthropic", "", "max_tokens", false },
		{ "anthropic", "", "system", true },
		{ "anthropic", "system = \"x\";", "system", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err e = { "" };
		struct conf *c;
		char text[400];

		snprintf(text, sizeof text,
		    "robots = ( { type = \"%s\"; url = \"http://h\"; model = \"m\"; %s\n"
		    "extra = \"{\\\"a\\\":{\\\"stream\\\":1},\\\"%s\\\":1}\"; } );",
		    rows[i].type, rows[i].more, rows[i].extra);
		put("xiaotud.conf", text, 0600);
		c = conf_load_file(path, false, &e);
		ck_assert_msg(rows[i].good == (c != NULL), "%s: %s", text, e.text);
		ck_assert(rows[i].good || strstr(e.text, rows[i].extra));
		conf_free(c);
	}
}
END_TEST

START_TEST(a_key_is_kept_from_others)
{
	static const char text[] = "robots = ( { type = \"turing\"; api_key = \"s3cr3t\"; } );";
	static const char by_file[] =
	    "robots = ( { type = \"turing\"; api_key_file = \"key\"; } );";
	struct err e = { "" };
	struct conf *c;

	put("xiaotud.conf", text, 0644);
	ck_assert_ptr_null(conf_load_file(path, false, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "0644"));
	ck_assert_ptr_null(strstr(e.text, "s3cr3t"));
	put("key", "one\ntwo\n", 0600);
	put("xiaotud.conf", by_file, 0644);
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_int_eq(c->robots[0].api_key.n, 2);
	ck_assert_str_eq(c->robots[0].api_key.at[1], "two");
	conf_free(c);
	put("key", "one\n", 0644);
	ck_assert_ptr_null(conf_load_file(path, false, &e));
}
END_TEST

/* Byte for byte, whatever stands between them: they go on as a text of the snapshot. */
START_TEST(certificates_are_read_at_load)
{
	static const char pem[] = "# \"T\xc3\xbcrk\xfc\" \\ \t\r\n"
				  "-----BEGIN CERTIFICATE-----\nMIIB+/==\n"
				  "-----END CERTIFICATE-----\n";
	static const char text[] =
	    "robots = ( { type = \"openai\"; url = \"https://h\"; ca_file = \"ca.pem\"; } );";
	struct err e = { "" };
	struct conf *c;
	int memfd = -1;

	put("ca.pem", pem, 0644);
	put("xiaotud.conf", text, 0600);
	c = conf_load_apart(path, false, &memfd, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_str_eq(c->robots[0].ca, pem);
	conf_free(c);
	close(memfd);
	put("ca.pem", "no certificate\n", 0644);
	ck_assert_ptr_null(conf_load_file(path, false, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "ca_file"));
	put("xiaotud.conf", "robots = ( { type = \"openai\"; url = \"https://h\"; ca = \"x\"; } );",
	    0600);
	ck_assert_ptr_null(conf_load_file(path, false, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "unknown key"));
}
END_TEST

START_TEST(rule_files_are_checked)
{
	static const struct {
		const char *text, *a, *b;
	} rows[] = { { "rules = ( { pattern = \"a\"; } );", "answers", "robot.conf:1" },
		{ "\nrules = ( { pattern = \"a\"; answers = \"{1}\"; } );", "{1}", "robot.conf:2" },
		{ "rules = ( { pattern = \"a**\"; answers = \"x\"; } );", "pattern",
		    "robot.conf:1" },
		{ "rules = ( { patern = \"a\"; answers = \"x\"; } );", "did you mean pattern", "" },
		{ "fallback = \"{nobody}\";", "{nobody}", "fallback" },
		{ "rules = ( { pattern = \"(a*|b)\"; answers = \"x\"; } );", "star in",
		    "robot.conf:1" },
		{ "rules = ( { pattern = \"(a|b|c|d|e|f)(a|b|c|d|e|f)(a|b|c|d|e|f)\"; "
		  "answers = \"x\"; } );",
		    "more than 200", "pattern" },
		{ "rules = ( { pattern = \"((((((((a|b)|c)|d)|e)|f)|g)|h)|i)\"; answers = \"x\"; } "
		  ");",
		    "more than 200", "pattern" },
		{ "rules = ( { pattern = \"((a|b)|*)\"; answers = \"x\"; } );", "star in", "" },
		{ "rules = ( { pattern = \"*(a|)(b|)*\"; answers = \"x\"; } );", "two stars", "" },
		{ "fallback = \"x\"; reflect = ( { from = \"(a|b)\"; to = \"(c|d|e)\"; } );",
		    "as many as", "reflect" },
		{ "rules = 5;", "list of groups", "" }, { "", "neither", "" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		put("robot.conf", rows[i].text, 0644);
		refuses("robots = ( { file = \"robot.conf\"; } );", rows[i].a, rows[i].b);
	}
}
END_TEST

/* Wherever the process is, and it stays there. */
START_TEST(included_files_are_found)
{
	char text[400], before[4096], after[4096], sub[160];
	struct err e = { "" };
	struct conf *c;

	snprintf(sub, sizeof sub, "%s/sub", folder);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	put("one.conf", "workers = 7;\n", 0600);
	put("sub/two.conf", "language = \"en\";\n", 0600);
	put("sub/robot.conf", "@include \"more.conf\"\n", 0600);
	put("sub/more.conf", "fallback = \"hm\";\n", 0600);
	snprintf(text, sizeof text,
	    "@include \"%s/one.conf\"\n@include \"sub/two.conf\"\n"
	    "robots = ( { file = \"sub/robot.conf\"; } );\n",
	    folder);
	put("xiaotud.conf", text, 0600);
	ck_assert_ptr_nonnull(getcwd(before, sizeof before));
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_ptr_nonnull(getcwd(after, sizeof after));
	ck_assert_str_eq(after, before);
	ck_assert_int_eq(c->workers, 7);
	ck_assert_str_eq(c->robots[0].rules.fallback.at[0], "hm");
	conf_free(c);
	put("one.conf", "workers = 7;\nworkers = 8;\n", 0600);
	refuses(text, "one.conf:2: workers: is there twice", "");
	put("one.conf", "", 0600);
	put("sub/two.conf", "greeting = \"a\";\ngreeting = \"b\";\n", 0600);
	refuses(text, "sub/two.conf:2: greeting: is there twice", "");
	put("sub/two.conf", "", 0600);
	put("sub/more.conf", "fallback = = \"hm\";\n", 0600);
	refuses(text, "xiaotud.conf:3: robots.[0]: file: more.conf:1: syntax error", "");
}
END_TEST

/* For libconfig it goes on; its "syntax error" would be about nothing that one can see. */
START_TEST(comment_that_does_not_end_is_named)
{
	refuses("workers = 7; # seven", "xiaotud.conf:1: a newline must end the comment", "");
	refuses("workers = 7;\n// seven", "xiaotud.conf:2: a newline must end the comment", "");
	refuses("workers = 7;\n/* seven\n", "xiaotud.conf:3: the comment does not end", "");
}
END_TEST

/* libconfig would end the process, or wait for ever: in the child that is one failed attempt. */
START_TEST(hostile_files_cost_a_child)
{
	struct err e = { "" };
	char fifo[160];
	int memfd;

	put("xiaotud.conf", "@include \"/\"\n", 0600);
	ck_assert_ptr_null(conf_load_apart(path, false, &memfd, &e));
	ck_assert_ptr_null(conf_load_apart(folder, false, &memfd, &e));
	snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_ptr_null(conf_load_apart(fifo, false, &memfd, &e));
	put("xiaotud.conf", "@include \"xiaotud.conf\"\n", 0600);
	ck_assert_ptr_null(conf_load_apart(path, false, &memfd, &e));
	ck_assert_ptr_null(conf_load_apart("/nowhere/x", false, &memfd, &e));
}
END_TEST

/* "NAME:LINE", the name without its folder; "" for a default. */
static const char *
source(const struct conf *c, const char *key)
{
	const struct conf_source *s = conf_source_of(c, key);
	static char text[64];
	const char *name;

	if (s == NULL)
		return "";
	name = strrchr(s->file, '/');
	snprintf(text, sizeof text, "%s:%d", name ? name + 1 : s->file, s->line);
	return text;
}

/* By way of the child, whose dump must bring them along. */
START_TEST(every_value_knows_where_it_was_set)
{
	struct err e = { "" };
	struct conf *c;
	int memfd;

	put("more.conf", "\nlimits = { chats = 5;\nmessage_bytes = 9; };\n", 0600);
	put("key", "s3cr3t\n", 0600);
	put("xiaotud.conf",
	    "workers = 7;\n@include \"more.conf\"\n"
	    "listen = ( { port = 80; },\n{ port = 81; } );\n"
	    "robots = ( { type = \"hello\"; },\n"
	    "{ name = \"t\"; type = \"turing\";\napi_key_file = \"key\"; } );\n",
	    0600);
	c = conf_load_apart(path, false, &memfd, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	ck_assert_str_eq(source(c, "workers"), "xiaotud.conf:1");
	ck_assert_str_eq(source(c, "greeting"), "");
	ck_assert_str_eq(source(c, "limits.chats"), "more.conf:2");
	ck_assert_str_eq(source(c, "limits.message_bytes"), "more.conf:3");
	ck_assert_str_eq(source(c, "listen.[0].port"), "xiaotud.conf:3");
	ck_assert_str_eq(source(c, "listen.[1].port"), "xiaotud.conf:4");
	ck_assert_str_eq(source(c, "listen.[1].address"), "");
	ck_assert_str_eq(source(c, "robots.[1].api_key_file"), "xiaotud.conf:7");
	conf_free(c);
	close(memfd);
}
END_TEST

START_TEST(as_json_all_values_have_their_source_and_secrets_are_masked)
{
	struct err e = { "" };
	struct conf *c;
	struct buf out;
	char source[160];

	put("key", "s3cr3t\nother\n", 0600);
	put("xiaotud.conf",
	    "workers = 7;\nrobots = ( { name = \"t\"; type = \"turing\";\n"
	    "api_key_file = \"key\"; secret = \"0123456789abcdef\"; } );\n",
	    0600);
	c = conf_load_file(path, false, &e);
	ck_assert_msg(c != NULL, "%s", e.text);
	buf_init(&out, 1 << 20);
	ck_assert_int_eq(conf_json(c, &out), 0);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	snprintf(source, sizeof source,
	    "{\"key\":\"robots.t.api_key\",\"value\":[\"***\",\"***\"],\"source\":\"%s:3\"}", path);
	ck_assert_ptr_nonnull(strstr(buf_head(&out), source));
	snprintf(source, sizeof source,
	    "{\"key\":\"robots.t.secret\",\"value\":\"***\",\"source\":\"%s:3\"}", path);
	ck_assert_ptr_nonnull(strstr(buf_head(&out), source));
	ck_assert_ptr_nonnull(strstr(buf_head(&out),
	    "{\"key\":\"timeouts.idle\",\"value\":\"30m\",\"source\":\"default\"}"));
	ck_assert_ptr_null(strstr(buf_head(&out), "s3cr3t"));
	ck_assert_ptr_null(strstr(buf_head(&out), "0123456789abcdef"));
	buf_release(&out);
	conf_free(c);
}
END_TEST

Suite *
load_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, make_folder, drop_folder);
	tcase_add_test(tc, defaults_are_the_product_s);
	tcase_add_test(tc, values_are_taken);
	tcase_add_test(tc, doors_have_networks_and_tokens);
	tcase_add_test(tc, tls_needs_a_certificate_and_its_key);
	tcase_add_test(tc, bad_values_are_named);
	tcase_add_test(tc, defaults_are_for_who_has_no_file);
	tcase_add_test(tc, extra_members_are_none_that_are_sent_anyway);
	tcase_add_test(tc, a_key_is_kept_from_others);
	tcase_add_test(tc, certificates_are_read_at_load);
	tcase_add_test(tc, rule_files_are_checked);
	tcase_add_test(tc, included_files_are_found);
	tcase_add_test(tc, comment_that_does_not_end_is_named);
	tcase_add_test(tc, hostile_files_cost_a_child);
	tcase_add_test(tc, every_value_knows_where_it_was_set);
	tcase_add_test(tc, as_json_all_values_have_their_source_and_secrets_are_masked);
	suite_add_tcase(suite, tc);
	return suite;
}
