/* upgrade.c - see upgrade.h. */
#include "master/upgrade.h"

#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "XIAOTU_UPGRADE"
#define READY_S  20.0
#define CONTROL  "control"

/* Both masters number chats until the old one has closed its doors; nobody may get a number twice.
 * */
enum { TEXT_BYTES = 1 << 15, NUMBERS_APART = 1 << 20 };
/* How a shell tells of a process that a signal ended. */
enum { SIGNALLED = 128 };

/* --- the new program is started -------------------------------------------------------------- */

/* One line for the pair and the handover, then one for each door: descriptor, whether the file of a
 * Unix socket is ours, and address; and one for the control socket. */
static void
describe(const struct upgrade *u, int handover, struct buf *out)
{
	const struct master *m = u->m;

	(void)buf_addf(out, "%d %d %d %" PRIu64 " %d %d\n", handover, m->pool.pair[0],
	    m->pool.pair[1], (uint64_t)m->pool.score->last_chat + NUMBERS_APART,
	    m->pool.wanted - conf_n_workers(m->conf), m->pool.standings_fd);
	for (int i = 0; i < m->doors.n; i++)
		(void)buf_addf(out, "%d %s %s\n", m->doors.fds[i],
		    *m->doors.paths[i] ? "file" : "-", m->doors.urls[i]);
	if (control_fd(m->control) >= 0)
		(void)buf_addf(
		    out, "%d " CONTROL " %s\n", control_fd(m->control), m->conf->control);
	(void)buf_add(out, "", 1);
}

static void
keep_open(int fd)
{
	(void)fcntl(fd, F_SETFD, 0);
}

static void __attribute__((noreturn)) become_new(const struct upgrade *u, int handover)
{
	struct master *m = u->m;
	const struct master_options *o = m->o;
	const char *args[] = { o->program, o->optional ? NULL : "-c", o->path, NULL };
	struct chan_msg msg = { .kind = CHAN_REFUSED };
	struct buf text;
	sigset_t none;

	buf_init(&text, TEXT_BYTES);
	describe(u, handover, &text);
	keep_open(handover);
	keep_open(m->pool.pair[0]);
	keep_open(m->pool.pair[1]);
	keep_open(m->pool.standings_fd);
	for (int i = 0; i < m->doors.n; i++)
		keep_open(m->doors.fds[i]);
	if (control_fd(m->control) >= 0)
		keep_open(control_fd(m->control));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	notify_export(&m->notify);
	if (setenv(VARIABLE, buf_head(&text), 1) == 0)
		execv(o->program, (char *const *)(uintptr_t)args);
	snprintf(msg.text, sizeof msg.text, "%s: %s", o->program, strerror(errno));
	(void)chan_send(handover, &msg);
	_exit(1);
}

/* The process between the new program and us: a service manager, whose child we are, takes the new
 * one in as a child of its own as soon as this one is gone. When a service stops, systemd does not
 * wait for the end of a main process that is no child, and kills at once what is left of it
 * (unit_kill_context() in src/core/unit.c, 252). Until then it passes on how the new one ends. */
static _Noreturn void
stand_between(const struct upgrade *u, int handover, int tell)
{
	sigset_t all;
	pid_t pid;
	int status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	pid = fork();
	if (pid == 0)
		become_new(u, handover);
	(void)!write(tell, &pid, sizeof pid);
	(void)close_range(0, ~0U, 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(1);
	_exit(WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status));
}

/* It is our parent's child from now on. */
static void
step_aside(struct upgrade *u)
{
	if (u->between == 0)
		return;
	kill(u->between, SIGKILL);
	while (waitpid(u->between, NULL, 0) < 0 && errno == EINTR)
		continue;
	u->between = 0;
}

static void
stop_waiting(struct upgrade *u)
{
	ev_timer_stop(u->m->loop, &u->late);
	ev_io_stop(u->m->loop, &u->io);
	if (u->handover >= 0)
		close(u->handover);
	u->handover = -1;
}

static void
reject(struct upgrade *u, const char *why)
{
	stop_waiting(u);
	if (u->pid)
		kill(u->pid, SIGKILL);
	u->pid = 0;
	log_error("upgrade result=rejected why=%s", log_quote(why, strlen(why)));
	control_on_upgrade(u->m->control, why);
	if (!u->hup || u->m->stopping)
		return;
	u->hup = false;
	reload_start(&u->m->reload);
}

