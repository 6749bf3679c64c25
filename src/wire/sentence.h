/* sentence.h - what xiaotu itself says: failures, goodbyes, help, in Chinese and English.
 * For:     conn, dgram and turn.     Callers: worker/.
 * Holds:   static texts: "CODE SENTENCE" for failures, "REASON SENTENCE" for goodbyes. */
#ifndef WIRE_SENTENCE_H
#define WIRE_SENTENCE_H

#include "conf/conf.h"
#include "wire/codec.h"

const char *sentence_fail(enum fail fail, enum conf_language language);
const char *sentence_bye(enum bye bye, enum conf_language language);
/* That of FAIL_RATE, and how long to wait. Returns the length of the text. */
size_t sentence_rate(int64_t wait_ms, enum conf_language language, char *text, size_t size);

enum say {
	SAY_HELP,
	SAY_FORGOTTEN,
	SAY_WAIT,     /* the answer takes its time */
	SAY_CHOSEN,   /* a robot's name follows */
	SAY_NO_ROBOT, /* the list of robots follows */
	SAY_RESTS,    /* in that list */
	SAY_ANSWERED, /* a robot's name follows */
	SAY_COUNT
};
const char *sentence(enum say say, enum conf_language language);

/* The bare words: "no-user", "idle"; for the log. */
const char *sentence_fail_word(enum fail fail);
const char *sentence_bye_word(enum bye bye);

#endif
