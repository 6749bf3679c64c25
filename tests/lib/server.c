/* server.c - see server.h. What is judged at the end of a test is in oracle.c. */
#include "lib/server.h"

#include "base/buf.h"
#include "base/lapse.h"
#include "base/mem.h"
#include "lib/certs.h"
#include "lib/keeper.h"
#include "lib/oracle.h"
#include "lib/peer.h"
#include "lib/procfs.h"
#include "lib/wrap.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONFIG_BYTES = 1 << 20, LOOK_MS = 50 };

/* The log is followed by inotify, so waiting for a line needs no sleeping; LOOK_MS is for a log
 * that does not exist yet. */
struct server_own {
	struct keeper keeper;
	struct oracle oracle;
	char tag[96];
	int inotify;
	int workers_before; /* as the configuration before this one said */
	size_t mark;        /* the log up to here was waited for */
	char *text;         /* of server_read_log() */
	char line[SERVER_LINE_BYTES];
};

const char *
server_address(void)
{
	static char text[32];
	unsigned pid = (unsigned)getpid();

	snprintf(
	    text, sizeof text, "127.%u.%u.%u", 64 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
	return text;
}

const char *
server_program(const char *name)
{
	static char path[4096 + 16];
	const char *folder = getenv("XIAOTU_BIN");
	char real[4096];

	if (folder == NULL || realpath(folder, real) == NULL)
		ck_abort_msg("XIAOTU_BIN must name the folder of the programs");
	snprintf(path, sizeof path, "%s/%s", real, name);
	return path;
}

/* --- configuration --------------------------------------------------------------------------- */

/* Where there are keys nothing may tell them, however much is told (FAULTS I7). */
#define LOUD "log = { level = \"debug\"; messages = true; };\n"

static void
expand(const struct server *s, const char *text, struct buf *out)
{
	bool loud = strstr(text, "api_key") != NULL && strstr(text, "log =") == NULL;
	const char *tls = getenv("XIAOTU_BOT_TLS");
	char bot[64], tls_bot[1100], tls_addr[1024];
	const struct {
		const char *word, *value;
	} words[] = { { "$ADDR", s->address }, { "$DIR", s->folder }, { "$BOT", bot },
		{ "url = \"$BOT", tls_bot }, { "url = \"http://$ADDR", tls_addr } };
	const size_t n_words = tls ? 5 : 3;

	if (tls)
		certs_make(
		    tls, "robot", s->address, 1); /* the CA must be there before the server */
	snprintf(bot, sizeof bot, "http://%s:%d/openapi/api", s->address, SERVER_BOT_PORT);
	snprintf(tls_addr, sizeof tls_addr, "ca_file = \"%s/ca.pem\"; url = \"https://%s", tls,
	    s->address);
	snprintf(tls_bot, sizeof tls_bot, "%s:%d/openapi/api", tls_addr, SERVER_BOT_PORT);
	while (*text != '\0') {
		size_t n = 1, i;

		for (i = 0; i < n_words; i++) {
			n = strlen(words[i].word);
			if (strncmp(text, words[i].word, n) == 0)
				break;
		}
		if (i < n_words)
			(void)buf_adds(out, words[i].value);
		else
			(void)buf_add(out, text, n = 1);
		text += n;
	}
	(void)buf_adds(out, loud ? LOUD : "");
	(void)buf_add(out, "", 1);
}

static void
note_config(struct server *s, const char *text)
{
	const char *at = strstr(text, "workers = ");
	char quoted[160];

	s->own->workers_before = s->workers;
	if (at != NULL)
		s->workers = (int)strtol(at + strlen("workers = "), NULL, 10);
	at = strstr(text, "target = ");
	if (at != NULL && sscanf(at, "target = \"%150[^\"]\"", quoted) == 1)
		snprintf(s->log, sizeof s->log, "%s", quoted[0] == '/' ? quoted : s->output);
	oracle_note_secrets(text);
}

static void __attribute__((format(printf, 2, 0)))
write_config(struct server *s, const char *format, va_list ap)
{
	char temporary[112], *raw;
	struct buf text;
	int fd;

	ck_assert_int_ge(vasprintf(&raw, format, ap), 0);
	buf_init(&text, CONFIG_BYTES);
	expand(s, raw, &text);
	free(raw);
	snprintf(temporary, sizeof temporary, "%s.new", s->config);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, buf_head(&text), text.len - 1), text.len - 1);
	close(fd);
	ck_assert_int_eq(rename(temporary, s->config), 0);
	note_config(s, buf_head(&text));
	buf_release(&text);
}

void
server_config(struct server *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	write_config(s, format, ap);
	va_end(ap);
}

/* --- start ----------------------------------------------------------------------------------- */