/* --- it speaks ------------------------------------------------------------------------------- */

/* It is in charge. Its sockets are ours, so their files stay; so does its pid file. */
static void
succeed(struct upgrade *u)
{
	struct master *m = u->m;

	ev_timer_stop(m->loop, &u->late);
	log_notice("upgrade result=ok child=%d", (int)u->pid);
	u->done = true;
	if (u->hup)
		kill(u->pid, SIGHUP);
	step_aside(u);
	notify_main_pid(&m->notify, u->pid);
	m->stopping = true;
	control_on_upgrade(m->control, NULL);
	control_close(m->control, true);
	m->control = NULL;
	listen_leave(&m->doors);
	pool_move(&m->pool);
	if (pool_left(&m->pool) == 0)
		master_on_empty(m);
}

static void
hear(struct upgrade *u, const struct chan_msg *msg)
{
	char why[128];

	if (msg->kind == CHAN_HELLO && msg->number < BOOT_MOVE_LEAST) {
		snprintf(why, sizeof why,
		    "it takes chats of form %d at most, ours are of form %d or later",
		    (int)msg->number, BOOT_MOVE_LEAST);
		reject(u, why);
	} else if (msg->kind == CHAN_REFUSED) {
		reject(u, msg->text);
	} else if (msg->kind == CHAN_READY && !u->done) {
		succeed(u);
	}
}

static void
on_handover(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct upgrade *u = io->data;
	struct chan_msg msg;
	int got = 0;

	(void)events;
	while (u->handover >= 0 && (got = chan_receive(io->fd, &msg)) > 0)
		hear(u, &msg);
	if (got >= 0)
		return;
	ev_io_stop(loop, io);
	if (!u->done)
		return; /* why it ended comes with SIGCHLD */
	log_alert("upgrade result=lost why=\"the new master is gone\"");
	pool_drain(&u->m->pool);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	reject(t->data, "it was not ready in time");
}

/* --- for master.c ---------------------------------------------------------------------------- */

void
upgrade_init(struct upgrade *u, struct master *m)
{
	u->m = m;
	u->handover = -1;
	ev_timer_init(&u->late, on_late, 0.0, 0.0);
	ev_io_init(&u->io, on_handover, -1, EV_READ);
	u->late.data = u->io.data = u;
}

bool
upgrade_runs(const struct upgrade *u)
{
	return u->handover >= 0 && !u->done;
}

/* Anything in the way? */
static const char *
obstacle(const struct upgrade *u)
{
	const struct master *m = u->m;

	if (u->handover >= 0)
		return "another upgrade is under way";
	if (m->stopping)
		return "leaving";
	if (!m->ready)
		return "not started yet";
	if (getpid() == 1)
		return "process 1 must stay, so replace the container";
	return m->reload.state == RELOAD_IDLE ? NULL : "a reload is under way";
}

/* Fork twice. Returns 0, or -1 with errno. */
static int
fork_new(struct upgrade *u, int handover)
{
	int ends[2];
	bool told;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	u->between = fork();
	if (u->between == 0)
		stand_between(u, handover, ends[1]);
	close(ends[1]);
	told =
	    u->between > 0 && read(ends[0], &u->pid, sizeof u->pid) == sizeof u->pid && u->pid > 0;
	close(ends[0]);
	if (told)
		return 0;
	u->between = u->between > 0 ? u->between : 0;
	u->pid = 0;
	step_aside(u);
	errno = EAGAIN;
	return -1;
}

const char *
upgrade_start(struct upgrade *u)
{
	const char *why = obstacle(u);
	struct err e = { "" };
	int fds[2], bad;

	if (why) {
		log_error("upgrade result=rejected why=%s", log_quote(why, strlen(why)));
		return why;
	}
	if (chan_pair(fds, &e)) {
		reject(u, e.text);
		return NULL;
	}
	bad = fork_new(u, fds[1]);
	close(fds[1]);
	u->handover = fds[0];
	if (bad) {
		reject(u, strerror(errno));
		return NULL;
	}
	log_notice("upgrade_begins child=%d program=%s", (int)u->pid, u->m->o->program);
	ev_io_set(&u->io, fds[0], EV_READ);
	ev_io_start(u->m->loop, &u->io);
	ev_timer_set(&u->late, READY_S, 0.0);
	ev_timer_start(u->m->loop, &u->late);
	return NULL;
}

