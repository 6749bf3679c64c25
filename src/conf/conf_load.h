/* conf_load.h - libconfig text -> struct conf, every error with file, line and key.
 * For:     the parsing child (conf_child.h), which reads files; master and workers, which load
 *          dumps.
 * Holds:   libconfig may exit or block on a hostile file, so conf_load_file() belongs into a
 *          short-lived child with a deadline; a canonical dump is loaded anywhere.
 * Memory:  gives snapshots, freed with conf_free(). */
#ifndef CONF_CONF_LOAD_H
#define CONF_CONF_LOAD_H

#include "conf/conf.h"

/* Parse the file in this process: for the short-lived child and for tests. `path` NULL or missing
 * with `optional`: the built-in defaults. Reads rule files and key files too, refuses a file with
 * secrets that others can read. Returns NULL with the error "file:line: key: what". */
struct conf *conf_load_file(const char *path, bool optional, struct err *e);

/* Load a canonical dump (conf_dump()) of n bytes. */
struct conf *conf_load_dump(const char *text, size_t n, struct err *e);
/* The same from a sealed memfd (borrowed). */
struct conf *conf_load_memfd(int fd, struct err *e);

#endif
