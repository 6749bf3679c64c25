/* ctl_show.h - documents of the control socket as text for people.
 * For:     xiaotuctl without --json, and its screen.     Callers: prog/ctl.c, ctl_top.c.
 * Holds:   nothing from a document reaches the terminal with a control character in it.
 * Memory:  texts go into the caller's buffer. */
#ifndef CTL_CTL_SHOW_H
#define CTL_CTL_SHOW_H

#include "base/buf.h"
#include "base/json.h"

/* Append the document of `command`. */
void ctl_show(const char *command, struct json_object *document, struct buf *out);

/* Parts of the screen. */
void ctl_show_status(struct json_object *document, struct buf *out);
void ctl_show_workers(struct json_object *document, struct buf *out);
void ctl_show_robots(struct json_object *document, struct buf *out);

/* A member that is a whole number, 0 without it. */
int64_t ctl_number(struct json_object *o, const char *key);
/* "3d4h", "5m", "12s". */
void ctl_age(int64_t seconds, char out[32]);

#endif
