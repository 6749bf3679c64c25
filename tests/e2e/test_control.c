/* test_control.c - the control socket: who may come in, what the commands tell and do. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/json.h"
#include "lib/procfs.h"
#include "lib/promtext.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, MANY = 400, CLIENTS = 16 };

/* --- asking ---------------------------------------------------------------------------------- */

static const char *
socket_of(const struct server *s)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/control.sock", s->folder);
	return path;
}

/* The whole answer, by a socket of our own; never with a key in it. Gives. */
static char *
ask(struct server *s, const char *command)
{
	struct peer *p = peer_open_unix(socket_of(s));
	char *text;

	peer_sendf(p, "%s\n", command);
	text = strdup(peer_rest(p));
	peer_close(p);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_null(strstr(text, KEY));
	return text;
}

static struct json_object *
ask_json(struct server *s, const char *command)
{
	char *text = ask(s, command);
	struct json_object *o = json_read(text, strlen(text));

	ck_assert_msg(o != NULL, "%s: no JSON: %s", command, text);
	free(text);
	return o;
}

static int64_t
number(struct json_object *o, const char *key)
{
	int64_t n = -1;

	ck_assert_msg(json_whole(o, key, &n), "no number %s", key);
	return n;
}

/* A member that is text; valid until the next. */
static const char *
text_of(struct json_object *o, const char *key)
{
	static char text[512];
	size_t n = 0;
	const char *s = json_text(o, key, &n);

	ck_assert_msg(s != NULL, "no text %s", key);
	snprintf(text, sizeof text, "%.*s", (int)n, s);
	return text;
}

static struct json_object *
item(struct json_object *o, const char *list, size_t i)
{
	struct json_object *l = json_list(o, list);

	ck_assert_msg(l != NULL && i < json_list_size(l), "%s has no %zu", list, i);
	return json_list_at(l, i);
}

static size_t
size_of(struct json_object *o, const char *list)
{
	ck_assert_ptr_nonnull(json_list(o, list));
	return json_list_size(json_list(o, list));
}

/* --- what is told ---------------------------------------------------------------------------- */

