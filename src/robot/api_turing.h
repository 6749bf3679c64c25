/* api_turing.h - what the Turing robots need besides struct api.
 * For:     api_turing.c and tests.
 * Holds:   pure. Sources: the vendor's API pages v1 and v2, robot-apis sections 1 and 2.
 * Memory:  texts go into the caller's buffers. */
#ifndef ROBOT_API_TURING_H
#define ROBOT_API_TURING_H

#include "robot/api.h"

enum { TURING_INFO_CHARS = 30, TURING2_TEXT_CHARS = 128 };

#endif
