/* test_control.c - what the control socket tells. */
#include "e2e/operator.h"
#include "e2e/suites.h"

#include "lib/promtext.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 400 };

START_TEST(status_tells_what_runs)
{
	struct server *s = server_start(HELLO_SERVER);
	struct json_object *o, *workers;
	struct peer *p = scene_chat(s);

	(void)scene_chat(s);
	scene_hello(p, "me::hi");
	scene_hello(p, "again");
	o = operator_json(s, "status");
	workers = json_object_member(o, "workers");
	ck_assert_int_eq(operator_number(o, "pid"), s->pid);
	ck_assert_str_eq(operator_text(o, "state"), "serving");
	ck_assert_int_ge(operator_number(o, "uptime_seconds"), 0);
	ck_assert_int_eq(operator_number(workers, "wanted"), 2);
	ck_assert_int_eq(operator_number(workers, "ready"), 2);
	ck_assert_int_eq(operator_number(workers, "leaving"), 0);
	ck_assert_int_eq(operator_number(o, "chats"), 2);
	ck_assert_int_eq(operator_number(o, "accepted"), 2);
	ck_assert_int_eq(operator_number(o, "messages"), 2);
	ck_assert_int_eq(operator_number(o, "answers"), 2);
	ck_assert_int_eq(operator_number(o, "log_lost"), 0);
	ck_assert_int_eq(operator_number(json_object_member(o, "message_duration_ms"), "count"), 2);
	ck_assert_str_eq(operator_text(o, "conf"), s->config);
	ck_assert_int_eq(operator_size(o, "listen"), 1);
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

START_TEST(workers_are_told_one_by_one)
{
	struct server *s = server_start(HELLO_SERVER);
	pid_t pids[SERVER_WORKERS_MAX];
	struct json_object *o;
	int64_t chats = 0;
	int n = server_pids(s, pids);

	for (int i = 0; i < 10; i++)
		scene_hello(scene_chat(s), "me::hi");
	o = operator_json(s, "workers");
	ck_assert_int_eq(operator_size(o, "workers"), n);
	for (int i = 0; i < n; i++) {
		struct json_object *w = operator_item(o, "workers", (size_t)i);
		bool known = false;

		for (int k = 0; k < n; k++)
			known |= operator_number(w, "pid") == pids[k];
		ck_assert(known);
		ck_assert_str_eq(operator_text(w, "state"), "ready");
		chats += operator_number(w, "chats");
	}
	ck_assert_int_eq(chats, 10);
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

/* One waits for its answer, with one more behind it; one has said its name; one nothing. */
START_TEST(chats_are_told_with_what_they_do)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *ann = scene_chat(s), *bob = scene_chat(s);
	bool seen_ann = false, seen_bob = false;
	struct json_object *o;

	(void)scene_chat(s);
	peer_send(bob, "{\"user\":\"小\\u009b明\",\"text\":\"x\"}\n");
	(void)peer_line(bob);
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(ann, "ann::hi\nmore\n");
	fakebot_wait_requests(b, 2);
	o = operator_json(s, "chats");
	ck_assert_int_eq(operator_size(o, "chats"), 3);
	ck_assert_int_eq(operator_size(o, "missing"), 0);
	for (size_t i = 0; i < 3; i++) {
		struct json_object *c = operator_item(o, "chats", i);
		char *user = strdup(operator_text(c, "user"));

		ck_assert_int_eq(strncmp(operator_text(c, "from"), "127.0.0.1:", 10), 0);
		ck_assert_int_ge(operator_number(c, "chat"), 1);
		ck_assert_int_ge(operator_number(c, "seconds"), 0);
		if (strcmp(user, "ann") == 0) {
			seen_ann = json_true(c, "answering") && operator_number(c, "waiting") == 1;
			ck_assert_str_eq(operator_text(c, "dialect"), "line");
			ck_assert_int_eq(
			    operator_number(c, "worker"), server_worker_of(s, peer_port(ann)));
		} else if (strcmp(user, "小明") == 0) {
			seen_bob = !json_true(c, "answering");
			ck_assert_str_eq(operator_text(c, "dialect"), "json");
		}
		free(user);
	}
	ck_assert(seen_ann && seen_bob);
	json_drop(o);
	fakebot_release(b);
	peer_expect(ann, "echo:hi\necho:more\n");
	scene_end(s, b);
}
END_TEST

START_TEST(hundreds_of_chats_are_told_once_each)
{
	struct server *s = server_start(HELLO_SERVER);
	static bool seen[4 * MANY];
	struct json_object *o;

	for (int i = 0; i < MANY; i++)
		(void)scene_chat(s);
	o = operator_json(s, "chats");
	ck_assert_int_eq(operator_size(o, "chats"), MANY);
	for (size_t i = 0; i < MANY; i++) {
		int64_t chat = operator_number(operator_item(o, "chats", i), "chat");

		ck_assert(chat >= 0 && chat < 4 * MANY && !seen[chat]);
		seen[chat] = true;
	}
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

START_TEST(worker_that_does_not_answer_is_named_as_missing)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *a = scene_chat(s), *b;
	pid_t stopped = server_worker_of(s, peer_port(a));
	struct json_object *o;

	do
		b = scene_chat(s);
	while (server_worker_of(s, peer_port(b)) == stopped);
	ck_assert_int_eq(kill(stopped, SIGSTOP), 0);
	o = operator_json(s, "chats");
	ck_assert_int_eq(operator_size(o, "missing"), 1);
	ck_assert_int_eq(json_item_whole(json_list(o, "missing"), 0), stopped);
	ck_assert_int_eq(operator_size(o, "chats"), 1);
	ck_assert_int_ne(operator_number(operator_item(o, "chats", 0), "worker"), stopped);
	json_drop(o);
	ck_assert_int_eq(kill(stopped, SIGCONT), 0);
	scene_hello(a, "me::hi");
	o = operator_json(s, "chats");
	ck_assert_int_eq(operator_size(o, "missing"), 0);
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

#define TWO_ROBOTS                                                                                 \
	"robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\";\n"                     \
	"  api_key = [\"" KEY                                                                      \
	"\", \"fedcba9876543210\"]; }, { name = \"小图\"; type = \"hello\"; } );\n"

/* The robot says that the calls of the first key are used up, then breaks down. */
START_TEST(robots_tell_who_rests_and_which_keys_are_set_aside)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE TWO_ROBOTS);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	struct json_object *o, *r;

	peer_send(p, "me::one\n");
	peer_expect(p, "echo:one\n");
	fakebot_play(b, &(struct fakebot_script){
			    .only = KEY, .body = "{\"code\":40004,\"text\":\"no calls left\"}" });
	peer_send(p, "two\n");
	peer_expect(p, "echo:two\n");
	o = operator_json(s, "robots");
	ck_assert_int_eq(operator_size(o, "robots"), 2);
	r = operator_item(o, "robots", 0);
	ck_assert_str_eq(operator_text(r, "name"), "turing");
	ck_assert_str_eq(operator_text(r, "type"), "turing");
	ck_assert_str_eq(operator_text(r, "state"), "answering");
	ck_assert_int_eq(operator_number(r, "asked"), 2);
	ck_assert_int_eq(operator_number(r, "answered"), 2);
	ck_assert_int_eq(operator_number(r, "in_flight"), 0);
	ck_assert_int_eq(operator_number(json_object_member(r, "answer_duration_ms"), "count"), 2);
	ck_assert_int_eq(operator_size(r, "keys"), 2);
	ck_assert_str_eq(operator_text(operator_item(r, "keys", 0), "key"), "***");
	ck_assert_int_ge(operator_number(operator_item(r, "keys", 0), "aside_seconds"), 1);
	ck_assert_int_eq(operator_number(operator_item(r, "keys", 1), "aside_seconds"), 0);
	ck_assert_str_eq(operator_text(operator_item(o, "robots", 1), "name"), "小图");
	json_drop(o);
	fakebot_play(
	    b, &(struct fakebot_script){ .status = 429, .headers = "Retry-After: 25\r\n" });
	peer_send(p, "three\n");
	peer_expect(p, "Hello, three!\n");
	o = operator_json(s, "robots");
	r = operator_item(o, "robots", 0);
	ck_assert_str_eq(operator_text(r, "state"), "resting");
	ck_assert_str_eq(operator_text(r, "why"), "rate");
	ck_assert_int_ge(operator_number(r, "seconds"), 20);
	ck_assert_int_le(operator_number(r, "seconds"), 25);
	ck_assert_int_eq(operator_number(r, "failed"), 1);
	ck_assert_int_eq(operator_number(operator_item(o, "robots", 1), "answered"), 1);
	json_drop(o);
	scene_end(s, b);
}
END_TEST

