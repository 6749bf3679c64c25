/* reload.c - see reload.h. */
#include "master/reload.h"

#include "base/json.h"
#include "base/log.h"
#include "conf/conf_show.h"
#include "master/master.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREPARE_S 5.0
#define COMMIT_S  2.0

enum { NO_LOG = -3, REPORT_BYTES = 4 << 20 };

static void
set_late(struct reload *r, double seconds)
{
	ev_timer_stop(r->m->loop, &r->late);
	ev_timer_set(&r->late, seconds, 0.0);
	ev_timer_start(r->m->loop, &r->late);
}

/* Back to normal; whatever had to wait for the end of the reload happens now. */
static void
finish(struct reload *r)
{
	bool again = r->again;

	ev_timer_stop(r->m->loop, &r->late);
	r->state = RELOAD_IDLE;
	r->again = false;
	pool_fit(&r->m->pool);
	if (again && !r->m->stopping)
		reload_start(r);
}

/* `why` is NULL when it succeeded. */
static void
tell(struct reload *r, const char *why)
{
	struct score_events *events = &r->m->pool.score->events;

	score_add(why ? &events->reload_rejected : &events->reload_ok, 1);
	control_on_reload(r->m->control, r->begun, why, &r->report);
	buf_cut(&r->report, 0);
}

/* Throw away everything new. */
static void
undo(struct reload *r)
{
	if (r->conf) {
		conf_free(r->conf);
		close(r->snapshot);
	}
	r->conf = NULL;
	listen_close(&r->doors, &r->m->doors);
	if (r->log_fd >= 0)
		close(r->log_fd);
	r->log_fd = NO_LOG;
}

static void
reject(struct reload *r, const char *why)
{
	if (r->state == RELOAD_PREPARING) {
		struct chan_msg msg = { .kind = CHAN_ABORT, .number = r->number };

		(void)pool_send(&r->m->pool, &msg, false);
	}
	undo(r);
	log_error("reload result=rejected why=%s", log_quote(why, strlen(why)));
	notify_reloaded(&r->m->notify, false, why);
	tell(r, why);
	finish(r);
}

/* --- commit ---------------------------------------------------------------------------------- */

static void
succeed(struct reload *r)
{
	log_notice("reload result=ok changed=%s", log_quote(r->changes, strlen(r->changes)));
	notify_reloaded(&r->m->notify, true, r->changes);
	tell(r, NULL);
	finish(r);
}

/* All workers could: from here on the new settings are those in force. The doors that go are closed
 * here first, so that the workers are the last to hold them and take in whoever waits there. */
static void
commit(struct reload *r)
{
	struct master *m = r->m;
	struct chan_msg msg = { .kind = CHAN_COMMIT, .number = r->number };
	bool resized = r->conf->workers != m->conf->workers;

	listen_close(&m->doors, &r->doors);
	m->doors = r->doors;
	r->doors.n = 0;
	conf_free(m->conf);
	close(m->snapshot);
	m->conf = r->conf;
	m->snapshot = r->snapshot;
	r->conf = NULL;
	if (r->log_fd != NO_LOG)
		(void)master_use_log(m, r->log_fd);
	r->log_fd = NO_LOG;
	/* An operator who reloads has mended something: whoever rests is asked again. */
	standings_wake_all(m->pool.standings);
	if (resized)
		m->pool.wanted = conf_n_workers(m->conf);
	r->state = RELOAD_COMMITTING;
	r->n_awaited = 0;
	for (int i = 0; i < SCORE_SLOTS; i++) {
		struct slot *s = &m->pool.slots[i];

		if (s->awaited != r->number || s->state == SLOT_EMPTY)
			continue;
		r->n_awaited += chan_send(s->chan, &msg) == 0;
	}
	if (r->n_awaited == 0)
		succeed(r);
	else
		set_late(r, COMMIT_S);
}

/* --- prepare --------------------------------------------------------------------------------- */

static void
ask_workers(struct reload *r)
{
	struct chan_msg msg = { .kind = CHAN_PREPARE, .number = ++r->number };

	msg.n_fds = 1 + r->doors.n;
	msg.fds[0] = r->snapshot;
	memcpy(msg.fds + 1, r->doors.fds, (size_t)r->doors.n * sizeof *msg.fds);
	r->state = RELOAD_PREPARING;
	r->n_awaited = 0;
	for (int i = 0; i < SCORE_SLOTS; i++) {
		struct slot *s = &r->m->pool.slots[i];

		if (s->state != SLOT_STARTING && s->state != SLOT_READY)
			continue;
		if (chan_send(s->chan, &msg))
			continue;
		s->awaited = r->number;
		r->n_awaited++;
	}
	if (r->n_awaited == 0)
		commit(r);
	else
		set_late(r, PREPARE_S);
}