static struct server *__attribute__((format(printf, 1, 0)))
new_server(const char *format, va_list ap)
{
	struct server *s = mem_zalloc(sizeof *s);

	s->own = mem_zalloc(sizeof *s->own);
	snprintf(s->address, sizeof s->address, "%s", server_address());
	snprintf(s->folder, sizeof s->folder, "/tmp/xiaotu-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->folder));
	snprintf(s->config, sizeof s->config, "%s/xiaotud.conf", s->folder);
	snprintf(s->output, sizeof s->output, "%s/output", s->folder);
	snprintf(s->log, sizeof s->log, "%s", s->output);
	snprintf(s->own->tag, sizeof s->own->tag, "XIAOTU_TEST_FOLDER=%s", s->folder);
	s->workers = 2;
	s->worker_slack = 4;
	s->memory_slack_kib = getenv("XIAOTU_BOT_TLS") ? 2 * SERVER_SLACK_KIB : SERVER_SLACK_KIB;
	write_config(s, format, ap);
	keeper_start(&s->own->keeper, s->folder, s->log, s->own->tag);
	s->own->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ck_assert_int_ge(inotify_add_watch(s->own->inotify, s->folder, IN_MODIFY | IN_CREATE), 0);
	return s;
}

struct server *
server_new(const char *format, ...)
{
	struct server *s;
	va_list ap;

	va_start(ap, format);
	s = new_server(format, ap);
	va_end(ap);
	return s;
}

struct server *
server_start(const char *format, ...)
{
	struct server *s;
	va_list ap;

	va_start(ap, format);
	s = new_server(format, ap);
	va_end(ap);
	server_run(s);
	server_wait_ready(s);
	return s;
}

/* In the child. The folder becomes the working directory, so that a core would be found there. */
static _Noreturn void
become_server(const struct server *s, const char *program, pid_t parent)
{
	int in = open("/dev/null", O_RDONLY), out;

	out = open(s->output, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir(s->folder) < 0 || putenv(s->own->tag) != 0)
		_exit(126);
	if (s->prepare)
		s->prepare(s->prepare_arg);
	wrap_exec(program, s->config);
}

/* Returns after the exec, so that a signal sent next meets the program. */
void
server_run(struct server *s)
{
	const char *program = server_program("xiaotud");
	pid_t parent = getpid();
	struct pollfd gone;
	int ends[2];

	ck_assert_int_eq(access(program, X_OK), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	s->pid = fork();
	ck_assert_int_ge(s->pid, 0);
	if (s->pid == 0)
		become_server(s, program, parent);
	close(ends[1]);
	gone = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	(void)poll(&gone, 1, SERVER_MS);
	close(ends[0]);
}

void
server_wait_ready(struct server *s)
{
	(void)server_wait_log(s, "ev=ready");
	server_wait_workers(s, s->workers, SERVER_MS);
	server_baseline(s);
}

void
server_wait_open(struct server *s)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	struct peer *p;

	while ((p = peer_try(s->address, SERVER_PORT)) == NULL && lapse_now_ms() < by_ms)
		procfs_tick();
	ck_assert_ptr_nonnull(p);
	(void)peer_line(p); /* a worker is there */
	peer_close(p);
	server_wait_workers(s, s->workers, SERVER_MS);
	server_baseline(s);
}

void
server_adopt(struct server *s, pid_t pid)
{
	s->pid = pid;
	server_wait_ready(s);
}

/* --- signals --------------------------------------------------------------------------------- */

void
server_signal(struct server *s, int number)
{
	ck_assert_int_eq(kill(s->pid, number), 0);
}

void
server_hup(struct server *s)
{
	server_signal(s, SIGHUP);
}

void
server_reload_ok(struct server *s)
{
	server_hup(s);
	(void)server_wait_log(s, "ev=reload result=ok");
}

void
server_reload_rejected(struct server *s, const char *words)
{
	const char *line;

	server_hup(s);
	line = server_wait_log(s, "ev=reload result=");
	if (strstr(line, "result=rejected") == NULL || !oracle_has_words(line, words))
		ck_abort_msg("expected a rejection with \"%s\", got: %s", words, line);
	s->workers = s->own->workers_before;
}

/* --- log ------------------------------------------------------------------------------------- */

const char *
server_read_log(struct server *s)
{
	free(s->own->text);
	s->own->text = oracle_read_file(s->log);
	return s->own->text;
}

/* The next line behind the mark that has the words; moves the mark behind it. */
static const char *
find_line(struct server *s, const char *words)
{
	const char *text = server_read_log(s), *at, *end;

	if (strlen(text) < s->own->mark)
		s->own->mark = 0; /* another file since */
	for (at = text + s->own->mark; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		snprintf(s->own->line, sizeof s->own->line, "%.*s", (int)(end - at), at);
		if (oracle_has_words(s->own->line, words)) {
			s->own->mark = (size_t)(end + 1 - text);
			return s->own->line;
		}
	}
	return NULL;
}

static void
wait_for_change(const struct server *s)
{
	struct pollfd p = { .fd = s->own->inotify, .events = POLLIN };
	char events[4096];

	if (poll(&p, 1, LOOK_MS) == 1)
		while (read(s->own->inotify, events, sizeof events) > 0)
			continue;
}

/* Without reaping it. */
static bool
has_ended(const struct server *s)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid != 0;
}

