/* master.c - see master.h: start, signals, stop. */
#include "master/master.h"

#include "base/log.h"
#include "base/mem.h"
#include "master/daemon.h"
#include "master/pidfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- the log --------------------------------------------------------------------------------- */

int
master_use_log(struct master *m, int fd)
{
	struct chan_msg msg = { .kind = CHAN_LOG, .number = m->conf->log_level };

	log_use(fd, (enum log_level)m->conf->log_level);
	msg.n_fds = fd >= 0;
	msg.fds[0] = fd;
	return pool_send(&m->pool, &msg, true) ? 0 : -1;
}

int
master_reopen_log(struct master *m)
{
	struct err e = { "" };
	int fd;

	/* There is nothing behind stderr to be opened again. */
	if (strcmp(m->conf->log_target, "stderr") == 0)
		return 0;
	fd = log_target_open(m->conf->log_target, &e);
	if (fd == -1) {
		log_error("log_reopen_failed why=%s", log_quote(e.text, strlen(e.text)));
		return -1;
	}
	(void)master_use_log(m, fd);
	return 0;
}

/* --- stop ------------------------------------------------------------------------------------ */

static void
leave(struct master *m)
{
	ev_break(m->loop, EVBREAK_ALL);
}

void
master_stop(struct master *m, const char *how)
{
	m->n_stops++;
	if (m->n_stops > 1) {
		log_notice("stopping now=true signal=%s", how);
		pool_hurry(&m->pool);
	} else {
		log_notice("stopping now=false signal=%s", how);
		m->stopping = true;
		reload_cancel(&m->reload);
		upgrade_cancel(&m->upgrade);
		listen_close(&m->doors, NULL);
		pool_drain(&m->pool);
		notify_tell(&m->notify);
	}
	if (pool_left(&m->pool) == 0)
		leave(m);
}

void
master_on_empty(struct master *m)
{
	leave(m);
}

void
master_give_up(struct master *m, const char *why)
{
	if (m->stopping)
		return;
	log_alert("giving_up why=%s", log_quote(why, strlen(why)));
	legacy_say_failed(&m->legacy, why);
	m->exit_code = 1;
	m->stopping = true;
	m->n_stops++;
	notify_tell(&m->notify);
	pool_kill(&m->pool);
	leave(m);
}

static int
write_pid_file(struct master *m, struct err *e)
{
	if (*m->conf->pid_file == '\0')
		return 0;
	m->pid_fd = pidfile_write(m->conf->pid_file, e);
	return m->pid_fd < 0 ? -1 : 0;
}

/* Who answers, in order: "model,xiaotu". A list that is too long is cut at a name. */
static void
robots_text(const struct conf *c, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (int i = 0; i < c->n_robots; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i ? "," : "", c->robots[i].name);

		if (n < 0 || (size_t)n >= size - used) {
			out[used] = '\0';
			return;
		}
		used += (size_t)n;
	}
}

void
master_on_ready(struct master *m)
{
	struct chan_msg serve = { .kind = CHAN_SERVE };
	struct err e = { "" };
	char doors[800], robots[400];

	if (m->ready)
		return;
	/* The pid file of the old master is ours from here on, and not earlier. */
	if (m->legacy.handover >= 0 && write_pid_file(m, &e)) {
		master_give_up(m, e.text);
		return;
	}
	m->ready = true;
	/* Doors that the old master had and we have not. */
	listen_close(&m->legacy.doors, NULL);
	legacy_drop_control(&m->legacy);
	control_start(m->control);
	legacy_say_ready(&m->legacy);
	(void)pool_send(&m->pool, &serve, false);
	listen_text(&m->doors, doors, sizeof doors);
	robots_text(m->conf, robots, sizeof robots);
	log_notice("ready workers=%d listen=%s robots=%s version=%s conf=%s", pool_ready(&m->pool),
	    doors, log_quote(robots, strlen(robots)), XIAOTU_VERSION,
	    log_quote(m->conf->origin, strlen(m->conf->origin)));
	daemon_tell(m->daemon_fd, 0);
	m->daemon_fd = -1;
	notify_tell(&m->notify);
}

/* --- signals --------------------------------------------------------------------------------- */

static void
on_child(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!reload_on_exit(&m->reload, pid, status) &&
		    !upgrade_on_exit(&m->upgrade, pid, status))
			pool_on_exit(&m->pool, pid, status);
}

static void
resize(struct master *m, int by)
{
	int wanted = m->pool.wanted + by;

	if (wanted < 1 || wanted > SCORE_SLOTS)
		return;
	m->pool.wanted = wanted;
	log_notice("resize workers=%d", wanted);
	pool_fit(&m->pool);
}

static void
on_signal(struct ev_loop *loop, struct ev_signal *s, int events)
{
	struct master *m = s->data;

	(void)loop;
	(void)events;
	switch (s->signum) {
	case SIGCHLD:
		on_child(m);
		break;
	case SIGHUP:
		if (!m->stopping)
			reload_start(&m->reload);
		break;
	case SIGUSR1:
		(void)master_reopen_log(m);
		break;
	case SIGTTIN:
	case SIGTTOU:
		resize(m, s->signum == SIGTTIN ? 1 : -1);
		break;
	case SIGUSR2:
		(void)upgrade_start(&m->upgrade);
		break;
	default:
		master_stop(m, s->signum == SIGINT    ? "INT"
			       : s->signum == SIGQUIT ? "QUIT"
						      : "TERM");
	}
}