/* All of it or nothing: a list that does not fit ends before. */
static void
report(struct reload *r, const struct conf_change *change)
{
	size_t before = r->report.len;

	if ((before && buf_adds(&r->report, ",\n")) || buf_adds(&r->report, "{\"key\":") ||
	    json_write(change->key, strlen(change->key), &r->report) ||
	    buf_addf(&r->report, ",\"from\":%s,\"to\":%s}", change->from, change->to))
		buf_cut(&r->report, before);
}

static void
on_change(const struct conf_change *change, void *arg)
{
	struct reload *r = arg;
	size_t n = strlen(r->changes);

	report(r, change);

	snprintf(r->changes + n, sizeof r->changes - n, "%s%s", n ? " " : "", change->key);
	if (change->policy == OPT_RESTART && *r->refused == '\0')
		snprintf(
		    r->refused, sizeof r->refused, "%s: takes a restart to change", change->key);
}

/* The log of the new settings, when it is another one. Returns 0 or -1. */
static int
open_log(struct reload *r, struct err *e)
{
	const struct conf *now = r->m->conf;

	r->log_fd = NO_LOG;
	if (strcmp(now->log_target, r->conf->log_target) == 0 &&
	    now->log_level == r->conf->log_level)
		return 0;
	r->log_fd = log_target_open(r->conf->log_target, e);
	if (r->log_fd != -1)
		return 0;
	r->log_fd = NO_LOG;
	return -1;
}

static void
compare(struct reload *r)
{
	struct err e = { "" };

	r->changes[0] = r->refused[0] = '\0';
	(void)conf_diff(r->m->conf, r->conf, on_change, r);
	if (*r->refused)
		reject(r, r->refused);
	else if (open_log(r, &e) || listen_open(&r->doors, r->conf, &r->m->doors, &e))
		reject(r, e.text);
	else
		ask_workers(r);
}

/* --- events ---------------------------------------------------------------------------------- */

void
reload_start(struct reload *r)
{
	struct err e = { "" };

	if (r->state != RELOAD_IDLE) {
		r->again = true;
		return;
	}
	if (upgrade_runs(&r->m->upgrade)) {
		/* It is for whoever is in charge in the end. */
		log_notice("reload_waits why=upgrade");
		r->m->upgrade.hup = true;
		return;
	}
	r->state = RELOAD_PARSING;
	r->begun++;
	notify_reloading(&r->m->notify);
	(void)master_reopen_log(r->m);
	if (conf_child_start(&r->child, r->m->o->path, r->m->o->optional, &e))
		reject(r, e.text);
	else
		set_late(r, CONF_CHILD_MS / 1000.0);
}

bool
reload_on_exit(struct reload *r, pid_t pid, int status)
{
	struct err e = { "" };

	if (r->child.pid == 0 || r->child.pid != pid)
		return false;
	r->conf = conf_child_finish(&r->child, status, &r->snapshot, &e);
	if (r->state != RELOAD_PARSING)
		undo(r);
	else if (r->conf == NULL)
		reject(r, e.text);
	else
		compare(r);
	return true;
}

void
reload_on_answer(struct reload *r, struct slot *s, const struct chan_msg *msg)
{
	if (msg->number != r->number || s->awaited != r->number)
		return;
	if (r->state == RELOAD_PREPARING && msg->kind == CHAN_REFUSED)
		reject(r, msg->text);
	else if (r->state == RELOAD_PREPARING && msg->kind == CHAN_PREPARED && --r->n_awaited == 0)
		commit(r);
	else if (r->state == RELOAD_COMMITTING && msg->kind == CHAN_COMMITTED &&
		 --r->n_awaited == 0)
		succeed(r);
}

void
reload_on_death(struct reload *r, const struct slot *s)
{
	if (s->awaited != r->number || r->number == 0)
		return;
	if (r->state == RELOAD_PREPARING)
		reject(r, "a worker died while it prepared");
	else if (r->state == RELOAD_COMMITTING && --r->n_awaited <= 0)
		succeed(r);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct reload *r = t->data;

	(void)loop;
	(void)events;
	if (r->state == RELOAD_PARSING)
		kill(r->child.pid, SIGKILL); /* its end rejects */
	else if (r->state == RELOAD_PREPARING)
		reject(r, "not all workers were prepared in time");
	else if (r->state == RELOAD_COMMITTING)
		succeed(r);
}

void
reload_init(struct reload *r, struct master *m)
{
	r->m = m;
	r->log_fd = NO_LOG;
	buf_init(&r->report, REPORT_BYTES);
	ev_timer_init(&r->late, on_late, 0.0, 0.0);
	r->late.data = r;
}

void
reload_cancel(struct reload *r)
{
	r->again = false;
	if (r->state == RELOAD_PARSING && r->child.pid)
		kill(r->child.pid, SIGKILL);
	if (r->state == RELOAD_PREPARING)
		reject(r, "leaving");
	ev_timer_stop(r->m->loop, &r->late);
	r->state = RELOAD_IDLE;
	control_on_reload(r->m->control, INT64_MAX, "the server is leaving", &r->report);
	buf_release(&r->report);
}