const char *
server_wait_log(struct server *s, const char *words)
{
	int64_t by_ms = lapse_now_ms() + SERVER_MS;
	bool ended = false;
	const char *line;

	while ((line = find_line(s, words)) == NULL && !ended && lapse_now_ms() < by_ms) {
		ended = has_ended(s); /* then the log gets one more look */
		if (!ended)
			wait_for_change(s);
	}
	if (line == NULL)
		ck_abort_msg(
		    "no new log line with \"%s\"%s", words, ended ? "; xiaotud has ended" : "");
	return line;
}

int
server_count_log(struct server *s, const char *words)
{
	char *rest, *line;
	int n = 0;

	(void)server_read_log(s);
	rest = s->own->text;
	while ((line = strsep(&rest, "\n")) != NULL)
		n += *line != '\0' && oracle_has_words(line, words);
	return n;
}

long
server_log_number(const char *line, const char *key)
{
	char word[64];
	const char *at;

	snprintf(word, sizeof word, " %s=", key);
	at = strstr(line, word);
	return at == NULL ? -1 : strtol(at + strlen(word), NULL, 10);
}

pid_t
server_worker_of(struct server *s, int peer_port)
{
	char words[64], *rest, *line;

	snprintf(words, sizeof words, ":%d ", peer_port);
	for (int64_t by_ms = lapse_now_ms() + SERVER_MS; lapse_now_ms() < by_ms;) {
		(void)server_read_log(s);
		rest = s->own->text;
		while ((line = strsep(&rest, "\n")) != NULL) {
			const char *peer = strstr(line, " peer=");

			if (peer != NULL && strstr(line, "ev=chat_open") != NULL &&
			    strtol(strchrnul(peer, ':') + 1, NULL, 10) == peer_port)
				return (pid_t)server_log_number(line, "pid");
		}
		wait_for_change(s);
	}
	ck_abort_msg("no chat_open line for the peer with port %d", peer_port);
	return 0;
}

/* --- processes, end -------------------------------------------------------------------------- */

int
server_pids(struct server *s, pid_t *pids)
{
	return procfs_children(s->pid, pids, SERVER_WORKERS_MAX, NULL);
}

void
server_wait_workers(struct server *s, int n, int limit_ms)
{
	int64_t by_ms = lapse_now_ms() + limit_ms;
	pid_t pids[SERVER_WORKERS_MAX];
	int zombies, found;

	do {
		found = procfs_children(s->pid, pids, SERVER_WORKERS_MAX, &zombies);
		if (found == n && zombies == 0)
			return;
		procfs_tick();
	} while (lapse_now_ms() < by_ms);
	ck_abort_msg("expected %d workers, there are %d and %d zombies", n, found, zombies);
}

void
server_baseline(struct server *s)
{
	oracle_baseline(&s->own->oracle, s->pid);
}

void
server_check(struct server *s)
{
	server_wait_workers(s, s->workers, SERVER_MS);
	oracle_check_running(
	    &s->own->oracle, s->pid, (struct oracle_slack){ s->worker_slack, s->memory_slack_kib });
	oracle_check_idle(s->pid);
}

int
server_wait_exit(struct server *s)
{
	int status;

	if (!procfs_wait_gone(s->pid, SERVER_STOP_MS))
		ck_abort_msg("xiaotud does not end");
	ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
server_stop(struct server *s)
{
	int status;

	server_check(s);
	server_signal(s, SIGTERM);
	status = server_wait_exit(s);
	if (status != 0)
		ck_abort_msg("xiaotud ended with status %d after TERM", status);
	server_end(s);
}

void
server_end(struct server *s)
{
	const struct oracle_may may = { s->may_crash, s->may_alert };

	oracle_check_ended(s->own->tag);
	oracle_check_log(s->output, may);
	oracle_check_log(s->log, may);
	oracle_check_folder(s->folder);
	keeper_dismiss(&s->own->keeper);
	close(s->own->inotify);
	free(s->own->text);
	free(s->own);
	free(s);
}