START_TEST(requests_under_way_are_counted)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *peers[5];
	struct json_object *o;

	s->worker_slack = 10; /* connections to the robot are kept */
	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	for (int i = 0; i < 5; i++) {
		peers[i] = scene_chat(s);
		peer_send(peers[i], "me::hi\n");
	}
	fakebot_wait_requests(b, 5);
	o = operator_json(s, "robots");
	ck_assert_int_eq(operator_number(operator_item(o, "robots", 0), "in_flight"), 5);
	json_drop(o);
	fakebot_release(b);
	for (int i = 0; i < 5; i++)
		peer_expect(peers[i], "echo:hi\n");
	o = operator_json(s, "robots");
	ck_assert_int_eq(operator_number(operator_item(o, "robots", 0), "in_flight"), 0);
	json_drop(o);
	scene_end(s, b);
}
END_TEST

static struct json_object *
value_of(struct json_object *o, const char *key)
{
	for (size_t i = 0; i < operator_size(o, "values"); i++)
		if (strcmp(operator_text(operator_item(o, "values", i), "key"), key) == 0)
			return operator_item(o, "values", i);
	ck_abort_msg("no key %s", key);
	return NULL;
}

START_TEST(config_tells_values_and_where_they_were_set)
{
	struct server *s = server_start(TURING_SERVER);
	struct json_object *o = operator_json(s, "config"), *v;
	char source[128];

	snprintf(source, sizeof source, "%s:2", s->config);
	v = value_of(o, "workers");
	ck_assert_int_eq(operator_number(v, "value"), 2);
	ck_assert_str_eq(operator_text(v, "source"), source);
	v = value_of(o, "timeouts.idle");
	ck_assert_str_eq(operator_text(v, "value"), "30m");
	ck_assert_str_eq(operator_text(v, "source"), "default");
	snprintf(source, sizeof source, "%s:5", s->config);
	v = value_of(o, "robots.turing.api_key");
	ck_assert_str_eq(operator_text(v, "source"), source);
	json_drop(o);
	scene_end(s, NULL);
}
END_TEST

