/* robot_kinds.h - every robot there is, one line each.
 * For:     the registry in robot.c; a new kind adds its line here and there.
 * Holds:   constant tables.     Memory: static. */
#ifndef ROBOT_ROBOT_KINDS_H
#define ROBOT_ROBOT_KINDS_H

#include "robot/robot.h"

extern const struct robot_ops robot_rules, robot_hello;
/* behind HTTP, by robot_api.c */
extern const struct robot_ops robot_turing, robot_turing2, robot_openai, robot_ollama,
    robot_anthropic;

#endif
