/* log.c - see log.h.
 * Nothing here may block or loop, whatever the log is. A regular file does not block; what is
 * opened here is opened non-blocking; a socket is sent to with MSG_DONTWAIT. Descriptor 2 belongs
 * to others, too, so its flags are left alone: it is opened once more under /proc, and where that
 * is impossible it is asked first (poll). That last way may wait after all, when another process
 * fills a pipe in between. */
#include "base/log.h"
#include "base/buf.h"
#include "base/lapse.h"
#include "base/log_syslog.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2000, VALUE_BYTES = 200, TO_SYSLOG = -2 };
/* A log that takes one line and loses the next must not be a reason for two more lines each. */
enum { NOTICE_EVERY_MS = 60000, RECOVERED_EVERY_MS = 1000 };

enum manner { MANNER_WRITE, MANNER_SEND, MANNER_ASK };

const char *const log_level_words[] = { "debug", "info", "notice", "warn", "error", "alert", NULL };

/* Of all processes that share the log. */
struct trouble {
	_Atomic bool failing;
	_Atomic unsigned long lost, untold; /* ever; and since log_recovered was written */
	_Atomic int64_t noticed_ms, recovered_ms;
};

static struct trouble own_trouble;

static struct {
	int fd;
	enum manner manner;
	enum log_level level;
	const char *role;
	struct trouble *trouble;
	bool torn; /* the last line ends in its middle */
	struct log_syslog syslog;
} the_log = { .fd = STDERR_FILENO,
	.manner = MANNER_ASK,
	.level = LOG_INFO_,
	.role = "xiaotud",
	.trouble = &own_trouble,
	.syslog = { LOG_SYSLOG_PATH, -1, 0 } };

/* --- targets --------------------------------------------------------------------------------- */

/* A file's position is shared with whoever gave it to us, so a file is duplicated: opened once more
 * it would be written to from its beginning. */
static int
open_stderr(void)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDERR_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 ? fd : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int
open_path(const char *path)
{
	const int flags = O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0640);

	/* A FIFO that nobody reads: who opens it for reading, too, need not wait for a reader. */
	return fd < 0 && errno == ENXIO ? open(path, O_RDWR | flags) : fd;
}

int
log_target_open(const char *target, struct err *e)
{
	int fd;

	if (strcmp(target, "syslog") == 0)
		return TO_SYSLOG;
	fd = strcmp(target, "stderr") == 0 ? open_stderr() : open_path(target);
	if (fd < 0)
		return err_errno(e, "log.target: cannot open %s", target);
	return fd;
}

static enum manner
manner_of(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return MANNER_WRITE;
	if (S_ISSOCK(st.st_mode))
		return MANNER_SEND;
	return fcntl(fd, F_GETFL) & O_NONBLOCK ? MANNER_WRITE : MANNER_ASK;
}

void
log_use(int fd, enum log_level level)
{
	if (the_log.fd > STDERR_FILENO && the_log.fd != fd)
		close(the_log.fd);
	log_syslog_close(&the_log.syslog);
	the_log.syslog.tried_ms = 0;
	the_log.torn = the_log.torn && the_log.fd == fd;
	the_log.fd = fd;
	the_log.manner = manner_of(fd);
	the_log.level = level;
}

int
log_fd(void)
{
	return the_log.fd;
}

void
log_role(const char *role)
{
	the_log.role = role;
}

bool
log_has(enum log_level level)
{
	return level >= the_log.level;
}

int
log_share(struct err *e)
{
	struct trouble *t =
	    mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (t == MAP_FAILED)
		return err_errno(e, "shared memory");
	the_log.trouble = t;
	return 0;
}

unsigned long
log_lost(void)
{
	return atomic_load(&the_log.trouble->lost);
}

/* --- lines ----------------------------------------------------------------------------------- */

static int
head(char *line, size_t size, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(line, size, "ts=%s.%03ldZ lvl=%s pid=%d role=%s ev=", when,
	    ts.tv_nsec / 1000000, log_level_words[level], (int)getpid(), the_log.role);
}

