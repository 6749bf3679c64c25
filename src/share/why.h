/* why.h - why there is no answer.
 * For:     robots and the chain (robot/), the log and /robot (worker/), the operator (master/).
 * Holds:   the classes are those of robot-apis, section 6, because they decide what happens next.
 * Memory:  none. */
#ifndef SHARE_WHY_H
#define SHARE_WHY_H

enum why {
	WHY_OK,
	WHY_TIMEOUT,     /* too slow by one of its timers */
	WHY_UNAVAILABLE, /* cannot be reached, or says that it is overloaded or broken */
	WHY_BAD_REPLY,   /* what came is no answer */
	WHY_REFUSED,     /* reached, and this request will not do */
	WHY_KEY,         /* no key of ours will do, or another setting */
	WHY_QUOTA,       /* all calls are used up */
	WHY_RATE,        /* too many at once, says the robot */
	WHY_NO_ANSWER,   /* well, but it has nothing to say to this */
	WHY_TOO_LONG,    /* the chat is longer than what it reads */
	WHY_BUSY,        /* it has as much to do as it may */
	WHY_RESTS,       /* it was not asked: its breaker is open */
};

/* "ok", "timeout", ...: in that order. */
extern const char *const why_words[];

#endif
