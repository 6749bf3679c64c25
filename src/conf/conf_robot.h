/* conf_robot.h - what makes a robot's settings whole: keys and rules from elsewhere, checks.
 * For:     conf_load.c, when the rows of a robot were taken.
 * Holds:   reads files, so it belongs into the parsing child, unless the source is a dump.
 * Memory:  texts go into the caller's arena. */
#ifndef CONF_CONF_ROBOT_H
#define CONF_CONF_ROBOT_H

#include "conf/conf.h"

#include <libconfig.h>

/* Where settings come from. */
struct conf_from {
	struct arena *arena;
	const char *dir; /* of relative paths */
	bool dump;       /* a canonical dump: keys and rules are inside */
};

/* `s` is its group, NULL for a robot of defaults. Returns 0, or -1 with "KEY: what". */
int conf_robot_finish(
    const struct conf_from *from, const config_setting_t *s, struct conf_robot *r, struct err *e);

/* Does the configuration file itself hold a secret of this robot? */
bool conf_robot_is_secret(const struct conf_robot *r);

#endif
