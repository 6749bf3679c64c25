/* sentence.h - what xiaotu itself says: failures, goodbyes, help, in Chinese and English.
 * For:     conn, dgram and turn.     Callers: worker/.
 * Holds:   static texts: "CODE SENTENCE" for failures, "REASON SENTENCE" for goodbyes. */
#ifndef WIRE_SENTENCE_H
#define WIRE_SENTENCE_H

#include "conf/conf.h"
#include "wire/codec.h"

const char *sentence_fail(enum fail fail, enum conf_language language);
const char *sentence_bye(enum bye bye, enum conf_language language);
const char *sentence_help(enum conf_language language);
const char *sentence_forgotten(enum conf_language language);
const char *sentence_chosen(enum conf_language language);  /* a robot was chosen */
const char *sentence_waiting(enum conf_language language); /* the answer takes its time */
/* Of the list of robots: one that rests (format with seconds), who answered last, who was passed.
 * */
const char *sentence_rests(enum conf_language language);
const char *sentence_answered(enum conf_language language);
const char *sentence_passed(enum conf_language language);
const char *sentence_no_robot(enum conf_language language); /* no robot of that name */
/* The bare words: "no-user", "idle"; for the log. */
const char *sentence_fail_word(enum fail fail);
const char *sentence_bye_word(enum bye bye);

#endif
