/* conf_source.h - where each value of a snapshot was set.
 * For:     the control socket, which tells an operator file and line of what is in effect.
 *          Callers: conf_load.c (notes, loads), conf_show.c (dumps), conf_json.c, master/.
 * Holds:   a key that is not noted has its default. Keys are those of error messages:
 *          "limits.chats", "listen.[0].port", "robots.[1].url".
 * Memory:  in the snapshot's arena. */
#ifndef CONF_CONF_SOURCE_H
#define CONF_CONF_SOURCE_H

#include "conf/conf.h"

#include <libconfig.h>

struct conf_source {
	const struct conf_source *next;
	const char *key, *file;
	int line;
};

/* All are copied. */
void conf_source_note(struct conf *c, const char *key, const char *file, int line);
/* NULL: nobody set it. */
const struct conf_source *conf_source_of(const struct conf *c, const char *key);

/* Append them as the setting `sources` of a canonical dump. Returns 0, or -1 when out is full. */
int conf_source_dump(const struct conf *c, struct buf *out);
/* And back. Returns 0 or -1. */
int conf_source_load(struct conf *c, const config_setting_t *s, struct err *e);

#endif
