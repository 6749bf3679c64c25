/* conf_json.h - the effective configuration as JSON, for the control socket.
 * For:     the command `config`.     Callers: master/.
 * Holds:   secrets are "***"; rules of a robot are left out.
 * Memory:  texts go into the caller's buffer. */
#ifndef CONF_CONF_JSON_H
#define CONF_CONF_JSON_H

#include "conf/conf.h"
#include "conf/conf_opt.h"

/* Append {"origin":FILE,"values":[{"key":"limits.chats","value":5,"source":"FILE:LINE"},...]} with
 * a value for every key; the source is "default" when the file says nothing of it. Keys in lists
 * are "listen.[0].port" and "robots.NAME.url". Returns 0, or -1 when out is full. */
int conf_json(const struct conf *c, struct buf *out);

/* The value of a row as JSON, a secret masked. Returns 0, or -1 when out is full. */
int conf_json_value(const struct opt *o, const void *base, struct buf *out);

#endif
