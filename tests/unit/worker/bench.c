/* bench.c - see bench.h. It asserts without Check, because a fuzz target uses it, too. */
#include "unit/worker/bench.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "worker/enter.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char settings[] =
    "language = \"en\"; greeting = \"Welcome\\n\"; memory_turns = 10;\n"
    "limits = { messages_per_minute = 0; };\n"
    "robots = ( { name = \"hello\"; type = \"hello\"; }, { name = \"second\"; type = \"hello\"; } "
    ");\n";

static struct setup *
open_settings(const struct robot_env *env)
{
	struct err e = { "" };
	struct setup *s;
	int fd = memfd_create("settings", MFD_CLOEXEC);

	assert(fd >= 0);
	if (write(fd, settings, sizeof settings - 1) != sizeof settings - 1)
		abort();
	s = setup_open(fd, env, &e);
	assert(s != NULL);
	close(fd);
	return s;
}

static void
share(struct boot *boot, const int pair[2])
{
	boot->score = score_new();
	boot->tally = tally_new(SCORE_SLOTS);
	boot->throttle = throttle_new();
	boot->standings = standings_new(NULL);
	boot->move_give = pair ? pair[0] : -1;
	boot->move_take = pair ? pair[1] : -1;
	assert(boot->score && boot->tally && boot->standings);
}

struct bench *
bench_open(const int pair[2])
{
	struct bench *b = mem_zalloc(sizeof *b);
	struct worker *w = &b->w;
	struct err e = { "" };

	log_use(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG_);
	share(&b->boot, pair);
	w->boot = &b->boot;
	w->score = &b->boot.score->slots[0];
	w->loop = ev_loop_new(EVBACKEND_EPOLL);
	assert(w->loop);
	later_init(&w->later, w->loop);
	list_init(&w->conns);
	list_init(&w->datagrams);
	list_init(&w->to_move);
	lapse_init(&w->quiet, w->loop, 60000, conn_on_lapse, w);
	lapse_init(&w->message, w->loop, 60000, conn_on_lapse, w);
	lapse_init(&w->idle, w->loop, 60000, conn_on_lapse, w);
	lapse_init(&w->linger, w->loop, 1000, conn_on_lapse, w);
	lapse_init(&w->notice, w->loop, 0, turn_on_notice, w);
	w->env = (struct robot_env){
		.loop = w->loop, .later = &w->later, .standings = b->boot.standings, .slot = 0
	};
	w->store = store_mem.open(&e);
	assert(w->store);
	w->setup = open_settings(&w->env);
	return b;
}

void
bench_close(struct bench *b)
{
	struct worker *w = &b->w;

	while (!list_is_empty(&w->conns))
		conn_moved(list_item(w->conns.next, struct conn, link));
	if (w->moving)
		ev_io_stop(w->loop, &w->give);
	setup_drop(w->setup);
	bench_turn(b);
	store_mem.close(w->store);
	lapse_release(&w->quiet);
	lapse_release(&w->message);
	lapse_release(&w->idle);
	lapse_release(&w->linger);
	lapse_release(&w->notice);
	later_release(&w->later);
	ev_loop_destroy(w->loop);
	free(b);
}

struct conn *
bench_chat(struct bench *b, int *peer)
{
	const struct sock_addr unnamed = { .len = sizeof(sa_family_t), .u.any.sa_family = AF_UNIX };
	char greeting[8];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	*peer = ends[1];
	enter_open(&b->w, ends[0], &unnamed, b->w.setup->gates[0]);
	if (recv(ends[1], greeting, sizeof greeting, 0) != sizeof greeting ||
	    memcmp(greeting, "Welcome\n", sizeof greeting) != 0)
		abort();
	return list_item(b->w.conns.prev, struct conn, link);
}

void
bench_turn(struct bench *b)
{
	for (int i = 0; i < 4; i++)
		ev_run(b->w.loop, EVRUN_NOWAIT);
}
