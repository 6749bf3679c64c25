/* log_syslog.h - lines to the local syslog, without ever waiting for it.
 * For:     log.target = "syslog".     Callers: log.c.
 * Holds:   one datagram a line, framed as glibc's syslog(3) frames it (RFC 3164, section 4.1.2; the
 *          host is left out, the local daemon knows it). That function is not used because it
 *          blocks while the daemon is busy. A daemon that is gone is looked for at most once a
 *          second.
 * Memory:  one descriptor; a struct with `path` set and fd -1 is fresh. */
#ifndef BASE_LOG_SYSLOG_H
#define BASE_LOG_SYSLOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LOG_SYSLOG_PATH "/dev/log"

struct log_syslog {
	const char *path; /* of the daemon's datagram socket; a static string */
	int fd;
	int64_t tried_ms; /* connected, or tried to; 0: never */
};

/* "<30>Nov 24 21:02:27 xiaotud[12]: TEXT", not NUL-terminated, cut to size. `priority` is facility
 * and severity as in syslog(3); the text is n bytes. Returns the length. */
size_t log_syslog_frame(char *out, size_t size, int priority, const struct tm *when, long pid,
    const char *text, size_t n);

/* Send one line of n bytes. Never blocks. Returns 0, or -1 with errno: then it is lost. */
int log_syslog_send(struct log_syslog *s, int priority, const char *text, size_t n);
/* Forget the connection: the next line makes another one. */
void log_syslog_close(struct log_syslog *s);

#endif
