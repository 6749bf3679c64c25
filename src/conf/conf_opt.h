/* conf_opt.h - the option table: what a row is.
 * For:     conf_table.c, and whatever walks it.     Callers: conf/, master/ (xiaotuctl config).
 * Holds:   a row gives an option its default, parser, range, place in the sample file, in -T and in
 *          the difference of two snapshots, and its reload policy.
 * Memory:  constant. */
#ifndef CONF_CONF_OPT_H
#define CONF_CONF_OPT_H

#include <stddef.h>
#include <stdint.h>

/* OPT_PATH: made absolute by the file's folder, but for the words, which are no files. */
enum opt_type { OPT_INT, OPT_MS, OPT_BOOL, OPT_TEXT, OPT_PATH, OPT_WORD, OPT_TEXTS };
enum opt_policy { OPT_LIVE, OPT_RESTART };
/* OPT_LOADED: what another option's file held when the configuration was read. It is in dumps for
 * workers alone, and as secret as any. */
enum opt_flag { OPT_PLAIN, OPT_SECRET, OPT_LOADED };

struct opt {
	const char *path; /* "limits.chats", or the key inside a group of a list */
	enum opt_type type;
	size_t place;     /* offset in struct conf, conf_listen or conf_robot */
	const char *def;  /* default as text; goes through the same parser as the file */
	int64_t min, max; /* of OPT_INT and OPT_MS; of OPT_TEXT: greatest length in bytes */
	const char *const
	    *words; /* of OPT_WORD: NULL-terminated, value is the index; of OPT_PATH */
	enum opt_policy policy;
	enum opt_flag flag;
	const char *help; /* one line for the sample file */
};

/* Tables end with a row whose path is NULL. */
extern const struct opt conf_options[], conf_listen_options[], conf_robot_options[];

#endif
