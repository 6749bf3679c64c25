/* tracer.c - see tracer.h. */
#include "lib/tracer.h"

#include "base/lapse.h"
#include "lib/procfs.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTACH_MS = 10000 };

static _Noreturn void
become_strace(pid_t of, bool follow, const char *inject, const char *path)
{
	const char *args[16] = { "strace", "-qq", "-o", "/dev/null" };
	char number[16], expression[160];
	int n = 4, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(number, sizeof number, "%d", (int)of);
	snprintf(expression, sizeof expression, "inject=%s", inject);
	if (follow)
		args[n++] = "-f";
	if (path != NULL) {
		args[n++] = "-P";
		args[n++] = path;
	}
	args[n++] = "-e";
	args[n++] = expression;
	args[n++] = "-p";
	args[n++] = number;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(126);
	execvp("strace", (char *const *)(uintptr_t)args);
	_exit(127);
}

static bool
is_traced(pid_t pid)
{
	char words[32];

	snprintf(words, sizeof words, "TracerPid:\t0\n");
	return procfs_holds(pid, "status", "TracerPid:") && !procfs_holds(pid, "status", words);
}

bool
tracer_attach(struct tracer *t, pid_t of, bool follow, const char *inject, const char *path)
{
	int64_t by_ms = lapse_now_ms() + ATTACH_MS;

	t->of = of;
	t->pid = fork();
	ck_assert_int_ge(t->pid, 0);
	if (t->pid == 0)
		become_strace(of, follow, inject, path);
	while (!is_traced(of)) {
		if (waitpid(t->pid, NULL, WNOHANG) == t->pid || lapse_now_ms() > by_ms) {
			fprintf(stderr, "SKIPPED for want of strace: %s\n", inject);
			t->pid = 0;
			return false;
		}
		procfs_tick();
	}
	return true;
}

void
tracer_detach(struct tracer *t)
{
	int64_t by_ms = lapse_now_ms() + ATTACH_MS;

	if (t->pid == 0)
		return;
	(void)kill(t->pid, SIGTERM);
	(void)waitpid(t->pid, NULL, 0);
	while (is_traced(t->of) && lapse_now_ms() < by_ms)
		procfs_tick();
	t->pid = 0;
}
