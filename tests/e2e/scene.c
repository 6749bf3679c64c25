/* scene.c - see scene.h. */
#include "e2e/scene.h"

#include "base/json.h"
#include "base/lapse.h"
#include "base/mem.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	RUN_MS = 20000,
	ARGS_MAX = 16,
	OUTPUT_BYTES = 1 << 20,
	STREAM_BYTES = 1 << 16,
	LOOK_MS = 50
};

const char *const scene_models[SCENE_MODELS] = { "openai", "ollama", "anthropic" };

TCase *
scene_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, SCENE_TIMEOUT_S);
	suite_add_tcase(suite, tc);
	return tc;
}

struct peer *
scene_chat_at(struct server *s, int port)
{
	struct peer *p = peer_open(s->address, port);

	peer_expect(p, GREETING);
	return p;
}

struct peer *
scene_chat(struct server *s)
{
	return scene_chat_at(s, SERVER_PORT);
}

void
scene_chats_apart(struct server *s, struct peer *chats[2])
{
	pid_t first;

	chats[0] = scene_chat(s);
	first = server_worker_of(s, peer_port(chats[0]));
	for (int i = 0; i < 50; i++) {
		chats[1] = scene_chat(s);
		if (server_worker_of(s, peer_port(chats[1])) != first)
			return;
	}
	ck_abort_msg("all chats went to one worker");
}

struct fakebot *
scene_bot(struct server *s)
{
	return fakebot_start(s->address, SERVER_BOT_PORT);
}

void
scene_hello(struct peer *p, const char *text)
{
	char answer[256];

	peer_sendf(p, "%s\n", text);
	if (strstr(text, "::") != NULL)
		text = strstr(text, "::") + 2;
	snprintf(answer, sizeof answer, "Hello, %s!\n", text);
	peer_expect(p, answer);
}

static struct peer *canary;

void
scene_canary(struct server *s)
{
	ck_assert_ptr_null(canary);
	canary = scene_chat(s);
}

/* A robot that was away may be left alone for a moment yet. */
static void
ask_canary(struct fakebot *b)
{
	int64_t by_ms = lapse_now_ms() + PEER_MS;
	const char *line;

	if (b != NULL)
		fakebot_echo(b);
	do {
		peer_send(canary, "canary::tweet\n");
		line = peer_line(canary);
		if (strcmp(line, "echo:tweet") == 0 || strcmp(line, "Hello, tweet!") == 0)
			return;
		if (b == NULL && strncmp(line, "ERR robot-", 10) == 0)
			return; /* this test has no robot that could answer */
		peer_wait_any(&canary, 1, LOOK_MS);
	} while (lapse_now_ms() < by_ms && strncmp(line, "ERR robot-", 10) == 0);
	ck_abort_msg("the canary heard \"%s\"", line);
}

void
scene_end(struct server *s, struct fakebot *b)
{
	if (canary != NULL)
		ask_canary(b);
	canary = NULL;
	peer_close_all();
	server_stop(s);
	if (b != NULL)
		fakebot_stop(b);
}

const char *
scene_ask_json(struct peer *p, const char *text)
{
	static char answer[8192];
	struct buf question;
	struct json_object *o;
	const char *line, *got;
	size_t n;

	buf_init(&question, OUTPUT_BYTES);
	(void)buf_adds(&question, "{\"user\":\"ann\",\"text\":");
	(void)json_write(text, strlen(text), &question);
	(void)buf_adds(&question, "}\n");
	peer_send_bytes(p, buf_head(&question), question.len);
	buf_release(&question);
	line = peer_line(p);
	o = json_read(line, strlen(line));
	if ((got = json_text(o, "text", &n)) != NULL)
		snprintf(answer, sizeof answer, "%.*s", (int)n, got);
	else if ((got = json_text(json_object_member(o, "error"), "code", &n)) != NULL)
		snprintf(answer, sizeof answer, "ERR %.*s", (int)n, got);
	else
		ck_abort_msg("neither text nor error: %s", line);
	json_drop(o);
	return answer;
}

int
scene_ask_stream(struct peer *p, const char *text, char *pieces)
{
	size_t n, used = 0;
	const char *got;
	int n_pieces = 0;

	*pieces = '\0';
	peer_sendf(p, "{\"user\":\"ann\",\"text\":\"%s\",\"stream\":true}\n", text);
	for (bool whole = false; !whole;) {
		const char *line = peer_line(p);
		struct json_object *o = json_read(line, strlen(line));

		if ((got = json_text(o, "piece", &n)) != NULL) {
			n_pieces++;
			ck_assert_uint_lt(used + n, STREAM_BYTES);
			memcpy(pieces + used, got, n + 1);
			used += n;
		} else {
			whole = (got = json_text(o, "text", &n)) != NULL;
			if (!whole || strcmp(got, pieces) != 0)
				ck_abort_msg("after \"%s\" came: %s", pieces, line);
		}
		json_drop(o);
	}
	return n_pieces;
}