/* Returns how many bytes were taken, or -1 with errno. */
static ssize_t
put(int fd, enum manner manner, const char *bytes, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t got;

	if (manner == MANNER_ASK && poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	do
		got = manner == MANNER_SEND ? send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL)
					    : write(fd, bytes, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* `line` has n bytes, room for one more, and a newline before it. Returns 0, or -1 with errno. */
static int
put_line(char *line, size_t n)
{
	const char *from = line - the_log.torn;
	ssize_t got;

	line[n++] = '\n';
	n += the_log.torn;
	got = put(the_log.fd, the_log.manner, from, n);
	if (got == (ssize_t)n) {
		the_log.torn = false;
		return 0;
	}
	if (got > 0) {
		the_log.torn = true;
		errno = ENOSPC;
	}
	return -1;
}

static bool
is_stderr(void)
{
	struct stat a, b;

	return fstat(the_log.fd, &a) == 0 && fstat(STDERR_FILENO, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Has so much time passed since? Then since is now: only one of all processes is told so. */
static bool
is_due(_Atomic int64_t *since_ms, int64_t every_ms)
{
	int64_t now_ms = lapse_now_ms(), then_ms = atomic_load(since_ms);

	return (then_ms == 0 || now_ms - then_ms >= every_ms) &&
	       atomic_compare_exchange_strong(since_ms, &then_ms, now_ms);
}

static void
on_lost(int why)
{
	struct trouble *t = the_log.trouble;
	char line[400];
	int n;

	atomic_fetch_add(&t->lost, 1);
	atomic_fetch_add(&t->untold, 1);
	if (atomic_exchange(&t->failing, true) || is_stderr() ||
	    !is_due(&t->noticed_ms, NOTICE_EVERY_MS))
		return;
	n = head(line, sizeof line, LOG_ERROR_);
	n += snprintf(line + n, sizeof line - (size_t)n,
	    "log_failed why=\"%s\" note=\"lines are lost and counted until it works again\"\n",
	    strerror(why));
	(void)put(STDERR_FILENO, manner_of(STDERR_FILENO), line, (size_t)n);
}

static void
on_written(void)
{
	struct trouble *t = the_log.trouble;

	if (!atomic_load(&t->failing) || !is_due(&t->recovered_ms, RECOVERED_EVERY_MS))
		return;
	atomic_store(&t->failing, false);
	log_warn("log_recovered lost=%lu", atomic_exchange(&t->untold, 0));
}

void
log_line(enum log_level level, const char *format, ...)
{
	static const int priorities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR,
		LOG_ALERT };
	char room[1 + LINE_BYTES + 1], *line = room + 1;
	int saved = errno, n_head, n, bad;
	va_list ap;
	size_t len;

	if (!log_has(level))
		return;
	room[0] = '\n';
	if (the_log.fd == TO_SYSLOG) /* which knows the rest */
		n_head = snprintf(
		    line, LINE_BYTES, "lvl=%s role=%s ev=", log_level_words[level], the_log.role);
	else
		n_head = head(line, LINE_BYTES, level);
	va_start(ap, format);
	n = vsnprintf(line + n_head, LINE_BYTES - (size_t)n_head, format, ap);
	va_end(ap);
	len = strlen(line);
	if (n >= LINE_BYTES - n_head)
		len = text_cut_bytes(line, len, len - 1);
	bad = the_log.fd == TO_SYSLOG
		  ? log_syslog_send(&the_log.syslog, LOG_DAEMON | priorities[level], line, len)
		  : put_line(line, len);
	if (bad)
		on_lost(errno);
	else
		on_written();
	errno = saved;
}

const char *
log_quote(const char *s, size_t n)
{
	static char ring[4][VALUE_BYTES * 4 + 3];
	static unsigned next;
	char *out = ring[next++ % 4];
	struct buf b;

	buf_init(&b, sizeof ring[0] - 1);
	(void)text_quote(s, text_cut_bytes(s, n, VALUE_BYTES), &b);
	memcpy(out, b.len ? buf_head(&b) : "", b.len);
	out[b.len] = '\0';
	buf_release(&b);
	return out;
}
