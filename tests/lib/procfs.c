/* procfs.c - see procfs.h. */
#include "lib/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROC_BYTES = 65536, TICK_MS = 3 };

/* The bytes of /proc/PID/NAME, NUL behind them. Returns their number, -1 when unreadable. */
static ssize_t
slurp(pid_t pid, const char *name, char *bytes, size_t size)
{
	char path[64];
	ssize_t n, sum = 0;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((n = read(fd, bytes + sum, size - 1 - (size_t)sum)) > 0)
		sum += n;
	close(fd);
	bytes[sum] = '\0';
	return n < 0 ? -1 : sum;
}

/* The fields of stat behind the name, which may hold anything in its parentheses. */
static bool
read_stat(pid_t pid, char *state, pid_t *parent, unsigned long *ticks)
{
	char bytes[1024];
	const char *at;
	unsigned long user, kernel;
	int ppid;

	if (slurp(pid, "stat", bytes, sizeof bytes) <= 0)
		return false;
	at = strrchr(bytes, ')');
	if (at == NULL || sscanf(at + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			      state, &ppid, &user, &kernel) != 4)
		return false;
	*parent = ppid;
	*ticks = user + kernel;
	return true;
}

static pid_t
next_process(DIR *d)
{
	const struct dirent *entry;

	while ((entry = readdir(d)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			return (pid_t)strtol(entry->d_name, NULL, 10);
	return 0;
}

int
procfs_children(pid_t parent, pid_t *pids, int max, int *zombies)
{
	DIR *d = opendir("/proc");
	unsigned long ticks;
	int n = 0, dead = 0;
	pid_t pid, ppid;
	char state;

	while (d != NULL && (pid = next_process(d)) != 0) {
		if (!read_stat(pid, &state, &ppid, &ticks) || ppid != parent)
			continue;
		if (state == 'Z' || state == 'X')
			dead++;
		else if (n < max)
			pids[n++] = pid;
	}
	if (d != NULL)
		closedir(d);
	if (zombies != NULL)
		*zombies = dead;
	return n;
}

const char *
procfs_read(pid_t pid, const char *name, size_t *n)
{
	static char bytes[PROC_BYTES];
	ssize_t got = slurp(pid, name, bytes, sizeof bytes);

	*n = got > 0 ? (size_t)got : 0;
	return bytes;
}

bool
procfs_holds(pid_t pid, const char *name, const char *text)
{
	size_t n;
	const char *bytes = procfs_read(pid, name, &n);

	return n > 0 && memmem(bytes, n, text, strlen(text)) != NULL;
}

int
procfs_tagged(const char *tag, pid_t *pids, int max)
{
	DIR *d = opendir("/proc");
	pid_t pid;
	int n = 0;

	while (d != NULL && n < max && (pid = next_process(d)) != 0)
		if (procfs_holds(pid, "environ", tag)) /* empty for a zombie */
			pids[n++] = pid;
	if (d != NULL)
		closedir(d);
	return n;
}

int
procfs_descriptors(pid_t pid)
{
	const struct dirent *entry;
	char path[64];
	int n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d == NULL)
		return -1;
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

int64_t
procfs_cpu_ms(pid_t pid)
{
	unsigned long ticks;
	pid_t ppid;
	char state;

	if (!read_stat(pid, &state, &ppid, &ticks))
		return 0;
	return (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}

bool
procfs_sleeps(pid_t pid)
{
	unsigned long ticks;
	pid_t ppid;
	char state;

	return !read_stat(pid, &state, &ppid, &ticks) || state == 'S';
}

int64_t
procfs_memory_kib(pid_t pid, const char *name)
{
	char bytes[8192];
	const char *at;

	if (slurp(pid, "status", bytes, sizeof bytes) <= 0 || (at = strstr(bytes, name)) == NULL)
		return -1;
	return strtoll(at + strlen(name), NULL, 10);
}

int64_t
procfs_own_kib(pid_t pid)
{
	char bytes[8192];
	const char *at;

	if (slurp(pid, "smaps_rollup", bytes, sizeof bytes) <= 0 ||
	    (at = strstr(bytes, "Private_Dirty:")) == NULL)
		return -1;
	return strtoll(at + strlen("Private_Dirty:"), NULL, 10);
}

int64_t
procfs_cpu_ns(pid_t pid)
{
	char bytes[128];
	long long ns;

	if (slurp(pid, "schedstat", bytes, sizeof bytes) <= 0 || sscanf(bytes, "%lld", &ns) != 1)
		return -1;
	return ns;
}

bool
procfs_wait_gone(pid_t pid, int limit_ms)
{
	struct pollfd p = { .events = POLLIN };
	int n;

	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return errno == ESRCH || errno == EINVAL;
	n = poll(&p, 1, limit_ms);
	close(p.fd);
	return n == 1;
}

void
procfs_tick(void)
{
	(void)poll(NULL, 0, TICK_MS);
}
