/* fakebot.c - see fakebot.h. The test's half: script and records; the robot's loop is in
 * fakebot_loop.c. Both meet in `struct stage`, guarded by its mutex. */
#include "lib/fakebot.h"

#include "base/sock.h"
#include "lib/fakebot_stage.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_S = 10 };

struct fakebot {
	pid_t pid;
	int wake;
	struct stage *stage;
};

static struct stage *
stage_new(void)
{
	struct stage *g =
	    mmap(NULL, sizeof *g, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	ck_assert_ptr_ne(g, MAP_FAILED);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&g->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&g->changed, &ca);
	return g;
}

struct fakebot *
fakebot_start(const char *address, int port)
{
	struct fakebot *b = calloc(1, sizeof *b);
	pid_t parent = getpid();
	struct sock_addr a;
	struct err e;
	int door;

	ck_assert_ptr_nonnull(b);
	b->stage = stage_new();
	fakebot_echo(b);
	b->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	door =
	    sock_addr_make(&a, SOCK_TCP, address, port, &e) ? -1 : sock_listen(SOCK_TCP, &a, 0, &e);
	if (door < 0)
		ck_abort_msg("fakebot: %s", e.text);
	b->pid = fork();
	ck_assert_int_ge(b->pid, 0);
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			fakebot_loop(b->stage, door, b->wake);
		_exit(0);
	}
	close(door);
	return b;
}

void
fakebot_stop(struct fakebot *b)
{
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	close(b->wake);
	munmap(b->stage, sizeof *b->stage);
	free(b);
}

static void
copy(char *to, size_t size, const char *from)
{
	ck_assert_uint_lt(from == NULL ? 0 : strlen(from), size);
	snprintf(to, size, "%s", from == NULL ? "" : from);
}

void
fakebot_play(struct fakebot *b, const struct fakebot_script *script)
{
	struct stage *g = b->stage;

	pthread_mutex_lock(&g->mutex);
	g->status = script->status ? script->status : 200;
	g->delay_ms = script->delay_ms;
	g->hold = script->hold;
	g->hang_up = script->hang_up;
	g->promise = script->promise;
	g->name_key = script->name_key;
	g->has_body = script->body != NULL;
	copy(g->body, sizeof g->body, script->body);
	copy(g->headers, sizeof g->headers, script->headers);
	copy(g->only, sizeof g->only, script->only);
	pthread_mutex_unlock(&g->mutex);
}

void
fakebot_echo(struct fakebot *b)
{
	fakebot_play(b, &(struct fakebot_script){ .status = 200 });
}

void
fakebot_release(struct fakebot *b)
{
	uint64_t one = 1;

	pthread_mutex_lock(&b->stage->mutex);
	b->stage->hold = false;
	b->stage->releases++;
	pthread_mutex_unlock(&b->stage->mutex);
	ck_assert_int_eq(write(b->wake, &one, sizeof one), sizeof one);
}

/* --- records --------------------------------------------------------------------------------- */

int
fakebot_requests(struct fakebot *b)
{
	int n;

	pthread_mutex_lock(&b->stage->mutex);
	n = b->stage->n_requests;
	pthread_mutex_unlock(&b->stage->mutex);
	return n;
}

int
fakebot_requests_with(struct fakebot *b, const char *key)
{
	int n = 0;

	pthread_mutex_lock(&b->stage->mutex);
	for (int i = 0; i < b->stage->n_keys; i++)
		if (strcmp(b->stage->keys[i].key, key) == 0)
			n = b->stage->keys[i].n;
	pthread_mutex_unlock(&b->stage->mutex);
	return n;
}

static void
wait_count(struct fakebot *b, const int *count, int n, const char *what)
{
	struct timespec until;
	int found, outcome = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&b->stage->mutex);
	while ((found = *count) < n && outcome != ETIMEDOUT)
		outcome = pthread_cond_timedwait(&b->stage->changed, &b->stage->mutex, &until);
	pthread_mutex_unlock(&b->stage->mutex);
	if (found < n)
		ck_abort_msg("fakebot: waited for %d %s, there were %d", n, what, found);
}

void
fakebot_wait_requests(struct fakebot *b, int n)
{
	wait_count(b, &b->stage->n_requests, n, "requests");
}

void
fakebot_wait_gone(struct fakebot *b, int n)
{
	wait_count(b, &b->stage->n_gone, n, "clients that leave");
}

struct fakebot_record
fakebot_record(struct fakebot *b, int i)
{
	struct fakebot_record r;

	pthread_mutex_lock(&b->stage->mutex);
	r = b->stage->records[i % FAKEBOT_RECORDS];
	pthread_mutex_unlock(&b->stage->mutex);
	return r;
}
