/* moving.c - see moving.h. */
#include "e2e/moving.h"

#include "base/lapse.h"
#include "lib/procfs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PADS = 16 };

/* --- a worker leaves ------------------------------------------------------------------------- */

/* Each from an address of its own, so that they are in nobody's way. */
static struct peer *
open_pad(struct server *s, int i)
{
	char source[32];
	struct peer *p;

	snprintf(source, sizeof source, "127.9.9.%d", 1 + i);
	p = peer_open_from(source, s->address, SERVER_PORT);
	peer_expect(p, GREETING);
	return p;
}

/* They count until the worker has seen them go. */
static void
close_pads(struct server *s, struct peer **pads)
{
	int n = server_count_log(s, "ev=chat_close reason=eof") + PADS;
	int64_t by_ms = lapse_now_ms() + SERVER_MS;

	for (int i = 0; i < PADS; i++)
		peer_close(pads[i]);
	while (server_count_log(s, "ev=chat_close reason=eof") < n && lapse_now_ms() < by_ms)
		procfs_tick();
}

/* The one with the fewest chats leaves. While it stands still, all that come go to the other. */
void
moving_begin(struct server *s, pid_t worker)
{
	struct peer *pads[PADS];

	ck_assert_int_eq(kill(worker, SIGSTOP), 0);
	for (int i = 0; i < PADS; i++)
		pads[i] = open_pad(s, i);
	ck_assert_int_eq(kill(worker, SIGCONT), 0);
	server_signal(s, SIGTTOU);
	(void)server_wait_log(s, "ev=resize workers=1");
	(void)server_wait_log(s, "ev=worker_moves");
	close_pads(s, pads);
}

pid_t
moving_end(struct server *s, pid_t worker)
{
	pid_t pids[SERVER_WORKERS_MAX];

	if (!procfs_wait_gone(worker, SERVER_MS))
		ck_abort_msg("worker %d does not leave", (int)worker);
	server_wait_workers(s, 1, SERVER_MS);
	ck_assert_int_eq(server_pids(s, pids), 1);
	server_signal(s, SIGTTIN);
	server_wait_workers(s, 2, SERVER_MS);
	return pids[0];
}

pid_t
moving_done(struct server *s, pid_t worker)
{
	moving_begin(s, worker);
	return moving_end(s, worker);
}

pid_t
moving_chat(struct server *s, struct peer *p)
{
	return moving_done(s, server_worker_of(s, peer_port(p)));
}

/* --- another program ------------------------------------------------------------------------- */

static void
copy_program(const char *to)
{
	int in = open(getenv("XIAOTU_PROGRAM"), O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;
	off_t at = 0;

	ck_assert(in >= 0 && out >= 0 && fstat(in, &st) == 0);
	while (at < st.st_size)
		ck_assert_int_gt(sendfile(out, in, &at, (size_t)(st.st_size - at)), 0);
	close(in);
	close(out);
}

void
moving_program(struct server *s, const char *script, int mode)
{
	char path[128], fresh[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/xiaotud", s->folder);
	snprintf(fresh, sizeof fresh, "%s/xiaotud.new", s->folder);
	if (script == NULL) {
		copy_program(fresh);
	} else {
		f = fopen(fresh, "we");
		ck_assert_ptr_nonnull(f);
		ck_assert_int_ge(fputs(script, f), 0);
		ck_assert_int_eq(fclose(f), 0);
	}
	ck_assert_int_eq(chmod(fresh, (mode_t)mode), 0);
	ck_assert_int_eq(rename(fresh, path), 0);
}

struct server *
moving_server_new(const char *config)
{
	struct server *s = server_new("%s", config);

	ck_assert_int_eq(setenv("XIAOTU_PROGRAM", server_program("xiaotud"), 1), 0);
	moving_program(s, NULL, 0755);
	ck_assert_int_eq(setenv("XIAOTU_BIN", s->folder, 1), 0);
	return s;
}

struct server *
moving_server(const char *config)
{
	struct server *s = moving_server_new(config);

	server_run(s);
	server_wait_ready(s);
	return s;
}

pid_t
moving_upgrade_begin(struct server *s)
{
	pid_t old = s->pid;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	ck_assert_int_gt(s->pid, 1);
	return old;
}

int
moving_wait_exit(pid_t pid)
{
	int status;

	if (!procfs_wait_gone(pid, SERVER_STOP_MS))
		ck_abort_msg("process %d does not end", (int)pid);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
moving_upgrade(struct server *s)
{
	pid_t old = moving_upgrade_begin(s);

	ck_assert_int_eq(moving_wait_exit(old), 0);
	server_wait_workers(s, s->workers, SERVER_MS);
}

pid_t
moving_pid_file(struct server *s)
{
	char path[96];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/pid", s->folder);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld", &pid), 1);
	fclose(f);
	return (pid_t)pid;
}
