/* clocks.c - see clocks.h. The wall clock is set by tests/preload/wall.c, the monotonic one by a
 * time namespace (time_namespaces(7)). */
#include "lib/clocks.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *ahead;
static char wall_path[128], wall_library[4200];

/* --- the wall clock -------------------------------------------------------------------------- */

/* The library of AddressSanitizer wants to be the first, but does without. */
static void
prepare_wall(void *arg)
{
	const char *asan = getenv("ASAN_OPTIONS");
	char options[512];

	(void)arg;
	snprintf(options, sizeof options, "%s%sverify_asan_link_order=0", asan ? asan : "",
	    asan ? ":" : "");
	if (setenv("ASAN_OPTIONS", options, 1) || setenv("LD_PRELOAD", wall_library, 1) ||
	    setenv("WALL_FILE", wall_path, 1))
		_exit(126);
}

void
clocks_wall(struct server *s)
{
	int fd;

	snprintf(wall_library, sizeof wall_library, "%s", server_program("wall.so"));
	snprintf(wall_path, sizeof wall_path, "%s/wall", s->folder);
	fd = open(wall_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, sizeof *ahead), 0);
	ahead = mmap(NULL, sizeof *ahead, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne((const void *)ahead, MAP_FAILED);
	close(fd);
	s->prepare = prepare_wall;
}

void
clocks_wall_set(int64_t ahead_s)
{
	*ahead = ahead_s;
}

/* --- the monotonic clock --------------------------------------------------------------------- */

/* A process enters its new time namespace by setns(2) only: unshare(2) is for its children. */
static bool
enter(int64_t at_ms)
{
	struct timespec now;
	char text[64];
	int fd, n;
	bool fine;

	if (unshare(CLONE_NEWTIME) < 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	at_ms -= (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	n = snprintf(text, sizeof text, "monotonic %lld %d", (long long)(at_ms / 1000),
	    (int)(at_ms % 1000 * 1000000));
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	fine = fd >= 0 && write(fd, text, (size_t)n) == n;
	if (fd >= 0)
		close(fd);
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	fine = fine && fd >= 0 && setns(fd, CLONE_NEWTIME) == 0;
	if (fd >= 0)
		close(fd);
	return fine;
}

static void
prepare_monotonic(void *arg)
{
	if (!enter(*(const int64_t *)arg))
		_exit(126);
}

bool
clocks_monotonic(struct server *s, int64_t at_ms)
{
	static int64_t at;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(enter(at_ms) ? 0 : errno);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		printf("skipped: no time namespace here: %s\n", strerror(WEXITSTATUS(status)));
		return false;
	}
	at = at_ms;
	s->prepare = prepare_monotonic;
	s->prepare_arg = &at;
	return true;
}
