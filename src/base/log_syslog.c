/* log_syslog.c - see log_syslog.h. */
#include "base/log_syslog.h"

#include "base/lapse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FRAME_BYTES = 2200, AGAIN_MS = 1000 };

/* Not strftime(): a locale must not change the names. */
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

size_t
log_syslog_frame(char *out, size_t size, int priority, const struct tm *when, long pid,
    const char *text, size_t n)
{
	int head = snprintf(out, size, "<%d>%s %2d %02d:%02d:%02d xiaotud[%ld]: ", priority,
	    months[when->tm_mon % 12], when->tm_mday, when->tm_hour, when->tm_min, when->tm_sec,
	    pid);
	size_t len = head < 0 || (size_t)head >= size ? 0 : (size_t)head;

	if (n > size - len)
		n = size - len;
	memcpy(out + len, text, n);
	return len + n;
}

/* Returns 0, or -1 with errno; not more often than every AGAIN_MS, so that a dead daemon costs no
 * system calls a line. */
static int
connect_again(struct log_syslog *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int64_t now_ms = lapse_now_ms();
	int saved;

	if (s->tried_ms && now_ms - s->tried_ms < AGAIN_MS) {
		errno = ENOTCONN;
		return -1;
	}
	s->tried_ms = now_ms;
	snprintf(a.sun_path, sizeof a.sun_path, "%s", s->path);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -1;
	if (connect(s->fd, (const struct sockaddr *)&a, sizeof a) == 0)
		return 0;
	saved = errno;
	log_syslog_close(s);
	errno = saved;
	return -1;
}

static int
try_to_send(struct log_syslog *s, const char *frame, size_t n)
{
	ssize_t sent;

	do
		sent = send(s->fd, frame, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

int
log_syslog_send(struct log_syslog *s, int priority, const char *text, size_t n)
{
	time_t now = time(NULL);
	char frame[FRAME_BYTES];
	struct tm tm;

	if (s->fd < 0 && connect_again(s))
		return -1;
	localtime_r(&now, &tm);
	n = log_syslog_frame(frame, sizeof frame, priority, &tm, (long)getpid(), text, n);
	if (try_to_send(s, frame, n) == 0)
		return 0;
	/* Full: the daemon lives and is slow, so stay. */
	if (errno == EAGAIN || errno == ENOBUFS)
		return -1;
	log_syslog_close(s);
	return connect_again(s) ? -1 : try_to_send(s, frame, n);
}

void
log_syslog_close(struct log_syslog *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