bool
scene_has_ipv6(void)
{
	FILE *f = fopen("/proc/net/if_inet6", "r");
	char line[256];
	bool found = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		found = found || strncmp(line, "00000000000000000000000000000001", 32) == 0;
	if (f != NULL)
		fclose(f);
	return found;
}

/* --- programs -------------------------------------------------------------------------------- */

static void
expand(const struct server *s, const char *arg, char *out, size_t size)
{
	const char *at;

	if ((at = strstr(arg, "$CONF")) != NULL)
		snprintf(out, size, "%.*s%s%s", (int)(at - arg), arg, s->config, at + 5);
	else if ((at = strstr(arg, "$ADDR")) != NULL)
		snprintf(out, size, "%.*s%s%s", (int)(at - arg), arg, s->address, at + 5);
	else if ((at = strstr(arg, "$DIR")) != NULL)
		snprintf(out, size, "%.*s%s%s", (int)(at - arg), arg, s->folder, at + 4);
	else
		snprintf(out, size, "%s", arg);
}

static _Noreturn void
become_program(const struct server *s, const char *const argv[], const int ends[6])
{
	char texts[ARGS_MAX][512], *args[ARGS_MAX + 1], tag[128];
	int n;

	for (n = 0; argv[n] != NULL && n < ARGS_MAX; n++) {
		expand(s, argv[n], texts[n], sizeof texts[n]);
		args[n] = texts[n];
	}
	args[n] = NULL;
	snprintf(tag, sizeof tag, "XIAOTU_TEST_FOLDER=%s", s->folder);
	if (putenv(tag) != 0 || dup2(ends[0], 0) < 0 || dup2(ends[3], 1) < 0 ||
	    dup2(ends[5], 2) < 0)
		_exit(126);
	execv(server_program(argv[0]), args);
	execvp(argv[0], args);
	_exit(127);
}

/* Feed the input and collect what comes, until both outputs end or the time is over. */
static bool
attend(int in, const char *input, const int from[2], struct buf to[2], int64_t by_ms)
{
	struct pollfd set[3] = { { .fd = in, .events = POLLOUT },
		{ .fd = from[0], .events = POLLIN }, { .fd = from[1], .events = POLLIN } };
	size_t left = strlen(input), room;

	while (set[1].fd >= 0 || set[2].fd >= 0) {
		if (lapse_now_ms() > by_ms)
			return false;
		if (set[0].fd >= 0 && left == 0) {
			close(set[0].fd);
			set[0].fd = -1;
		}
		(void)poll(set, 3, 100);
		if (set[0].fd >= 0 && set[0].revents) {
			ssize_t n = write(set[0].fd, input, left);

			left = n > 0 ? left - (size_t)n : 0;
			input += n > 0 ? n : 0;
		}
		for (int i = 1; i < 3; i++) {
			char *at = buf_reserve(&to[i - 1], 4096, &room);
			ssize_t n =
			    set[i].fd >= 0 && set[i].revents ? read(set[i].fd, at, room) : -1;

			if (n > 0)
				buf_grow(&to[i - 1], (size_t)n);
			else if (n == 0)
				set[i].fd = -1;
		}
	}
	if (set[0].fd >= 0)
		close(set[0].fd);
	return true;
}

static char *
take_text(struct buf *b)
{
	char *text = mem_ndup(b->len ? buf_head(b) : "", b->len);

	buf_release(b);
	return text;
}

struct scene_done
scene_run(struct server *s, const char *input, const char *const argv[])
{
	int64_t began = lapse_now_ms();
	struct scene_done d = { .status = -1 };
	struct buf texts[2];
	int ends[6], status;
	bool ended;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 6; i += 2)
		ck_assert_int_eq(pipe2(ends + i, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		become_program(s, argv, ends);
	close(ends[0]);
	close(ends[3]);
	close(ends[5]);
	buf_init(&texts[0], OUTPUT_BYTES);
	buf_init(&texts[1], OUTPUT_BYTES);
	ended = attend(ends[1], input == NULL ? "" : input, (int[2]){ ends[2], ends[4] }, texts,
	    began + RUN_MS);
	if (!ended)
		kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(ends[2]);
	close(ends[4]);
	if (ended)
		d.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	d.out = take_text(&texts[0]);
	d.err = take_text(&texts[1]);
	d.ms = (long)(lapse_now_ms() - began);
	oracle_check_bytes("what a program printed", d.out, strlen(d.out));
	oracle_check_bytes("what a program printed", d.err, strlen(d.err));
	return d;
}

void
scene_free(struct scene_done *d)
{
	free(d->out);
	free(d->err);
}

void
scene_exits(struct server *s, int status, const char *const argv[])
{
	struct scene_done d = scene_run(s, NULL, argv);

	if (d.status != status)
		ck_abort_msg("%s %s ...: expected status %d, got %d\n%s%s", argv[0],
		    argv[1] ? argv[1] : "", status, d.status, d.out, d.err);
	scene_free(&d);
}
