/* conf_show.h - a snapshot as text: the canonical dump, the sample file, the difference of two.
 * For:     -T, workers (a dump is how they get a snapshot), reload.     Callers: conf, master,
 *          tools.
 * Holds:   conf_load_dump(conf_dump(c)) equals c.
 * Memory:  texts go into the caller's buffer. */
#ifndef CONF_CONF_SHOW_H
#define CONF_CONF_SHOW_H

#include "conf/conf.h"
#include "conf/conf_opt.h"

enum conf_dump {
	CONF_WHOLE, /* secrets and rules included: for memory, never for people */
	CONF_MASKED /* secrets shown as "***", rules of a file left out: -T */
};

/* Append the snapshot as libconfig text. Returns 0, or -1 when out is full. */
int conf_dump(const struct conf *c, enum conf_dump how, struct buf *out);

/* Append the sample configuration file: every key with its default and what it does. */
int conf_sample(struct buf *out);

/* One key that differs; keys in lists as "robots.NAME.url", "listen". The values are JSON, secrets
 * masked. Borrowed for the call. */
struct conf_change {
	const char *key, *from, *to;
	enum opt_policy policy;
};

/* Call on_change for every key that differs. Returns the number of changes. */
int conf_diff(const struct conf *a, const struct conf *b,
    void (*on_change)(const struct conf_change *change, void *arg), void *arg);

#endif
