/* log.c - see log.h. */
#include "base/log.h"
#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 2000, VALUE_BYTES = 200, TO_SYSLOG = -2 };

const char *const log_level_words[] = { "debug", "info", "notice", "warn", "error", "alert", NULL };

static struct {
	int fd;
	enum log_level level;
	const char *role;
	unsigned long lost;
} the_log = { .fd = STDERR_FILENO, .level = LOG_INFO_, .role = "xiaotud" };

int
log_target_open(const char *target, struct err *e)
{
	int fd;

	if (strcmp(target, "syslog") == 0)
		return TO_SYSLOG;
	if (strcmp(target, "stderr") == 0)
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
		    0640);
	if (fd < 0)
		return err_errno(e, "log.target: cannot open %s", target);
	return fd;
}

void
log_use(int fd, enum log_level level)
{
	if (the_log.fd > STDERR_FILENO && the_log.fd != fd)
		close(the_log.fd);
	if (fd == TO_SYSLOG)
		openlog("xiaotud", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	the_log.fd = fd;
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

unsigned long
log_lost(void)
{
	return the_log.lost;
}

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

void
log_line(enum log_level level, const char *format, ...)
{
	static const int priorities[] = { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR,
		LOG_ALERT };
	char line[LINE_BYTES + 1];
	int saved = errno, n_head, n;
	va_list ap;
	size_t len;

	if (!log_has(level))
		return;
	n_head = the_log.fd == TO_SYSLOG
		     ? snprintf(line, sizeof line, "lvl=%s role=%s ev=", log_level_words[level],
			   the_log.role)
		     : head(line, sizeof line, level);
	va_start(ap, format);
	n = vsnprintf(line + n_head, LINE_BYTES - (size_t)n_head, format, ap);
	va_end(ap);
	len = strlen(line);
	if (n >= LINE_BYTES - n_head)
		len = text_cut_bytes(line, len, len - 1);
	if (the_log.fd == TO_SYSLOG) {
		syslog(priorities[level], "%.*s", (int)len, line);
	} else {
		line[len++] = '\n';
		if (write(the_log.fd, line, len) != (ssize_t)len)
			the_log.lost++;
	}
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
