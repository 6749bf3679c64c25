/* notify.c - see notify.h.
 * A status that changes often (workers that start) is told at most every LATER_S: a hook of the
 * loop looks after every turn whether it is another one than the one told last, so nobody who
 * changes something has to think of it. */
#include "master/notify.h"

#include "base/env.h"
#include "base/lapse.h"
#include "base/log.h"
#include "base/text.h"
#include "master/master.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_FRESH_MS = 3000, SLACK_US = 10 * 1000000, HUNGRY_PARTS = 8 };
#define LATER_S   0.25
#define CONFIRM_S 2.0

/* --- what there is to tell ------------------------------------------------------------------- */

/* One line of UTF-8, which the manager insists on: what is not becomes '?'. */
static void
make_plain(char *s)
{
	for (size_t n = strlen(s), i = 0; i < n;) {
		uint32_t code = 0;
		int len = text_char(s + i, n - i, &code);

		if (len <= 0 || code == '\n' || code == '\t' || text_is_control(code))
			memset(s + i, '?', len = len > 0 ? len : 1);
		i += (size_t)len;
	}
}

static void
make_status(const struct notify *n, char out[NOTIFY_STATUS])
{
	const struct master *m = n->m;
	char doors[NOTIFY_STATUS / 2];

	listen_text(&m->doors, doors, sizeof doors);
	if (m->exit_code)
		snprintf(out, NOTIFY_STATUS, "giving up; the log says why");
	else if (m->stopping)
		snprintf(out, NOTIFY_STATUS, "stopping; %d workers left", pool_left(&m->pool));
	else
		snprintf(out, NOTIFY_STATUS, "%s; %d of %d workers ready; %s%s%s",
		    m->ready ? "serving" : "starting", pool_ready(&m->pool), m->pool.wanted, doors,
		    *n->outcome ? "; last reload " : "", n->outcome);
	make_plain(out);
}

/* A drain may be set to take longer than the manager would wait; it never shortens its own limit.
 * Before the start is over there is nothing but the status. */
static void
make_state(const struct notify *n, char *out, size_t size)
{
	const struct master *m = n->m;

	if (n->main_pid)
		snprintf(out, size, "MAINPID=%d\n", (int)n->main_pid);
	else if (m->stopping)
		snprintf(out, size, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64 "\n",
		    m->conf->drain_ms * 1000 + SLACK_US);
	else if (n->reload_us && m->ready)
		snprintf(out, size, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", n->reload_us);
	else
		snprintf(out, size, "%s", m->ready ? "READY=1\n" : "");
}

/* --- telling --------------------------------------------------------------------------------- */

/* Returns whether it is worth trying again soon. */
static bool
send_text(struct notify *n, const char *text)
{
	ssize_t sent;

	do
		sent = sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&n->to, n->to_len);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return false;
	if (errno == EAGAIN || errno == ENOBUFS)
		return true;
	if (!n->complained)
		log_warn("notify_failed why=\"%s\"", strerror(errno));
	n->complained = true;
	return false;
}

static void
tell_later(struct notify *n, double seconds)
{
	if (!ev_is_active(&n->later)) {
		ev_timer_set(&n->later, seconds, 0.0);
		ev_timer_start(n->m->loop, &n->later);
	}
}

/* After an upgrade the manager does not listen to us before the old master has named us: what is
 * said first is said once more when it has. */
static bool
is_to_be_confirmed(struct notify *n)
{
	bool first = n->m->ready && n->m->legacy.handover >= 0 && !n->confirmed;

	n->confirmed = n->confirmed || first;
	return first;
}

void
notify_tell(struct notify *n)
{
	char text[NOTIFY_STATUS + 200];
	size_t len;

	if (n->fd < 0 || n->m == NULL)
		return;
	ev_timer_stop(n->m->loop, &n->later);
	make_status(n, n->told);
	make_state(n, text, sizeof text);
	len = strlen(text);
	snprintf(text + len, sizeof text - len, "STATUS=%s", n->told);
	if (send_text(n, text))
		tell_later(n, LATER_S);
	else if (n->main_pid)
		notify_end(n);
	else if (is_to_be_confirmed(n))
		tell_later(n, CONFIRM_S);
}

void
notify_reloading(struct notify *n)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	n->reload_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	notify_tell(n);
}

