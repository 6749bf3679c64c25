/* why.c - see why.h. */
#include "share/why.h"

const char *const why_words[] = { "ok", "timeout", "unavailable", "bad-reply", "refused", "key",
	"quota", "rate", "no-answer", "too-long", "busy", "rests" };
