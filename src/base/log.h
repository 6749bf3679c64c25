/* log.h - the log: logfmt, one write() per line, reopened on demand.
 * For:     everything an operator should see.     Callers: any floor; log or return, never both.
 * Holds:   a line is `time lvl=LEVEL pid=N role=R ev=EVENT key=value ...`, at most 2,000 bytes, cut
 *          on a character boundary. Values from outside go through log_quote(). No user text above
 *          debug unless the operator asked, no secret ever. Never blocks: a line that cannot be
 *          written at once is lost and counted. An outage is told once, by a line `ev=log_failed`
 *          to stderr (unless that is the log), and its end by `ev=log_recovered lost=N`.
 * Memory:  one descriptor; the log and the scoreboard are the only global state. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_NOTICE_, LOG_WARN_, LOG_ERROR_, LOG_ALERT_ };

/* NULL-terminated names of the levels, in order: debug info notice warn error alert. */
extern const char *const log_level_words[];

/* Open a target without using it: "stderr" (gives descriptor 2 once more), "syslog" (-2), or the
 * path of a file, created 0640 and appended to, never through a symbolic link. A FIFO needs no
 * reader yet; up to 64 KiB wait for it.
 * Returns the descriptor (gives, close-on-exec), -2 for syslog, or -1 with the error. */
int log_target_open(const char *target, struct err *e);

/* Use the descriptor from now on (takes; the one before is closed) and the level. -2 makes a new
 * connection to syslog. */
void log_use(int fd, enum log_level level);
/* The descriptor in use, for handing it to another process (borrow it). */
int log_fd(void);
/* "master", "worker"; a static string. */
void log_role(const char *role);
bool log_has(enum log_level level);

/* Before the first fork: what is lost is counted together with all children, and one outage is told
 * once, not by every process. Returns 0 or -1. */
int log_share(struct err *e);
/* Lines that could not be written so far, by all who share the count. */
unsigned long log_lost(void);

/* One line: `format` begins with the event's name: log_line(LOG_INFO_, "chat_open fd=%d", fd). */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes as a quoted, escaped logfmt value, at most 200 bytes of it. Valid until four more
 * calls. */
const char *log_quote(const char *s, size_t n);

#define log_debug(...)  (log_has(LOG_DEBUG_) ? log_line(LOG_DEBUG_, __VA_ARGS__) : (void)0)
#define log_info(...)   (log_has(LOG_INFO_) ? log_line(LOG_INFO_, __VA_ARGS__) : (void)0)
#define log_notice(...) log_line(LOG_NOTICE_, __VA_ARGS__)
#define log_warn(...)   log_line(LOG_WARN_, __VA_ARGS__)
#define log_error(...)  log_line(LOG_ERROR_, __VA_ARGS__)
#define log_alert(...)  log_line(LOG_ALERT_, __VA_ARGS__)

#endif
