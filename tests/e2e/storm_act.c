/* storm_act.c - what the storm does to the server; see storm.h. One thing after the other, some of
 * which take their time and meet the next ones. */
#include "e2e/storm_own.h"

#include "base/lapse.h"
#include "e2e/locked.h"
#include "e2e/moving.h"
#include "lib/oracle.h"
#include "lib/procfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { ACT_MS = 500, LOOK_MS = 100, AWAIT_MS = 60000, KILL_AGAIN_MS = 8000, POOL_MOST = 6 };

/* --- the configuration ----------------------------------------------------------------------- */

#define STORM_ROBOT(name, port)                                                                    \
	MODEL_AT(name, "openai", port,                                                             \
	    "connect_timeout = \"1s\"; first_byte_timeout = \"2s\"; gap_timeout = \"2s\"; "        \
	    "total_timeout = \"5s\";")

void
storm_configure(struct storm *st, bool base)
{
	static const char *const robots[] = {
		STORM_ROBOT("a", "8000") ", " STORM_ROBOT("b", "8001"),
		STORM_ROBOT("b", "8001") ", " STORM_ROBOT("a", "8000"),
		STORM_ROBOT("a", "8000"),
	};
	static const char *const doors[] = { "", ", { address = \"$ADDR\"; port = 9996; }",
		", { path = \"$DIR/chat\"; }",
		", { address = \"$ADDR\"; port = 9997; transport = \"udp\"; }" };

	st->generation++;
	st->pool = base ? STORM_POOL : 2 + (int)storm_dice(st, 4);
	server_config(st->s,
	    "workers = %d; greeting = \"Welcome %d\\n\"; language = \"en\";\n"
	    "control = \"$DIR/control.sock\"; recycle_after = %d; memory_turns = %d;\n"
	    "limits = { messages_per_minute = 0; chats_per_address = 0; };\n"
	    "timeouts = { message = \"3s\"; };\n"
	    "log = { target = \"$DIR/log\"; level = \"%s\"; };\n"
	    "listen = ( " STORM_DOORS "%s );\nrobots = ( %s, " HELLO_ROBOT " );\n",
	    st->pool, st->generation, base ? 0 : (int)storm_dice(st, 2) * 3000,
	    base ? 2 : (int)storm_dice(st, 4), storm_dice(st, 4) || base ? "notice" : "info",
	    base ? "" : doors[storm_dice(st, 4)], robots[base ? 0 : storm_dice(st, 3)]);
}

/* --- robots ---------------------------------------------------------------------------------- */

#define MUCH                                                                                       \
	"data: {\"choices\":[{\"delta\":{\"content\":\"0123456789012345678901234567890123456789"   \
	"01234567890123456789012345678901234567890123456789012345678901234567890123456789\"}}]}"   \
	"\n\n"

static const struct fakebot_script much = {
	.only = "much", .type = "text/event-stream", .body = MUCH, .repeat = 20000
};

void
storm_robots(struct storm *st)
{
	static const struct fakebot_script ways[] = { { .status = 0 }, { .delay_ms = 50 },
		{ .delay_ms = 2500 }, { .status = 500, .body = "no" },
		{ .status = 503, .headers = "Retry-After: 1\r\n", .body = "later" },
		{ .status = 429, .headers = "Retry-After: 2\r\n", .body = "later" },
		{ .hang_up = true }, { .reset = true, .hang_up = true }, { .close_after = true },
		{ .body = "<html>no</html>" }, { .body = "{\"choices\":", .promise = 500 },
		{ .piece_ms = 20 }, { .drip_ms = 1 },
		{ .type = "text/event-stream",
		    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"echo:c\"}}]}\n\n" } };

	fakebot_play(st->first, &much);
	fakebot_also(st->first, &ways[storm_dice(st, sizeof ways / sizeof *ways)]);
	if (st->second == NULL)
		st->second = fakebot_start(st->s->address, SERVER_BOT_PORT + 1);
	else if (storm_dice(st, 2)) {
		fakebot_stop(st->second);
		st->second = NULL;
	}
}

