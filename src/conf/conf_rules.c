/* conf_rules.c - see conf_rules.h.
 * An error is built from the inside out: who finds it says what is wrong, then where() puts the
 * setting's place and path before it, once, so that the file and line are those of the very text.
 */
#include "conf/conf_rules.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PRIORITY = 1000 };

/* What is allowed in one kind of text. */
struct shape {
	size_t most; /* bytes */
	bool may_be_empty;
};

static const struct shape pattern_shape = { CONF_RULES_PATTERN_BYTES, false };
static const struct shape text_shape = { CONF_RULES_TEXT_BYTES, false };
static const struct shape from_shape = { CONF_RULES_PATTERN_BYTES, false };
static const struct shape to_shape = { CONF_RULES_PATTERN_BYTES, true };

static const char *const root_keys[] = { "rules", "reflect", "fallback", NULL };
static const char *const rule_keys[] = { "pattern", "answers", "remember", "priority", NULL };
static const char *const pair_keys[] = { "from", "to", NULL };

/* {words} that a text may hold besides {1} to {9}. */
static const char *const places[] = { "user", "time", "date", "weekday", NULL };

static int where(const config_setting_t *s, struct err *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "FILE:LINE: PATH" before the error. Returns -1. */
static int
where(const config_setting_t *s, struct err *e, const char *format, ...)
{
	const char *file = config_setting_source_file(s);
	char path[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(path, sizeof path, format, ap);
	va_end(ap);
	if (file)
		return err_add(e, "%s:%u: %s", file, config_setting_source_line(s), path);
	return err_add(e, "line %u: %s", config_setting_source_line(s), path);
}

/* --- texts ----------------------------------------------------------------------------------- */

static bool
has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t code = 0;

		i += (size_t)text_char(s + i, n - i, &code);
		if (text_is_control(code))
			return true;
	}
	return false;
}

static int
take_text(const config_setting_t *s, const struct shape *shape, struct arena *a, const char **out,
    struct err *e)
{
	const char *text = config_setting_get_string(s);
	size_t n;

	if (text == NULL)
		return err_set(e, "must be a text in quotes");
	n = strlen(text);
	if (!shape->may_be_empty && strspn(text, " \t\n") == n)
		return err_set(e, "must not be empty");
	if (n > shape->most)
		return err_set(e, "has %zu bytes; at most %zu are possible", n, shape->most);
	if (!text_is_utf8(text, n))
		return err_set(e, "is not UTF-8");
	if (has_control(text, n))
		return err_set(e, "holds a control character");
	*out = arena_ndup(a, text, n);
	return 0;
}

/* Is it an array or list of texts, not one text? */
static bool
is_many(const config_setting_t *s)
{
	return config_setting_is_array(s) || config_setting_is_list(s);
}

/* As where(), for text i of s: one text, or an array or list of them. */
static int
where_text(const config_setting_t *s, int i, const char *path, struct err *e)
{
	if (is_many(s))
		return where(config_setting_get_elem(s, (unsigned)i), e, "%s.[%d]", path, i);
	return where(s, e, "%s", path);
}

/* One text, or an array or list of them. `path` is that of s. */
static int
take_texts(const config_setting_t *s, const char *path, const struct shape *shape, struct arena *a,
    struct conf_texts *out, struct err *e)
{
	int n = is_many(s) ? config_setting_length(s) : 1;

	if (config_setting_is_group(s)) {
		err_set(e, "must be a text in quotes, or a list of them");
		return where(s, e, "%s", path);
	}
	*out = (struct conf_texts){ arena_zalloc(a, (size_t)n * sizeof *out->at), n };
	for (int i = 0; i < n; i++) {
		const config_setting_t *one =
		    is_many(s) ? config_setting_get_elem(s, (unsigned)i) : s;

		if (take_text(one, shape, a, &out->at[i], e))
			return where_text(s, i, path, e);
	}
	return 0;
}

static int
check_keys(const config_setting_t *group, const char *path, const char *const *known, struct err *e)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(s);
		int near = text_nearest(name, known), k = 0;

		while (known[k] && strcmp(known[k], name) != 0)
			k++;
		if (known[k])
			continue;
		if (near >= 0)
			err_set(e, "unknown key; did you mean %s?", known[near]);
		else
			err_set(e, "unknown key");
		return where(s, e, "%s%s%.60s", path, *path ? "." : "", name);
	}
	return 0;
}

/* --- captures -------------------------------------------------------------------------------- */

static int
n_stars(const char *pattern)
{
	int n = 0;

	for (; *pattern; pattern++)
		n += *pattern == '*';
	return n;
}

/* The first "(a|b)" without another one inside, as the robot takes them, and its length. */
static char *
find_choice(char *s, size_t *n)
{
	for (; (s = strchr(s, '(')) != NULL; s++) {
		*n = strcspn(s + 1, "()") + 2;
		if (s[*n - 1] == ')' && memchr(s, '|', *n))
			return s;
	}
	return NULL;
}

