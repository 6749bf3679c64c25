/* conf_scan.h - a look at a configuration file before libconfig sees it.
 * For:     what libconfig 1.5 gets wrong: it wraps numbers that do not fit (4294967376 becomes 80),
 *          follows an @include into a FIFO or itself, takes an absolute one for a relative one,
 *          and nests without a limit.     Callers: conf_load.c, conf_robot.c.
 * Holds:   regular files of at most 4 MiB, includes 9 deep, groups and lists 32 deep.
 * Memory:  none kept. */
#ifndef CONF_CONF_SCAN_H
#define CONF_CONF_SCAN_H

#include "base/err.h"

#include <libconfig.h>
#include <stddef.h>
#include <sys/stat.h>

/* Check the file and all it includes (relative paths are relative to `dir`). *open_bits collects
 * the permission bits of all files. Returns 0, or -1 with "file:line: what". */
int conf_scan(const char *path, const char *dir, mode_t *open_bits, struct err *e);

/* Have libconfig read such a file. `path` is absolute, `name` is what the file is called in errors.
 * The process is in `dir` meanwhile: from there libconfig finds relative and absolute includes.
 * Returns 0, or -1 with "file:line: what". */
int conf_scan_parse(
    config_t *file, const char *path, const char *name, const char *dir, struct err *e);

/* The absolute path in quotes behind a setting at the top, in a file that may be no good: so that
 * those who broke it can still ask the server that runs. Returns 0, or -1: there is none. */
int conf_scan_path(const char *path, const char *name, char *text, size_t size);

/* Read a regular file whole. Returns the bytes (gives, NUL behind them) or NULL; *st may be NULL.
 */
char *conf_scan_read(const char *path, size_t *n, struct stat *st, struct err *e);

/* Refuse a file with a secret that others may read. Returns 0 or -1. */
int conf_scan_secret(const char *path, mode_t mode, struct err *e);

#endif