void
storm_robots_well(struct storm *st)
{
	fakebot_echo(st->first);
	if (st->second == NULL)
		st->second = fakebot_start(st->s->address, SERVER_BOT_PORT + 1);
}

/* --- workers --------------------------------------------------------------------------------- */

static pid_t
some_worker(struct storm *st)
{
	pid_t pids[SERVER_WORKERS_MAX];
	int n = server_pids(st->s, pids);

	return n > 0 ? pids[storm_dice(st, (unsigned)n)] : 0;
}

static void
kill_one(struct storm *st)
{
	pid_t pid = some_worker(st);

	if (pid > 0 && lapse_now_ms() - st->killed_ms > KILL_AGAIN_MS &&
	    kill(pid, storm_dice(st, 2) ? SIGKILL : SIGABRT) == 0)
		st->killed_ms = lapse_now_ms();
}

static void
stop_one(struct storm *st)
{
	pid_t pid = some_worker(st);

	storm_mend(st);
	if (pid > 0 && kill(pid, SIGSTOP) == 0)
		st->stopped = pid;
	st->mend_ms = lapse_now_ms() + 300 + storm_dice(st, 2000);
}

/* No descriptor more than it has. */
static void
starve_one(struct storm *st)
{
	pid_t pid = some_worker(st);
	struct rlimit now;
	int n;

	storm_mend(st);
	if (pid <= 0 || (n = procfs_descriptors(pid)) < 0 ||
	    prlimit(pid, RLIMIT_NOFILE, NULL, &st->before) < 0)
		return;
	now = st->before;
	now.rlim_cur = (rlim_t)n;
	if (prlimit(pid, RLIMIT_NOFILE, &now, NULL) == 0)
		st->starved = pid;
	st->mend_ms = lapse_now_ms() + 300 + storm_dice(st, 2000);
}

void
storm_mend(struct storm *st)
{
	if (st->stopped)
		(void)kill(st->stopped, SIGCONT);
	if (st->starved)
		(void)prlimit(st->starved, RLIMIT_NOFILE, &st->before, NULL);
	st->stopped = st->starved = 0;
}

static void
one_more(struct storm *st)
{
	pid_t pids[SERVER_WORKERS_MAX];

	if (server_pids(st->s, pids) < POOL_MOST)
		server_signal(st->s, SIGTTIN);
}

static void
one_fewer(struct storm *st)
{
	pid_t pids[SERVER_WORKERS_MAX];

	if (server_pids(st->s, pids) > 2)
		server_signal(st->s, SIGTTOU);
}

/* --- reloads and upgrades -------------------------------------------------------------------- */

static void
reload(struct storm *st)
{
	storm_configure(st, false);
	server_hup(st->s);
}

/* The same processes, with other settings. */
static void
reload_bad(struct storm *st)
{
	static const char *const bad[] = { "workers = \"many\";\n", "}} broken\n",
		"@include \".\"\n", "listen = ( { address = \"$ADDR\"; port = 8000; } );\n",
		"port = 4294967376;\n" };
	int workers = st->s->workers;

	server_config(st->s, "%s", bad[storm_dice(st, sizeof bad / sizeof *bad)]);
	st->s->workers = workers;
	server_hup(st->s);
}

static void
reload_soon(struct storm *st)
{
	server_hup(st->s);
}

/* It is in force for those who come; the others keep theirs. */
static void
new_certificate(struct storm *st)
{
	certs_make(st->s->folder, "door", st->s->address, 1);
	server_hup(st->s);
}

static void
reopen_log(struct storm *st)
{
	server_signal(st->s, SIGUSR1);
}

static void
await(struct storm *st, const char *words, int n)
{
	int64_t by_ms = lapse_now_ms() + AWAIT_MS, look_ms = 0;

	for (;;) {
		storm_turn(st);
		if (lapse_now_ms() < look_ms)
			continue;
		if (server_count_log(st->s, words) >= n)
			return;
		look_ms = lapse_now_ms() + LOOK_MS;
		if (look_ms > by_ms)
			ck_abort_msg("the log does not say \"%s\"", words);
	}
}

