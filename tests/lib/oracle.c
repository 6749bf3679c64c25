/* oracle.c - see oracle.h. */
#include "lib/oracle.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 5000, MOST = 64, SECRET_BYTES = 8, MOMENT_MS = 25, IDLE_PERCENT = 2 };

void
oracle_release(struct oracle *o)
{
	for (int i = 0; i < o->n_secrets; i++)
		free(o->secrets[i]);
	o->n_secrets = 0;
}

/* --- secrets --------------------------------------------------------------------------------- */

static void
add_secret(struct oracle *o, const char *s, size_t n)
{
	if (n < SECRET_BYTES) /* too short to be told from anything else */
		return;
	for (int i = 0; i < o->n_secrets; i++)
		if (strlen(o->secrets[i]) == n && memcmp(o->secrets[i], s, n) == 0)
			return;
	ck_assert_int_lt(o->n_secrets, ORACLE_SECRETS);
	o->secrets[o->n_secrets++] = mem_ndup(s, n);
}

void
oracle_note_secrets(struct oracle *o, const char *config)
{
	const char *at = config, *end, *quote;

	while ((at = strstr(at, "api_key =")) != NULL) {
		end = strchrnul(at, ';');
		while ((at = strchr(at, '"')) != NULL && at < end) {
			quote = strchrnul(++at, '"');
			add_secret(o, at, (size_t)(quote - at));
			at = *quote != '\0' ? quote + 1 : quote;
		}
		at = end;
	}
}

static void
check_visible(const struct oracle *o, pid_t pid)
{
	for (int i = 0; i < o->n_secrets; i++)
		if (procfs_holds(pid, "cmdline", o->secrets[i]) ||
		    procfs_holds(pid, "environ", o->secrets[i]))
			ck_abort_msg("process %d shows an API key", (int)pid);
}

/* --- processes ------------------------------------------------------------------------------- */

static int
most_descriptors(const pid_t *pids, int n)
{
	int most = -1;

	for (int i = 0; i < n; i++) {
		int found = procfs_descriptors(pids[i]);

		most = found > most ? found : most;
	}
	return most;
}

void
oracle_baseline(struct oracle *o, pid_t master)
{
	pid_t pids[MOST];
	int n = procfs_children(master, pids, MOST, NULL);

	o->master = procfs_descriptors(master);
	o->worker = most_descriptors(pids, n);
}

void
oracle_check_running(const struct oracle *o, pid_t master, int worker_slack)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS;
	int n, of_master, of_worker;
	pid_t pids[MOST];

	for (;;) {
		n = procfs_children(master, pids, MOST, NULL);
		of_master = procfs_descriptors(master);
		of_worker = most_descriptors(pids, n);
		if (of_master == o->master && of_worker <= o->worker + worker_slack)
			break;
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("descriptors: master %d, was %d; worker %d, was %d", of_master,
			    o->master, of_worker, o->worker);
		procfs_tick();
	}
	check_visible(o, master);
	for (int i = 0; i < n; i++)
		check_visible(o, pids[i]);
}

/* Who used the processor most in this moment, and how long. */
static pid_t
busiest(const pid_t *pids, int n, int64_t *ns)
{
	int64_t before[MOST + 1];
	pid_t found = 0;

	*ns = 0;
	for (int i = 0; i < n; i++)
		before[i] = procfs_cpu_ns(pids[i]);
	(void)poll(NULL, 0, MOMENT_MS);
	for (int i = 0; i < n; i++) {
		int64_t used = procfs_cpu_ns(pids[i]) - before[i];

		if (before[i] < 0 || used <= *ns)
			continue;
		*ns = used;
		found = pids[i];
	}
	return found;
}

void
oracle_check_idle(pid_t master)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS, ns;
	pid_t pids[MOST + 1], who;
	int n;

	do {
		pids[0] = master;
		n = 1 + procfs_children(master, pids + 1, MOST, NULL);
		who = busiest(pids, n, &ns);
		if (ns < MOMENT_MS * 1000000LL * IDLE_PERCENT / 100)
			return;
	} while (lapse_now_ms() < by_ms);
	ck_abort_msg(
	    "process %d is not idle: %d us of %d ms", (int)who, (int)(ns / 1000), MOMENT_MS);
}

void
oracle_check_ended(const struct oracle *o, const char *tag)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS;
	pid_t pids[MOST];

	(void)o;
	while (procfs_tagged(tag, pids, MOST) > 0) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("process %d is left behind", (int)pids[0]);
		procfs_tick();
	}
}

/* --- log ------------------------------------------------------------------------------------- */

char *
oracle_read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* it may be a FIFO */
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
		if (fd >= 0)
			close(fd);
		return mem_dup("");
	}
	text = mem_zalloc((size_t)st.st_size + 1);
	n = read(fd, text, (size_t)st.st_size);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

bool
oracle_has_words(const char *line, const char *words)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (memmem(line, strlen(line), words, n) == NULL)
			return false;
		words += n + (words[n] == ' ');
	}
	return true;
}

static void
check_line(const struct oracle *o, const char *line, struct oracle_may may)
{
	static const char *const bad[] = { "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
		"WARNING: ThreadSanitizer", "runtime error:", "Assertion `", "== Invalid ",
		"== Conditional jump", "== Use of uninitialised", "== Syscall param",
		"== Mismatched free", "== Source and destination overlap", "definitely lost" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (strstr(line, bad[i]) != NULL)
			ck_abort_msg("in the log: %s", line);
	for (int i = 0; i < o->n_secrets; i++)
		if (strstr(line, o->secrets[i]) != NULL)
			ck_abort_msg("an API key is in the log");
	if (!may.alert && strstr(line, "lvl=alert") != NULL)
		ck_abort_msg("in the log: %s", line);
	if (!may.crash && oracle_has_words(line, "ev=worker_exit sig="))
		ck_abort_msg("a worker died: %s", line);
}

void
oracle_check_log(const struct oracle *o, const char *path, struct oracle_may may)
{
	char *text = oracle_read_file(path), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		check_line(o, line, may);
	free(text);
}
