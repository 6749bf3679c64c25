/* conf_value.h - one option's value: from libconfig, from its default, to text.
 * For:     conf_load.c and conf_show.c.
 * Holds:   `base` is the struct that the row's table describes. Secret values appear in no error.
 * Memory:  texts are copied into the arena. */
#ifndef CONF_CONF_VALUE_H
#define CONF_CONF_VALUE_H

#include "conf/conf.h"
#include "conf/conf_opt.h"

#include <libconfig.h>

void conf_value_default(const struct opt *o, void *base, struct arena *a);

/* Checks type, range and words. `dir` makes paths absolute. Returns 0, or -1 with what is wrong
 * (the caller adds where). */
int conf_value_set(const struct opt *o, void *base, struct arena *a, const config_setting_t *s,
    const char *dir, struct err *e);

/* Append the value in libconfig syntax; masked: a secret becomes "***". -1 when out is full. */
int conf_value_show(const struct opt *o, const void *base, bool masked, struct buf *out);

bool conf_value_same(const struct opt *o, const void *a, const void *b);

/* Read a text, or an array or list of texts, of 1 to `max` bytes each without control characters.
 */
int conf_value_texts(
    const config_setting_t *s, struct arena *a, int64_t max, struct conf_texts *out, struct err *e);

#endif