void
notify_reloaded(struct notify *n, bool ok, const char *text)
{
	n->reload_us = 0;
	snprintf(n->outcome, sizeof n->outcome, "%s%s%s", ok ? "ok" : "rejected", *text ? ": " : "",
	    text);
	notify_tell(n);
}

void
notify_main_pid(struct notify *n, pid_t pid)
{
	n->main_pid = pid;
	notify_tell(n);
}

/* --- the watchdog ---------------------------------------------------------------------------- */

/* Does anybody serve? While we leave, the drain's own deadlines count. */
static bool
is_healthy(const struct master *m)
{
	int64_t now_ms = lapse_now_ms();

	for (int i = 0; i < SCORE_SLOTS; i++)
		if (m->pool.slots[i].state == SLOT_READY &&
		    now_ms - atomic_load(&m->pool.score->slots[i].beat_ms) < BEAT_FRESH_MS)
			return true;
	return m->stopping;
}

/* At half the time; while there is no health it is looked for more often, so that it still counts
 * when it comes back late. */
static void
on_feed(struct ev_loop *loop, struct ev_timer *t, int events)
{
	struct notify *n = t->data;
	double seconds = (double)n->watchdog_us / 2e6;

	(void)events;
	if (!is_healthy(n->m) || send_text(n, "WATCHDOG=1"))
		seconds /= HUNGRY_PARTS;
	ev_timer_set(t, seconds, 0.0);
	ev_timer_start(loop, t);
}

/* --- life ------------------------------------------------------------------------------------ */

static void
on_turn(struct ev_loop *loop, struct ev_prepare *p, int events)
{
	struct notify *n = p->data;
	char status[NOTIFY_STATUS];

	(void)loop;
	(void)events;
	make_status(n, status);
	if (strcmp(status, n->told) != 0)
		tell_later(n, LATER_S);
}

static void
on_later(struct ev_loop *loop, struct ev_timer *t, int events)
{
	(void)loop;
	(void)events;
	notify_tell(t->data);
}

static int64_t
take_number(const char *name)
{
	char text[32];
	int64_t value;

	return env_take(name, text, sizeof text) && text_to_int(text, &value) == 0 ? value : 0;
}

/* A path, or with '@' the name of an abstract socket. */
static bool
make_address(struct notify *n, const char *text)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof n->to.sun_path)
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, text, len);
	if (text[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

void
notify_take(struct notify *n)
{
	char path[sizeof n->to.sun_path];
	int64_t us = take_number("WATCHDOG_USEC"), pid = take_number("WATCHDOG_PID");

	n->fd = -1;
	if (us > 0 && (pid == 0 || pid == getpid()))
		n->watchdog_us = us;
	if (env_take("NOTIFY_SOCKET", path, sizeof path) && make_address(n, path))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void
notify_start(struct notify *n, struct master *m)
{
	n->m = m;
	if (n->fd < 0)
		return;
	ev_prepare_init(&n->turn, on_turn);
	ev_timer_init(&n->later, on_later, 0.0, 0.0);
	ev_timer_init(&n->feed, on_feed, (double)n->watchdog_us / 2e6, 0.0);
	n->turn.data = n->later.data = n->feed.data = n;
	ev_prepare_start(m->loop, &n->turn);
	if (n->watchdog_us)
		ev_timer_start(m->loop, &n->feed);
}

void
notify_export(const struct notify *n)
{
	char text[sizeof n->to.sun_path + 1] = "";

	if (n->to_len == 0)
		return;
	memcpy(text, n->to.sun_path, n->to_len - offsetof(struct sockaddr_un, sun_path));
	if (text[0] == '\0')
		text[0] = '@';
	setenv("NOTIFY_SOCKET", text, 1);
	if (n->watchdog_us == 0)
		return;
	snprintf(text, sizeof text, "%" PRId64, n->watchdog_us);
	setenv("WATCHDOG_USEC", text, 1);
	snprintf(text, sizeof text, "%d", (int)getpid());
	setenv("WATCHDOG_PID", text, 1);
}

void
notify_let_go(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void
notify_end(struct notify *n)
{
	if (n->fd >= 0 && n->m) {
		ev_prepare_stop(n->m->loop, &n->turn);
		ev_timer_stop(n->m->loop, &n->later);
		ev_timer_stop(n->m->loop, &n->feed);
	}
	notify_let_go(n);
}
