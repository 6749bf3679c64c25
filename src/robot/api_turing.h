/* api_turing.h - what the Turing robots need besides struct api.
 * For:     api_turing.c and tests.
 * Holds:   pure. Sources: the vendor's API pages v1 and v2, robot-apis sections 1 and 2.
 * Memory:  texts go into the caller's buffers. */
#ifndef ROBOT_API_TURING_H
#define ROBOT_API_TURING_H

#include "robot/api.h"

enum { TURING_INFO_CHARS = 30, TURING2_TEXT_CHARS = 128, TURING_ID_BYTES = 32 };

/* A user's id for the robot: 32 characters of 0-9a-f, the same for the same name and key, and not
 * to be guessed from the name without the key (HMAC-SHA256 of the name). */
void turing_user_id(const char *name, size_t n, const char *api_key, char out[TURING_ID_BYTES + 1]);

#endif