bool
upgrade_on_exit(struct upgrade *u, pid_t pid, int status)
{
	char why[96];
	int code = WEXITSTATUS(status);

	if (u->between == 0 || u->between != pid)
		return false;
	u->between = 0;
	/* What it said last may still be on its way. */
	if (upgrade_runs(u))
		on_handover(u->m->loop, &u->io, EV_READ);
	if (!upgrade_runs(u))
		return true;
	if (!WIFSIGNALED(status))
		u->pid = 0; /* else somebody ended the process between */
	snprintf(why, sizeof why, "the new program ended: %s=%d", code > SIGNALLED ? "sig" : "code",
	    code > SIGNALLED ? code - SIGNALLED : code);
	reject(u, why);
	return true;
}

void
upgrade_cancel(struct upgrade *u)
{
	if (u->pid && !u->done)
		reject(u, "leaving");
}

/* --- in the new program ---------------------------------------------------------------------- */

static void
close_on_exec(int fd)
{
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
legacy_take(struct legacy *l)
{
	const char *value = getenv(VARIABLE);
	char *text = value ? mem_dup(value) : NULL, *rest = text, *line = strsep(&rest, "\n");

	*l = (struct legacy){ .handover = -1, .pair = { -1, -1 }, .standings = -1, .control = -1 };
	if (line == NULL || sscanf(line, "%d %d %d %" SCNu64 " %d %d", &l->handover, &l->pair[0],
				&l->pair[1], &l->last_chat, &l->more_workers, &l->standings) < 4) {
		free(text);
		return;
	}
	while ((line = strsep(&rest, "\n")) && l->doors.n < CHAN_FDS) {
		char file[8] = "";
		int i = l->doors.n, at = 0;

		if (sscanf(line, "%d %7s %n", &l->doors.fds[i], file, &at) < 2 || at == 0)
			continue;
		close_on_exec(l->doors.fds[i]);
		if (strcmp(file, CONTROL) == 0) {
			l->control = l->doors.fds[i];
			snprintf(l->control_path, sizeof l->control_path, "%s", line + at);
			continue;
		}
		snprintf(l->doors.urls[i], sizeof l->doors.urls[i], "%s", line + at);
		if (strcmp(file, "file") == 0 && strncmp(line + at, "unix:", 5) == 0)
			snprintf(
			    l->doors.paths[i], sizeof l->doors.paths[i], "%.107s", line + at + 5);
		l->doors.n++;
	}
	free(text);
	close_on_exec(l->handover);
	close_on_exec(l->pair[0]);
	close_on_exec(l->pair[1]);
	if (l->standings >= 0)
		close_on_exec(l->standings);
	(void)unsetenv(VARIABLE);
}

int
legacy_take_control(struct legacy *l, const char *path)
{
	int fd = l->control;

	if (fd < 0 || strcmp(l->control_path, path) != 0)
		return -1;
	l->control = -1;
	return fd;
}

void
legacy_drop_control(struct legacy *l)
{
	if (l->control < 0)
		return;
	unlink(l->control_path);
	close(l->control);
	l->control = -1;
}

static void
say(const struct legacy *l, enum chan_kind kind, int64_t number, const char *text)
{
	struct chan_msg msg = { .kind = kind, .number = number };

	if (l->handover < 0)
		return;
	snprintf(msg.text, sizeof msg.text, "%s", text);
	(void)chan_send(l->handover, &msg);
}

void
legacy_say_hello(const struct legacy *l)
{
	say(l, CHAN_HELLO, BOOT_MOVE_VERSION, "");
}

/* The handover stays open: its end would tell the old master that we died. */
void
legacy_say_ready(struct legacy *l)
{
	say(l, CHAN_READY, 0, "");
}

void
legacy_say_failed(const struct legacy *l, const char *why)
{
	say(l, CHAN_REFUSED, 0, why);
}

void
legacy_let_go(struct legacy *l)
{
	if (l->handover >= 0)
		close(l->handover);
	listen_leave(&l->doors);
}
