/* wall.c - a wall clock that a test can set, for one program: LD_PRELOAD=wall.so and WALL_FILE, a
 * file of eight bytes, the seconds to add (FAULTS, rows G1 and G2). All other clocks are as they
 * are. The file is mapped before main(), so that a program that shuts itself in still sees it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int (*real)(clockid_t id, struct timespec *ts);
static const volatile int64_t *offset_s;

static void __attribute__((constructor)) wall_begin(void)
{
	const char *path = getenv("WALL_FILE");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *at;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd < 0)
		return;
	at = mmap(NULL, sizeof *offset_s, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		offset_s = at;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int r;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(id, ts);
	if (r == 0 && offset_s != NULL && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += *offset_s;
	return r;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *t)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