START_TEST(metrics_are_prometheus_s_and_count)
{
	struct server *s = server_start(PLAIN POOL(2) DOOR(9999) NO_RATE TWO_ROBOTS);
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);
	pid_t pids[SERVER_WORKERS_MAX];
	char *text;

	s->may_crash = true;
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	peer_send(p, "a\xff\n");
	peer_expect_prefix(p, "ERR bad-utf8 ");
	server_reload_ok(s);
	server_config(s, PLAIN POOL(2) DOOR(9999) NO_RATE TWO_ROBOTS "x = 1;\n");
	server_reload_rejected(s, "x");
	(void)server_pids(s, pids);
	ck_assert_int_eq(
	    kill(pids[0] == server_worker_of(s, peer_port(p)) ? pids[1] : pids[0], SIGKILL), 0);
	(void)server_wait_log(s, "ev=worker_exit");
	text = operator_ask(s, "metrics");
	promtext_check(text);
	promtext_has(text, "xiaotu_chats 1");
	promtext_has(text, "xiaotu_messages_total 1");
	promtext_has(text, "xiaotu_answers_total 1");
	promtext_has(text, "xiaotu_failures_total 0");
	promtext_has(text, "xiaotu_rejected_total 1");
	promtext_has(text, "xiaotu_message_duration_seconds_count 1");
	promtext_has(text, "xiaotu_reloads_total{result=\"ok\"} 1");
	promtext_has(text, "xiaotu_reloads_total{result=\"rejected\"} 1");
	promtext_has(text, "xiaotu_worker_deaths_total{reason=\"signal\"} 1");
	promtext_has(text, "xiaotu_robot_answered_total{robot=\"turing\"} 1");
	promtext_has(text, "xiaotu_robot_answer_duration_seconds_count{robot=\"turing\"} 1");
	promtext_has(text, "xiaotu_robot_asked_total{robot=\"小图\"} 0");
	free(text);
	server_wait_workers(s, 2, SERVER_MS);
	(void)server_wait_log(s, "ev=worker_ready");
	scene_end(s, b);
}
END_TEST

Suite *
control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tc = scene_case(suite, "told");

	tcase_add_test(tc, status_tells_what_runs);
	tcase_add_test(tc, workers_are_told_one_by_one);
	tcase_add_test(tc, chats_are_told_with_what_they_do);
	tcase_add_test(tc, hundreds_of_chats_are_told_once_each);
	tcase_add_test(tc, worker_that_does_not_answer_is_named_as_missing);
	tcase_add_test(tc, robots_tell_who_rests_and_which_keys_are_set_aside);
	tcase_add_test(tc, requests_under_way_are_counted);
	tcase_add_test(tc, config_tells_values_and_where_they_were_set);
	tcase_add_test(tc, metrics_are_prometheus_s_and_count);
	return suite;
}
