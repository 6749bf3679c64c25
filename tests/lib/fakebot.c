/* fakebot.c - see fakebot.h. The test's half: scripts and records; the robot's loop is in
 * fakebot_loop.c. Both meet in `struct stage`, guarded by its mutex. */
#include "lib/fakebot.h"
#include "lib/certs.h"

#include "base/sock.h"
#include "lib/fakebot_stage.h"

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

static struct fakebot *
start(const char *address, int port, SSL_CTX *tls)
{
	struct fakebot *b = calloc(1, sizeof *b);
	pid_t parent = getpid();
	struct sock_addr a;
	struct err e;
	int door;

	ck_assert_ptr_nonnull(b);
	b->stage = stage_new();
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
			fakebot_loop(b->stage, door, b->wake, tls);
		_exit(0);
	}
	close(door);
	return b;
}

struct fakebot *
fakebot_start_tls(
    const char *address, int port, const char *cert_pem_path, const char *key_pem_path)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	struct fakebot *b;

	ck_assert_ptr_nonnull(tls);
	if (SSL_CTX_use_certificate_chain_file(tls, cert_pem_path) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key_pem_path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(tls) != 1)
		ck_abort_msg("fakebot: %s or %s: %s", cert_pem_path, key_pem_path,
		    ERR_reason_error_string(ERR_get_error()));
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	b = start(address, port, tls);
	SSL_CTX_free(tls); /* the robot has its copy */
	return b;
}

/* With XIAOTU_BOT_TLS robots are behind TLS, with certificates of that folder's CA. */
struct fakebot *
fakebot_start(const char *address, int port)
{
	const char *folder = getenv("XIAOTU_BOT_TLS");
	char cert[512], key[512];

	if (folder == NULL)
		return start(address, port, NULL);
	certs_make(folder, "robot", address, 1);
	snprintf(cert, sizeof cert, "%s/robot.pem", folder);
	snprintf(key, sizeof key, "%s/robot.key", folder);
	return fakebot_start_tls(address, port, cert, key);
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

/* --- scripts --------------------------------------------------------------------------------- */

/* Move *text, of n bytes, into the stage. */
static void
keep(struct play *p, const char **text, size_t n)
{
	char *to = p->text + p->n_text;

	if (*text == NULL)
		return;
	ck_assert_uint_lt(n, sizeof p->text - p->n_text);
	memcpy(to, *text, n);
	to[n] = '\0';
	p->n_text += n + 1;
	*text = to;
}

static void
keep_string(struct play *p, const char **text)
{
	keep(p, text, *text == NULL ? 0 : strlen(*text));
}

static void
add_script(struct fakebot *b, const struct fakebot_script *script, bool alone)
{
	struct stage *g = b->stage;
	struct play *p;

	pthread_mutex_lock(&g->mutex);
	g->n_plays = alone ? 0 : g->n_plays;
	ck_assert_int_lt(g->n_plays, FAKEBOT_SCRIPTS);
	p = &g->plays[g->n_plays++];
	p->script = *script;
	p->n_taken = 0;
	p->n_text = 0;
	keep_string(p, &p->script.only);
	keep_string(p, &p->script.type);
	keep_string(p, &p->script.headers);
	keep_string(p, &p->script.body);
	keep(p, &p->script.raw, script->n_raw);
	pthread_mutex_unlock(&g->mutex);
}

void
fakebot_play(struct fakebot *b, const struct fakebot_script *script)
{
	add_script(b, script, true);
}

void
fakebot_also(struct fakebot *b, const struct fakebot_script *script)
{
	add_script(b, script, false);
}

void
fakebot_echo(struct fakebot *b)
{
	pthread_mutex_lock(&b->stage->mutex);
	b->stage->n_plays = 0;
	pthread_mutex_unlock(&b->stage->mutex);
}

/* Let a clock of the robot's loop tick. */
static void
tick(struct fakebot *b, int *clock)
{
	uint64_t one = 1;

	pthread_mutex_lock(&b->stage->mutex);
	++*clock;
	pthread_mutex_unlock(&b->stage->mutex);
	ck_assert_int_eq(write(b->wake, &one, sizeof one), sizeof one);
}

void
fakebot_release(struct fakebot *b)
{
	pthread_mutex_lock(&b->stage->mutex);
	for (int i = 0; i < b->stage->n_plays; i++)
		b->stage->plays[i].script.hold = false;
	pthread_mutex_unlock(&b->stage->mutex);
	tick(b, &b->stage->releases);
}

void
fakebot_step(struct fakebot *b)
{
	tick(b, &b->stage->steps);
}

/* --- records --------------------------------------------------------------------------------- */

static int
read_count(struct fakebot *b, const int *count)
{
	int n;

	pthread_mutex_lock(&b->stage->mutex);
	n = *count;
	pthread_mutex_unlock(&b->stage->mutex);
	return n;
}

int
fakebot_requests(struct fakebot *b)
{
	return read_count(b, &b->stage->n_requests);
}

int
fakebot_connections(struct fakebot *b)
{
	return read_count(b, &b->stage->n_connections);
}

int64_t
fakebot_sent_bytes(struct fakebot *b)
{
	int64_t n;

	pthread_mutex_lock(&b->stage->mutex);
	n = b->stage->sent_bytes;
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
