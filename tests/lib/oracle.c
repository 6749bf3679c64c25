/* oracle.c - see oracle.h. What secrets look like is in secret.c. */
#include "lib/oracle.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "lib/procfs.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 5000, MOST = 64, MOMENT_MS = 25, IDLE_PERCENT = 2 };
/* What a process may have more than at its baseline: of that, and at least. */
enum { MEMORY_PERCENT = 5, MEMORY_KIB = 256 };

bool
oracle_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
	return __has_feature(address_sanitizer) || getenv("XIAOTU_WRAP") != NULL;
#else
	return getenv("XIAOTU_WRAP") != NULL;
#endif
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

static long
most_kib(const pid_t *pids, int n)
{
	long most = -1;

	for (int i = 0; i < n; i++) {
		long found = (long)procfs_own_kib(pids[i]);

		most = found > most ? found : most;
	}
	return most;
}

/* What they were told, they did: the master logs that it is ready when it has told its workers to
 * open their doors. */
static void
wait_for_sleep(const pid_t *pids, int n)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS;

	for (int i = 0; i < n && lapse_now_ms() < by_ms;)
		if (procfs_sleeps(pids[i]))
			i++;
		else
			procfs_tick();
}

void
oracle_baseline(struct oracle *o, pid_t master)
{
	pid_t pids[MOST];
	int n = procfs_children(master, pids, MOST, NULL);

	wait_for_sleep(pids, n);
	*o = (struct oracle){ .master = procfs_descriptors(master),
		.worker = most_descriptors(pids, n),
		.master_kib = most_kib(&master, 1),
		.worker_kib = most_kib(pids, n) };
}

static void
check_visible(pid_t pid)
{
	static const char *const names[] = { "cmdline", "environ" };

	for (size_t i = 0; i < 2; i++) {
		size_t n;
		const char *bytes = procfs_read(pid, names[i], &n);

		oracle_check_bytes(names[i], bytes, n);
	}
}

static bool
is_more(long kib, long before, long slack)
{
	return !oracle_is_sanitized() && before > 0 &&
	       kib > before + before * MEMORY_PERCENT / 100 + slack;
}

void
oracle_check_running(const struct oracle *o, pid_t master, struct oracle_slack slack)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS;
	int n, of_master, of_worker;
	long master_kib, worker_kib;
	pid_t pids[MOST];

	for (;;) {
		n = procfs_children(master, pids, MOST, NULL);
		of_master = procfs_descriptors(master);
		of_worker = most_descriptors(pids, n);
		master_kib = most_kib(&master, 1);
		worker_kib = most_kib(pids, n);
		if (of_master == o->master && of_worker <= o->worker + slack.descriptors &&
		    !is_more(master_kib, o->master_kib, MEMORY_KIB) &&
		    !is_more(worker_kib, o->worker_kib, slack.kib))
			break;
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("master: %d descriptors, %ld KiB, was %d, %ld; worker: %d, "
				     "%ld KiB, was %d, %ld",
			    of_master, master_kib, o->master, o->master_kib, of_worker, worker_kib,
			    o->worker, o->worker_kib);
		procfs_tick();
	}
	check_visible(master);
	for (int i = 0; i < n; i++)
		check_visible(pids[i]);
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
oracle_check_ended(const char *tag)
{
	int64_t by_ms = lapse_now_ms() + SETTLE_MS;
	pid_t pids[MOST];

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
check_line(const char *line, struct oracle_may may)
{
	static const char *const bad[] = { "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
		"WARNING: ThreadSanitizer", "runtime error:", "Assertion `", "== Invalid ",
		"== Conditional jump", "== Use of uninitialised", "== Syscall param",
		"== Mismatched free", "== Source and destination overlap", "definitely lost" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (strstr(line, bad[i]) != NULL)
			ck_abort_msg("in the log: %s", line);
	if (!may.alert && strstr(line, "lvl=alert") != NULL)
		ck_abort_msg("in the log: %s", line);
	if (!may.crash && oracle_has_words(line, "ev=worker_exit sig="))
		ck_abort_msg("a worker died: %s", line);
}

void
oracle_check_log(const char *path, struct oracle_may may)
{
	char *text = oracle_read_file(path), *rest = text, *line;

	oracle_check_bytes(path, text, strlen(text));
	while ((line = strsep(&rest, "\n")) != NULL)
		check_line(line, may);
	free(text);
}

void
oracle_check_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[512], *text;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (entry->d_type != DT_REG || (strstr(entry->d_name, "log") == NULL &&
						   strstr(entry->d_name, "output") == NULL))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		text = oracle_read_file(path);
		oracle_check_bytes(path, text, strlen(text));
		free(text);
	}
	if (d != NULL)
		closedir(d);
}
