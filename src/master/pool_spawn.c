/* pool_spawn.c - see pool.h: how a worker comes into being. */
#include "base/lapse.h"
#include "base/log.h"
#include "master/master.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIR_BYTES = 1 << 20 };
#define START_S 20.0

/* What chats move through; its buffer is how many are on their way at once. */
int
pool_make_pair(int pair[2], struct err *e)
{
	int bytes = PAIR_BYTES;

	if (chan_pair(pair, e))
		return -1;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	return 0;
}

static void __attribute__((noreturn)) be_worker(struct slot *s, int chan)
{
	struct master *m = s->m;
	struct boot boot = { .slot = pool_index(s),
		.chan = chan,
		.snapshot = m->snapshot,
		.n_listeners = m->doors.n,
		.score = m->pool.score,
		.tally = m->pool.tally,
		.throttle = m->pool.throttle,
		.standings = m->pool.standings,
		.standing_slot = m->pool.first_slot + pool_index(s),
		.move_give = m->pool.pair[0],
		.move_take = m->pool.pair[1],
		.serves = m->ready || m->legacy.handover < 0,
		.user = m->conf->user,
		.master = getppid() };

	memcpy(boot.listeners, m->doors.fds, sizeof boot.listeners);
	master_let_go(m);
	exit(m->pool.work(&boot));
}

int
pool_spawn(struct slot *s)
{
	sigset_t all, before;
	struct err e = { "" };
	int fds[2];

	if (chan_pair(fds, &e)) {
		log_error("worker_failed why=%s", log_quote(e.text, strlen(e.text)));
		return -1;
	}
	score_use(s->m->pool.score, pool_index(s));
	/* No handler of ours may run in the child before it let go of the loop. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	s->pid = fork();
	if (s->pid == 0) {
		close(fds[0]);
		be_worker(s, fds[1]);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (s->pid < 0) {
		log_error(
		    "worker_failed why=%s", log_quote(strerror(errno), strlen(strerror(errno))));
		close(fds[0]);
		return -1;
	}
	s->state = SLOT_STARTING;
	s->chan = fds[0];
	s->since_ms = lapse_now_ms();
	s->awaited = 0;
	s->tired = s->is_hung = s->is_killed = false;
	ev_io_init(&s->io, pool_on_chan, s->chan, EV_READ);
	s->io.data = s;
	ev_io_start(s->m->loop, &s->io);
	pool_set_late(s, START_S);
	return 0;
}