START_TEST(status_tells_what_runs)
{
	struct server *s = server_start(HELLO_SERVER);
	struct json_object *o, *workers;
	struct peer *p = scene_chat(s);

	(void)scene_chat(s);
	scene_hello(p, "me::hi");
	scene_hello(p, "again");
	o = ask_json(s, "status");
	workers = json_object_member(o, "workers");
	ck_assert_int_eq(number(o, "pid"), s->pid);
	ck_assert_str_eq(text_of(o, "state"), "serving");
	ck_assert_int_ge(number(o, "uptime_seconds"), 0);
	ck_assert_int_eq(number(workers, "wanted"), 2);
	ck_assert_int_eq(number(workers, "ready"), 2);
	ck_assert_int_eq(number(workers, "leaving"), 0);
	ck_assert_int_eq(number(o, "chats"), 2);
	ck_assert_int_eq(number(o, "accepted"), 2);
	ck_assert_int_eq(number(o, "messages"), 2);
	ck_assert_int_eq(number(o, "answers"), 2);
	ck_assert_int_eq(number(o, "log_lost"), 0);
	ck_assert_int_eq(number(json_object_member(o, "message_duration_ms"), "count"), 2);
	ck_assert_str_eq(text_of(o, "conf"), s->config);
	ck_assert_int_eq(size_of(o, "listen"), 1);
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
	o = ask_json(s, "workers");
	ck_assert_int_eq(size_of(o, "workers"), n);
	for (int i = 0; i < n; i++) {
		struct json_object *w = item(o, "workers", (size_t)i);
		bool known = false;

		for (int k = 0; k < n; k++)
			known |= number(w, "pid") == pids[k];
		ck_assert(known);
		ck_assert_str_eq(text_of(w, "state"), "ready");
		chats += number(w, "chats");
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
	o = ask_json(s, "chats");
	ck_assert_int_eq(size_of(o, "chats"), 3);
	ck_assert_int_eq(size_of(o, "missing"), 0);
	for (size_t i = 0; i < 3; i++) {
		struct json_object *c = item(o, "chats", i);
		char *user = strdup(text_of(c, "user"));

		ck_assert_int_eq(strncmp(text_of(c, "from"), "127.0.0.1:", 10), 0);
		ck_assert_int_ge(number(c, "chat"), 1);
		ck_assert_int_ge(number(c, "seconds"), 0);
		if (strcmp(user, "ann") == 0) {
			seen_ann = json_true(c, "answering") && number(c, "waiting") == 1;
			ck_assert_str_eq(text_of(c, "dialect"), "line");
			ck_assert_int_eq(number(c, "worker"), server_worker_of(s, peer_port(ann)));
		} else if (strcmp(user, "小明") == 0) {
			seen_bob = !json_true(c, "answering");
			ck_assert_str_eq(text_of(c, "dialect"), "json");
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
	o = ask_json(s, "chats");
	ck_assert_int_eq(size_of(o, "chats"), MANY);
	for (size_t i = 0; i < MANY; i++) {
		int64_t chat = number(item(o, "chats", i), "chat");

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
	o = ask_json(s, "chats");
	ck_assert_int_eq(size_of(o, "missing"), 1);
	ck_assert_int_eq(json_item_whole(json_list(o, "missing"), 0), stopped);
	ck_assert_int_eq(size_of(o, "chats"), 1);
	ck_assert_int_ne(number(item(o, "chats", 0), "worker"), stopped);
	json_drop(o);
	ck_assert_int_eq(kill(stopped, SIGCONT), 0);
	scene_hello(a, "me::hi");
	o = ask_json(s, "chats");
	ck_assert_int_eq(size_of(o, "missing"), 0);
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
	o = ask_json(s, "robots");
	ck_assert_int_eq(size_of(o, "robots"), 2);
	r = item(o, "robots", 0);
	ck_assert_str_eq(text_of(r, "name"), "turing");
	ck_assert_str_eq(text_of(r, "type"), "turing");
	ck_assert_str_eq(text_of(r, "state"), "answering");
	ck_assert_int_eq(number(r, "asked"), 2);
	ck_assert_int_eq(number(r, "answered"), 2);
	ck_assert_int_eq(number(r, "in_flight"), 0);
	ck_assert_int_eq(number(json_object_member(r, "answer_duration_ms"), "count"), 2);
	ck_assert_int_eq(size_of(r, "keys"), 2);
	ck_assert_str_eq(text_of(item(r, "keys", 0), "key"), "***");
	ck_assert_int_ge(number(item(r, "keys", 0), "aside_seconds"), 1);
	ck_assert_int_eq(number(item(r, "keys", 1), "aside_seconds"), 0);
	ck_assert_str_eq(text_of(item(o, "robots", 1), "name"), "小图");
	json_drop(o);
	fakebot_play(
	    b, &(struct fakebot_script){ .status = 429, .headers = "Retry-After: 25\r\n" });
	peer_send(p, "three\n");
	peer_expect(p, "Hello, three!\n");
	o = ask_json(s, "robots");
	r = item(o, "robots", 0);
	ck_assert_str_eq(text_of(r, "state"), "resting");
	ck_assert_str_eq(text_of(r, "why"), "rate");
	ck_assert_int_ge(number(r, "seconds"), 20);
	ck_assert_int_le(number(r, "seconds"), 25);
	ck_assert_int_eq(number(r, "failed"), 1);
	ck_assert_int_eq(number(item(o, "robots", 1), "answered"), 1);
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
	o = ask_json(s, "robots");
	ck_assert_int_eq(number(item(o, "robots", 0), "in_flight"), 5);
	json_drop(o);
	fakebot_release(b);
	for (int i = 0; i < 5; i++)
		peer_expect(peers[i], "echo:hi\n");
	o = ask_json(s, "robots");
	ck_assert_int_eq(number(item(o, "robots", 0), "in_flight"), 0);
	json_drop(o);
	scene_end(s, b);
}
END_TEST

static struct json_object *
value_of(struct json_object *o, const char *key)
{
	for (size_t i = 0; i < size_of(o, "values"); i++)
		if (strcmp(text_of(item(o, "values", i), "key"), key) == 0)
			return item(o, "values", i);
	ck_abort_msg("no key %s", key);
	return NULL;
}

START_TEST(config_tells_values_and_where_they_were_set)
{
	struct server *s = server_start(TURING_SERVER);
	struct json_object *o = ask_json(s, "config"), *v;
	char source[128];

	snprintf(source, sizeof source, "%s:2", s->config);
	v = value_of(o, "workers");
	ck_assert_int_eq(number(v, "value"), 2);
	ck_assert_str_eq(text_of(v, "source"), source);
	v = value_of(o, "timeouts.idle");
	ck_assert_str_eq(text_of(v, "value"), "30m");
	ck_assert_str_eq(text_of(v, "source"), "default");
	snprintf(source, sizeof source, "%s:5", s->config);
	v = value_of(o, "robots.turing.api_key");
	ck_assert_str_eq(text_of(v, "source"), source);
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
	server_reload_ok(s);
	server_config(s, PLAIN POOL(2) DOOR(9999) NO_RATE TWO_ROBOTS "x = 1;\n");
	server_reload_rejected(s, "x");
	(void)server_pids(s, pids);
	ck_assert_int_eq(
	    kill(pids[0] == server_worker_of(s, peer_port(p)) ? pids[1] : pids[0], SIGKILL), 0);
	(void)server_wait_log(s, "ev=worker_exit");
	text = ask(s, "metrics");
	promtext_check(text);
	promtext_has(text, "xiaotu_chats 1");
	promtext_has(text, "xiaotu_messages_total 1");
	promtext_has(text, "xiaotu_answers_total 1");
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

/* --- who may come in ------------------------------------------------------------------------- */

START_TEST(socket_is_for_its_owner_and_goes_with_the_server)
{
	struct server *s = server_start(HELLO_SERVER);
	struct stat st;

	ck_assert_int_eq(lstat(socket_of(s), &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	server_signal(s, SIGTERM);
	ck_assert_int_eq(server_wait_exit(s), 0);
	ck_assert_int_ne(access(socket_of(s), F_OK), 0);
	server_end(s);
}
END_TEST

/* Even when somebody made the file open to all: the peer's user counts. */
START_TEST(foreign_user_is_refused_in_one_line)
{
	struct server *s;
	struct peer *p;
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return;
	s = server_start(HELLO_SERVER);
	ck_assert_int_eq(chmod(s->folder, 0711), 0);
	ck_assert_int_eq(chmod(socket_of(s), 0666), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const char *text;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(3);
		p = peer_open_unix(socket_of(s));
		text = peer_rest(p);
		_exit(strncmp(text, "{\"error\":", 9) == 0 && strchr(text, '\n') != NULL ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	(void)server_wait_log(s, "ev=control_refused uid=65534");
	json_drop(ask_json(s, "status"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(abandoned_socket_is_replaced_and_a_live_one_is_not)
{
	struct server *s = server_start(HELLO_SERVER), *second;

	second = server_new("control = \"%s\";\n" POOL(1) DOOR(9998) HELLO, socket_of(s));
	server_run(second);
	ck_assert_int_eq(server_wait_exit(second), 1);
	ck_assert_int_ge(server_count_log(second, "control EADDRINUSE"), 1);
	server_end(second);
	json_drop(ask_json(s, "status"));
	server_signal(s, SIGKILL);
	ck_assert_int_eq(server_wait_exit(s), 128 + SIGKILL);
	ck_assert_int_eq(access(socket_of(s), F_OK), 0);
	second = server_new("control = \"%s\";\n" POOL(1) DOOR(9999) HELLO, socket_of(s));
	server_run(second);
	server_wait_ready(second);
	ck_assert_int_eq(access(socket_of(s), F_OK), 0);
	scene_end(second, NULL);
	server_end(s);
}
END_TEST

/* Nobody set the key, and there is no such folder here. */
START_TEST(default_socket_that_cannot_be_is_no_error_and_one_that_was_set_is)
{
	struct server *s;

	if (access("/run/xiaotu", F_OK) == 0)
		return;
	s = server_start(
	    "language = \"en\"; greeting = \"Welcome\\n\";\n" POOL(1) DOOR(9999) NO_RATE HELLO);
	ck_assert_int_eq(server_count_log(s, "ev=no_control /run/xiaotu"), 1);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
	s = server_new("control = \"/run/xiaotu/control.sock\";\n" POOL(1) DOOR(9999) HELLO);
	server_run(s);
	ck_assert_int_eq(server_wait_exit(s), 1);
	ck_assert_int_ge(server_count_log(s, "control /run/xiaotu"), 1);
	server_end(s);
}
END_TEST

/* Silent ones, slow ones, and one too many: whoever speaks is served meanwhile. */
START_TEST(silent_clients_are_dropped_and_stop_nobody)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *silent[CLIENTS], *more;

	for (int i = 0; i < CLIENTS - 1; i++)
		silent[i] = peer_open_unix(socket_of(s));
	peer_send(silent[0], "stat");
	json_drop(ask_json(s, "status"));
	scene_hello(scene_chat(s), "me::hi");
	silent[CLIENTS - 1] = peer_open_unix(socket_of(s));
	more = peer_open_unix(socket_of(s));
	peer_expect_prefix(more, "{\"error\":\"too many");
	for (int i = 0; i < CLIENTS; i++)
		peer_drop(silent[i]);
	json_drop(ask_json(s, "status"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(nonsense_is_answered_with_an_error)
{
	static const char *const lines[] = { "dance", "", "status please", "{}" };
	struct server *s = server_start(HELLO_SERVER);
	struct json_object *o;
	struct peer *p;
	char line[600];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		o = ask_json(s, lines[i]);
		ck_assert_ptr_nonnull(strstr(text_of(o, "error"), "status"));
		json_drop(o);
	}
	memset(line, 'a', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	o = ask_json(s, line);
	ck_assert_ptr_nonnull(strstr(text_of(o, "error"), "too long"));
	json_drop(o);
	/* Without a newline, but the stream ends. */
	p = peer_open_unix(socket_of(s));
	peer_send(p, "status");
	peer_half_close(p);
	peer_expect_prefix(p, "{\"version\":");
	p = peer_open_unix(socket_of(s));
	peer_reset(p);
	scene_end(s, NULL);
}
END_TEST

/* --- what is done ---------------------------------------------------------------------------- */

/* A reload that is under way began before the file was as it is: who asks then gets the next. */
START_TEST(everyone_who_asks_for_a_reload_gets_an_answer)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *peers[8];

	for (int i = 0; i < 8; i++) {
		peers[i] = peer_open_unix(socket_of(s));
		peer_send(peers[i], "reload\n");
		server_hup(s);
	}
	for (int i = 0; i < 8; i++) {
		peer_expect_prefix(peers[i], "{\"result\":\"ok\",\"changed\":[]}");
		peer_eof(peers[i]);
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(second_stop_is_at_once)
{
	struct server *s = server_start(TURING_SERVER);
	struct fakebot *b = scene_bot(s);
	struct peer *chat = scene_chat(s), *first, *second;

	fakebot_play(b, &(struct fakebot_script){ .hold = true });
	peer_send(chat, "me::hi\n");
	fakebot_wait_requests(b, 1);
	first = peer_open_unix(socket_of(s));
	peer_send(first, "stop\n");
	peer_expect(first, "{\"result\":\"stopping\"}\n");
	second = peer_open_unix(socket_of(s));
	peer_send(second, "quit\n");
	peer_expect(second, "{\"result\":\"stopping\"}\n");
	peer_eof(first);
	peer_eof(second);
	peer_expect_prefix(chat, "BYE shutdown");
	ck_assert_int_eq(server_wait_exit(s), 0);
	peer_close_all();
	fakebot_stop(b);
	server_end(s);
}
END_TEST

START_TEST(upgrade_takes_the_socket_along)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *chat = scene_chat(s);
	struct json_object *o;
	pid_t old = s->pid;
	int status;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_config(s, HELLO_SERVER "x = 1;\n");
	o = ask_json(s, "upgrade");
	ck_assert_ptr_nonnull(strstr(text_of(o, "error"), ": x: unknown key"));
	json_drop(o);
	o = ask_json(s, "status");
	ck_assert_int_eq(number(o, "pid"), old);
	json_drop(o);
	server_wait_workers(s, 2, SERVER_MS); /* the failed one is gone */
	server_config(s, HELLO_SERVER);
	o = ask_json(s, "upgrade");
	ck_assert_str_eq(text_of(o, "result"), "ok");
	json_drop(o);
	ck_assert(procfs_wait_gone(old, SERVER_MS));
	ck_assert_int_eq(waitpid(old, &status, 0), old);
	o = ask_json(s, "status");
	ck_assert_int_ne(number(o, "pid"), old);
	server_adopt(s, (pid_t)number(o, "pid"));
	json_drop(o);
	scene_hello(chat, "me::still here");
	o = ask_json(s, "chats");
	ck_assert_int_eq(size_of(o, "chats"), 1);
	json_drop(o);
	scene_end(s, NULL);
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
	tc = scene_case(suite, "socket");
	tcase_add_test(tc, socket_is_for_its_owner_and_goes_with_the_server);
	tcase_add_test(tc, foreign_user_is_refused_in_one_line);
	tcase_add_test(tc, abandoned_socket_is_replaced_and_a_live_one_is_not);
	tcase_add_test(tc, default_socket_that_cannot_be_is_no_error_and_one_that_was_set_is);
	tcase_add_test(tc, silent_clients_are_dropped_and_stop_nobody);
	tcase_add_test(tc, nonsense_is_answered_with_an_error);
	tc = scene_case(suite, "done");
	tcase_add_test(tc, everyone_who_asks_for_a_reload_gets_an_answer);
	tcase_add_test(tc, second_stop_is_at_once);
	tcase_add_test(tc, upgrade_takes_the_socket_along);
	return suite;
}
