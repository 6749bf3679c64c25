/* conf_rules.h - a rule file, from libconfig's tree to struct conf_rules and back.
 * For:     robots of type `rules`; the format is xiaotu-robot(5).     Callers: conf/.
 * Holds:   every text is UTF-8 without control characters but newline and tab, and not empty (the
 *          `to` of a pair may be); a pattern has at most 9 stars, never two in a row; patterns and
 *          pairs stand for at most 200 texts each by their "(a|b)"; each {N} in a text is a capture
 *          that all patterns of its rule have.
 * Memory:  texts are copied into the caller's arena; the tree may go. */
#ifndef CONF_CONF_RULES_H
#define CONF_CONF_RULES_H

#include "conf/conf.h"

#include <libconfig.h>

enum {
	CONF_RULES_CAPTURES = 9,
	CONF_RULES_PATTERN_BYTES = 256,
	CONF_RULES_TEXT_BYTES = 4096,
	CONF_RULES_CHOICES = 200
};

/* Read `rules`, `reflect` and `fallback` of the group. `alone`: it is the root of a rule file,
 * where any other key is an error, and so is having neither rules nor fallback; otherwise the other
 * keys are the caller's business. Returns 0, or -1 with "FILE:LINE: rules.[3].answers: what",
 * counted from 0 as libconfig does; "line LINE: ..." when the tree was not read from a file. */
int conf_rules_read(const config_setting_t *group, bool alone, struct arena *a,
    struct conf_rules *out, struct err *e);

/* Append the three settings in libconfig syntax; reading them gives an equal struct.
 * Returns 0, or -1 when out is full. */
int conf_rules_dump(const struct conf_rules *r, struct buf *out);

bool conf_rules_same(const struct conf_rules *a, const struct conf_rules *b);

#endif