/* Does the choice of n bytes hold an empty text? */
static bool
has_empty(const char *s, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strchr("(|", s[i - 1]) && strchr("|)", s[i]))
			return true;
	return false;
}

/* How many texts does it stand for, as "a(b|c)" does for two? Returns -1 when for too many. Each
 * choice is taken out when it is counted, so that one around it comes to light. */
static int
n_choices(const char *text, struct err *e)
{
	char rest[CONF_RULES_PATTERN_BYTES + 1], *s;
	int n_all = 1;
	size_t n;

	snprintf(rest, sizeof rest, "%s", text);
	while ((s = find_choice(rest, &n)) != NULL) {
		bool empty = has_empty(s, n);
		int n_here = 1;

		for (size_t i = 0; i < n; i++)
			n_here += s[i] == '|';
		if (memchr(s, '*', n))
			return err_set(e, "has a star in ( | )");
		if (empty && s > rest && s[-1] == '*' && s[n] == '*')
			return err_set(e, "has two stars in a row");
		n_all *= n_here;
		if (n_all > CONF_RULES_CHOICES)
			return err_set(e, "stands for more than %d texts", CONF_RULES_CHOICES);
		memmove(empty ? s : s + 1, s + n, strlen(s + n) + 1);
		if (!empty)
			*s = ' ';
	}
	return n_all;
}

static int
check_pattern(const char *pattern, struct err *e)
{
	if (strstr(pattern, "**"))
		return err_set(e, "has two stars in a row");
	if (n_stars(pattern) > CONF_RULES_CAPTURES)
		return err_set(e, "has more than %d stars", CONF_RULES_CAPTURES);
	return n_choices(pattern, e) < 0 ? -1 : 0;
}

/* The length of a {word} at s, braces included, or 0: other braces are plain text. */
static size_t
place_length(const char *s)
{
	size_t n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz0123456789");

	return n && s[n + 1] == '}' ? n + 2 : 0;
}

static int
check_place(const char *s, size_t n, int n_captures, struct err *e)
{
	if (n == 3 && s[1] >= '0' && s[1] <= '9') {
		if (s[1] == '0' || s[1] - '0' > n_captures)
			return err_set(e, "%.3s: no capture of that number in every pattern", s);
		return 0;
	}
	for (int i = 0; places[i]; i++)
		if (strlen(places[i]) == n - 2 && strncmp(places[i], s + 1, n - 2) == 0)
			return 0;
	return err_set(e,
	    "%.*s is unknown; known are {1} to {9}, {user}, {time}, {date}, {weekday}",
	    n > 40 ? 40 : (int)n, s);
}

/* Every {word} of the texts must be known, every {N} one of n_captures. */
static int
check_places(const struct conf_texts *t, const config_setting_t *s, const char *path,
    int n_captures, struct err *e)
{
	for (int i = 0; i < t->n; i++) {
		for (const char *at = strchr(t->at[i], '{'); at; at = strchr(at + 1, '{')) {
			size_t n = place_length(at);

			if (n == 0 || check_place(at, n, n_captures, e) == 0)
				continue;
			return where_text(s, i, path, e);
		}
	}
	return 0;
}

/* --- rules, pairs, fallback ------------------------------------------------------------------ */

/* A member that is texts. Returns its setting in *s, NULL when there is none. */
static int
take_member(const config_setting_t *group, const char *path, const char *key,
    const struct shape *shape, struct arena *a, struct conf_texts *out, const config_setting_t **s,
    struct err *e)
{
	char whole[64];

	*s = config_setting_get_member(group, key);
	if (*s == NULL)
		return 0;
	snprintf(whole, sizeof whole, "%s.%s", path, key);
	return take_texts(*s, whole, shape, a, out, e);
}

static int
need(const config_setting_t *group, const char *path, const char *key, const struct conf_texts *t,
    const config_setting_t *s, struct err *e)
{
	if (t->n > 0)
		return 0;
	err_set(e, s ? "must not be empty" : "is missing");
	return where(s ? s : group, e, "%s.%s", path, key);
}

static int
take_patterns(const config_setting_t *group, const char *path, struct arena *a,
    struct conf_rule *rule, int *n_captures, struct err *e)
{
	const config_setting_t *s;
	char whole[64];

	snprintf(whole, sizeof whole, "%s.pattern", path);
	if (take_member(group, path, "pattern", &pattern_shape, a, &rule->patterns, &s, e) ||
	    need(group, path, "pattern", &rule->patterns, s, e))
		return -1;
	*n_captures = CONF_RULES_CAPTURES;
	for (int i = 0; i < rule->patterns.n; i++) {
		int n = n_stars(rule->patterns.at[i]);

		if (check_pattern(rule->patterns.at[i], e))
			return where_text(s, i, whole, e);
		if (n < *n_captures)
			*n_captures = n;
	}
	return 0;
}

