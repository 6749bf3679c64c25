/* conf_robot_file.h - etc/robot.conf, built into the program by scripts/file2c.
 * For:     a `rules` robot without a file.     Callers: conf_rules.c.
 * Holds:   libconfig text, NUL-terminated; _size does not count the NUL. */
#ifndef CONF_CONF_ROBOT_FILE_H
#define CONF_CONF_ROBOT_FILE_H

#include <stddef.h>

extern const char conf_robot_file[];
extern const size_t conf_robot_file_size;

#endif
