/* turing.h - the pure half of the Turing robots: request and reply as bytes.
 * For:     robot_turing.c, which adds HTTP, and tests, which feed recorded replies.
 * Holds:   no socket, no clock. Sources: the vendor's API pages v1 and v2.
 * Memory:  texts go into the caller's buffers. */
#ifndef ROBOT_TURING_H
#define ROBOT_TURING_H

#include "robot/robot.h"

enum { TURING_INFO_CHARS = 30, TURING2_TEXT_CHARS = 128, TURING_ID_BYTES = 32 };

/* A user's id for the robot: 32 characters of 0-9a-f, the same for the same name and key, and not
 * to be guessed from the name without the key (HMAC-SHA256 of the name). */
void turing_user_id(const char *name, size_t n, const char *api_key, char out[TURING_ID_BYTES + 1]);

/* Append the JSON body of a request. The text is cut to what the robot takes, by characters. */
void turing_request(
    const struct conf_robot *c, const char *key, const struct talk *talk, struct buf *out);
void turing2_request(
    const struct conf_robot *c, const char *key, const struct talk *talk, struct buf *out);

/* Does the code of a reply say that the key has no calls left for today? */
bool turing_is_used_up(int64_t code);

/* Read a whole reply; append the answer as readable text, links and lists included.
 * Returns WHY_OK, or why there is no answer; then *code is the robot's error code, 0 without one.
 */
enum why turing_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code);
enum why turing2_reply(
    const char *bytes, size_t n, enum conf_language language, struct buf *out, int64_t *code);

#endif