static int
take_spoken(const config_setting_t *group, const char *path, const char *key, bool needed,
    int n_captures, struct arena *a, struct conf_texts *out, struct err *e)
{
	const config_setting_t *s;
	char whole[64];

	if (take_member(group, path, key, &text_shape, a, out, &s, e) ||
	    (needed && need(group, path, key, out, s, e)))
		return -1;
	snprintf(whole, sizeof whole, "%s.%s", path, key);
	return s ? check_places(out, s, whole, n_captures, e) : 0;
}

static int
take_priority(const config_setting_t *group, const char *path, int64_t *out, struct err *e)
{
	const config_setting_t *s = config_setting_get_member(group, "priority");
	int type = s ? config_setting_type(s) : CONFIG_TYPE_NONE;

	if (s == NULL)
		return 0;
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		err_set(e, "must be a whole number");
		return where(s, e, "%s.priority", path);
	}
	*out = config_setting_get_int64(s);
	if (*out < -PRIORITY || *out > PRIORITY) {
		err_set(e, "%" PRId64 " is out of range %d..%d", *out, -PRIORITY, PRIORITY);
		return where(s, e, "%s.priority", path);
	}
	return 0;
}

static int
take_rule(const config_setting_t *s, const char *path, struct arena *a, void *out, struct err *e)
{
	struct conf_rule *rule = out;
	int n_captures;

	if (check_keys(s, path, rule_keys, e) || take_patterns(s, path, a, rule, &n_captures, e) ||
	    take_spoken(s, path, "answers", true, n_captures, a, &rule->answers, e) ||
	    take_spoken(s, path, "remember", false, n_captures, a, &rule->remember, e))
		return -1;
	return take_priority(s, path, &rule->priority, e);
}

static int
take_side(const config_setting_t *group, const char *path, const char *key,
    const struct shape *shape, struct arena *a, const char **out, struct err *e)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	if (s == NULL)
		err_set(e, "is missing");
	else if (take_text(s, shape, a, out, e) == 0)
		return 0;
	return where(s ? s : group, e, "%s.%s", path, key);
}

static int
take_pair(const config_setting_t *s, const char *path, struct arena *a, void *out, struct err *e)
{
	struct conf_pair *pair = out;
	int n_from, n_to;

	if (check_keys(s, path, pair_keys, e) ||
	    take_side(s, path, "from", &from_shape, a, &pair->from, e) ||
	    take_side(s, path, "to", &to_shape, a, &pair->to, e))
		return -1;
	n_from = n_choices(pair->from, e);
	n_to = n_from < 0 ? -1 : n_choices(pair->to, e);
	if (n_to > 1 && n_to != n_from)
		n_to = err_set(e, "`to` must stand for one text, or for as many as `from`");
	return n_to < 0 ? where(s, e, "%s", path) : 0;
}

/* A member that is a list of groups, each read by `take` into `size` bytes. */
static int
take_list(const config_setting_t *group, const char *key, size_t size,
    int (*take)(
	const config_setting_t *s, const char *path, struct arena *a, void *out, struct err *e),
    struct arena *a, void **out, int *n, struct err *e)
{
	const config_setting_t *list = config_setting_get_member(group, key);

	if (list == NULL)
		return 0;
	if (!config_setting_is_list(list) &&
	    !(config_setting_is_array(list) && config_setting_length(list) == 0)) {
		err_set(e, "must be a list of groups: ( { ... }, { ... } )");
		return where(list, e, "%s", key);
	}
	*n = config_setting_length(list);
	*out = arena_zalloc(a, (size_t)*n * size);
	for (int i = 0; i < *n; i++) {
		const config_setting_t *s = config_setting_get_elem(list, (unsigned)i);
		char path[32];

		snprintf(path, sizeof path, "%s.[%d]", key, i);
		if (!config_setting_is_group(s)) {
			err_set(e, "must be a group: { ... }");
			return where(s, e, "%s", path);
		}
		if (take(s, path, a, (char *)*out + (size_t)i * size, e))
			return -1;
	}
	return 0;
}

int
conf_rules_read(const config_setting_t *group, bool alone, struct arena *a, struct conf_rules *out,
    struct err *e)
{
	const config_setting_t *fallback = config_setting_get_member(group, "fallback");
	void *rules = NULL, *pairs = NULL;

	*out = (struct conf_rules){ .n_rules = 0 };
	if (alone && check_keys(group, "", root_keys, e))
		return -1;
	if (take_list(group, "rules", sizeof *out->rules, take_rule, a, &rules, &out->n_rules, e) ||
	    take_list(
		group, "reflect", sizeof *out->reflect, take_pair, a, &pairs, &out->n_reflect, e))
		return -1;
	out->rules = rules;
	out->reflect = pairs;
	if (fallback && (take_texts(fallback, "fallback", &text_shape, a, &out->fallback, e) ||
			    check_places(&out->fallback, fallback, "fallback", 0, e)))
		return -1;
	if (alone && out->n_rules == 0 && out->fallback.n == 0)
		return err_set(e, "holds neither rules nor fallback");
	return 0;
}