static void
watch_signals(struct master *m)
{
	static const int watched[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2,
		SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
		struct ev_signal *s = &m->signals[m->n_signals++];

		ev_signal_init(s, on_signal, watched[i]);
		s->data = m;
		ev_signal_start(m->loop, s);
	}
}

void
master_let_go(struct master *m)
{
	for (int i = 0; i < m->n_signals; i++)
		ev_signal_stop(m->loop, &m->signals[i]);
	pool_let_go(&m->pool);
	notify_let_go(&m->notify);
	if (m->pid_fd >= 0)
		close(m->pid_fd);
	if (m->daemon_fd >= 0)
		close(m->daemon_fd);
	legacy_let_go(&m->legacy);
	close(m->pool.standings_fd);
	if (m->upgrade.handover >= 0)
		close(m->upgrade.handover);
	control_let_go(m->control);
	ev_loop_destroy(m->loop);
}

/* --- start ----------------------------------------------------------------------------------- */

static void
raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int
open_log(struct master *m, struct err *e)
{
	int fd = log_target_open(m->conf->log_target, e);

	if (fd == -1)
		return -1;
	log_role("master");
	log_use(fd, (enum log_level)m->conf->log_level);
	if (strcmp(m->conf->origin, "built-in defaults") == 0)
		log_notice("built_in_defaults missing=%s", m->o->path);
	return 0;
}

/* As configured, and as TTIN and TTOU made it since. */
static int
n_workers(const struct master *m)
{
	int n = conf_n_workers(m->conf) + m->legacy.more_workers;

	return n < 1 ? 1 : n > SCORE_SLOTS ? SCORE_SLOTS : n;
}

/* Everything that can fail, in the order in which it is undone. Returns 0 or -1. */
static int
start(struct master *m, worker_main *work, struct err *e)
{
	m->conf = conf_load_apart(m->o->path, m->o->optional, &m->snapshot, e);
	if (m->conf == NULL || log_share(e) || open_log(m, e))
		return -1;
	m->loop = ev_loop_new(EVBACKEND_EPOLL);
	if (m->loop == NULL)
		return err_set(e, "no event loop: epoll is missing");
	reload_init(&m->reload, m);
	upgrade_init(&m->upgrade, m);
	inherit_give(&m->inherit, m->conf, &m->legacy.doors);
	if (pool_init(&m->pool, m, work, e) ||
	    listen_open(&m->doors, m->conf, &m->legacy.doors, e) ||
	    control_open(&m->control, m, legacy_take_control(&m->legacy, m->conf->control), e))
		return -1;
	listen_forget(&m->legacy.doors, &m->doors);
	m->pool.score->started_s = (int64_t)time(NULL);
	/* An operator may want to know why a start takes long; but at an upgrade he asks the old
	 * master until we are in charge. */
	if (m->legacy.handover < 0)
		control_start(m->control);
	m->pool.score->last_chat = m->legacy.last_chat;
	if (m->legacy.handover < 0 && write_pid_file(m, e))
		return -1;
	m->pool.wanted = n_workers(m);
	notify_start(&m->notify, m);
	return 0;
}

static void
finish(struct master *m)
{
	/* An upgrade that failed: the old master serves on. */
	if (m->legacy.handover >= 0 && !m->ready)
		listen_leave(&m->doors);
	listen_close(&m->doors, NULL);
	control_close(m->control, m->legacy.handover >= 0 && !m->ready);
	if (m->conf && *m->conf->pid_file)
		pidfile_remove(m->conf->pid_file, m->pid_fd);
	for (int i = 0; i < m->n_signals; i++)
		ev_signal_stop(m->loop, &m->signals[i]);
	notify_end(&m->notify);
	if (m->loop)
		ev_loop_destroy(m->loop);
	if (m->conf)
		conf_free(m->conf);
	daemon_tell(m->daemon_fd, m->exit_code);
}

int
master_run(const struct master_options *o, worker_main *work)
{
	struct master *m = mem_zalloc(sizeof *m);
	struct err e = { "" };
	int code;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log that may not grow fails with EFBIG */
	m->o = o;
	m->pid_fd = m->daemon_fd = m->snapshot = -1;
	inherit_take(&m->inherit);
	notify_take(&m->notify);
	legacy_take(&m->legacy);
	memcpy(m->pool.pair, m->legacy.pair, sizeof m->pool.pair);
	m->pool.standings_fd = m->legacy.standings;
	legacy_say_hello(&m->legacy);
	raise_limits();
	if (o->daemon && m->legacy.handover < 0)
		m->daemon_fd = daemon_begin();
	if (start(m, work, &e)) {
		fprintf(stderr, "xiaotud: %s\n", e.text);
		legacy_say_failed(&m->legacy, e.text);
		m->exit_code = 1;
	} else {
		if (m->daemon_fd >= 0)
			daemon_let_go();
		watch_signals(m);
		pool_fit(&m->pool);
		ev_run(m->loop, 0);
		log_notice("stopped");
	}
	finish(m);
	code = m->exit_code;
	free(m);
	return code;
}