/* The file may be a bad one just now: then nothing happens. */
static void
upgrade(struct storm *st)
{
	struct server *s = st->s;
	int n = server_count_log(s, "ev=upgrade result=");
	int n_ok = server_count_log(s, "ev=upgrade result=ok");
	int64_t by_ms = lapse_now_ms() + AWAIT_MS;
	pid_t old = s->pid;

	storm_mend(st);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	server_signal(s, SIGUSR2);
	await(st, "ev=upgrade result=", n + 1);
	if (server_count_log(s, "ev=upgrade result=ok") == n_ok)
		return;
	s->pid = (pid_t)server_log_number(server_wait_log(s, "ev=upgrade result=ok"), "child");
	ck_assert_int_gt(s->pid, 1);
	while (!procfs_wait_gone(old, 0)) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("the old program does not end");
		storm_turn(st);
	}
	ck_assert_int_eq(moving_wait_exit(old), 0);
}

/* --- all of it ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned weight;
	bool replaces; /* a process */
	void (*run)(struct storm *st);
} acts[] = {
	{ "robots", 10, false, storm_robots },
	{ "reload", 3, true, reload }, /* another pool, recycling */
	{ "bad reload", 3, false, reload_bad },
	{ "hup", 2, true, reload_soon },
	{ "certificate", 2, true, new_certificate },
	{ "reopen", 2, false, reopen_log },
	{ "stop", 3, false, stop_one },
	{ "starve", 3, false, starve_one },
	{ "kill", 2, true, kill_one },
	{ "ttin", 2, true, one_more },
	{ "ttou", 2, true, one_fewer },
	{ "upgrade", 1, true, upgrade },
};

const char *
storm_act_name(int i)
{
	return i < (int)(sizeof acts / sizeof *acts) ? acts[i].name : NULL;
}

void
storm_act(struct storm *st, bool replaces)
{
	unsigned sum = 0, at;
	int i = 0;

	if ((st->stopped || st->starved) && lapse_now_ms() >= st->mend_ms)
		storm_mend(st);
	if (lapse_now_ms() < st->act_ms)
		return;
	for (size_t k = 0; k < sizeof acts / sizeof *acts; k++)
		sum += acts[k].weight;
	for (at = storm_dice(st, sum); at >= acts[i].weight; i++)
		at -= acts[i].weight;
	if (replaces || !acts[i].replaces) {
		if (getenv("STORM_TELL"))
			printf("storm: %s\n", acts[i].name);
		acts[i].run(st);
		st->n_acts[i]++;
	}
	st->act_ms = lapse_now_ms() + storm_dice(st, 2 * ACT_MS);
}

/* A visitor is greeted as the file says. */
static bool
is_in_force(struct storm *st)
{
	struct peer *p = peer_open(st->s->address, SERVER_PORT);
	char greeting[32];
	bool same;

	snprintf(greeting, sizeof greeting, "Welcome %d", st->generation);
	same = strcmp(peer_line(p), greeting) == 0;
	peer_close(p);
	return same;
}

/* Signals have their effect on the size until the file is another one. */
void
storm_pool(struct storm *st, int n)
{
	int64_t by_ms = lapse_now_ms() + AWAIT_MS, look_ms = 0;
	pid_t pids[SERVER_WORKERS_MAX];
	int found, zombies;

	storm_configure(st, true);
	server_hup(st->s);
	while (!is_in_force(st)) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("the last file is not in force");
		storm_turn(st);
	}
	while ((found = procfs_children(st->s->pid, pids, SERVER_WORKERS_MAX, &zombies)) != n ||
	       zombies > 0) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("%d workers and %d zombies, expected %d", found, zombies, n);
		if (found != n && lapse_now_ms() > look_ms) {
			server_signal(st->s, found < n ? SIGTTIN : SIGTTOU);
			look_ms = lapse_now_ms() + 4 * LOOK_MS * 10;
		}
		storm_turn(st);
	}
}
