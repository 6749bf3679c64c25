/* promtext.c - see promtext.h. */
#include "lib/promtext.h"

#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 256, SERIES_BYTES = 1024, SERIES_MOST = 8192 };

struct check {
	const char *line; /* being read, for complaints */
	char family[NAME_BYTES], type[32];
	bool helped, typed;
	char (*seen)[SERIES_BYTES];
	int n_seen;
	char (*families)[NAME_BYTES];
	int n_families;
	/* of the histogram being read */
	char labels[SERIES_BYTES];
	double bound, count;
	int part; /* 0: buckets, 1: _sum comes, 2: _count comes */
};

static _Noreturn void
complain(const struct check *c, const char *what)
{
	ck_abort_msg("%s: %.*s", what, (int)strcspn(c->line, "\n"), c->line);
	abort();
}

static size_t
name_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == ':')
		n++;
	return isdigit((unsigned char)*s) ? 0 : n;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* --- comments -------------------------------------------------------------------------------- */

static void
begin_family(struct check *c, const char *name, size_t n)
{
	if (c->n_families && !c->typed)
		complain(c, "the family before has no TYPE");
	if (c->part != 0)
		complain(c, "the histogram before has no end");
	snprintf(c->family, sizeof c->family, "%.*s", (int)n, name);
	for (int i = 0; i < c->n_families; i++)
		if (strcmp(c->families[i], c->family) == 0)
			complain(c, "a family twice");
	memcpy(c->families[c->n_families++], c->family, sizeof c->family);
	c->helped = true;
	c->typed = false;
	c->labels[0] = '\0';
}

static void
take_comment(struct check *c)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const char *name = c->line + 7;
	size_t n = name_length(name);
	bool known = false;

	if (strncmp(name, "xiaotu_", 7) != 0 || name[n] != ' ')
		complain(c, "a bad name");
	if (strncmp(c->line, "# HELP ", 7) == 0) {
		begin_family(c, name, n);
		if (strcspn(name + n + 1, "\n") < 3)
			complain(c, "HELP without a text");
		return;
	}
	if (strncmp(c->line, "# TYPE ", 7) != 0 || !c->helped || c->typed ||
	    strlen(c->family) != n || strncmp(c->family, name, n) != 0)
		complain(c, "TYPE must stand behind its HELP");
	snprintf(c->type, sizeof c->type, "%.*s", (int)strcspn(name + n + 1, "\n"), name + n + 1);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		known |= strcmp(c->type, types[i]) == 0;
	if (!known)
		complain(c, "an unknown type");
	if ((strcmp(c->type, "counter") == 0) != ends_with(c->family, "_total"))
		complain(c, "_total is for counters and for them alone");
	c->typed = true;
}

/* --- series ---------------------------------------------------------------------------------- */

/* {name="value",...}: returns its length, 0 when there is none. `le` is taken out of `rest`. */
static size_t
take_labels(struct check *c, const char *s, char *le, char *rest)
{
	size_t at = 1;

	*le = *rest = '\0';
	if (*s != '{')
		return 0;
	while (s[at] != '}') {
		size_t name = at, n = name_length(s + at), value;

		if (n == 0 || s[at + n] != '=' || s[at + n + 1] != '"')
			complain(c, "a bad label");
		value = at += n + 2;
		for (; s[at] != '"'; at++) {
			if (s[at] == '\n' || s[at] == '\0')
				complain(c, "a label without an end");
			if (s[at] == '\\' && strchr("\\\"n", s[++at]) == NULL)
				complain(c, "a bad escape");
		}
		if (strncmp(s + name, "le=", 3) == 0)
			snprintf(le, 64, "%.*s", (int)(at - value), s + value);
		else
			snprintf(rest + strlen(rest), SERIES_BYTES / 2, "%.*s;", (int)(at - name),
			    s + name);
		at += 1 + (s[at + 1] == ',' && s[at + 2] != '}');
	}
	return at + 1;
}

static void
take_bucket(struct check *c, const char *le, const char *labels, double value)
{
	double bound = strcmp(le, "+Inf") == 0 ? (double)INFINITY : strtod(le, NULL);

	if (*le == '\0')
		complain(c, "a bucket without le");
	if (c->part == 0 && strcmp(c->labels, labels) == 0 && c->count >= 0.0) {
		if (bound <= c->bound || value < c->count)
			complain(c, "buckets must grow");
	} else if (c->part != 0) {
		complain(c, "the histogram before has no end");
	}
	snprintf(c->labels, sizeof c->labels, "%s", labels);
	c->bound = bound;
	c->count = value;
	c->part = isinf(bound) ? 1 : 0;
}

static void
take_histogram(
    struct check *c, const char *suffix, const char *le, const char *labels, double value)
{
	if (strcmp(suffix, "_bucket") == 0) {
		take_bucket(c, le, labels, value);
		return;
	}
	if (strcmp(c->labels, labels) != 0 || *le)
		complain(c, "other labels than its buckets");
	if (strcmp(suffix, "_sum") == 0 && c->part == 1) {
		c->part = 2;
	} else if (strcmp(suffix, "_count") == 0 && c->part == 2) {
		if (value != c->count)
			complain(c, "the count is not that of the last bucket");
		c->part = 0;
		c->count = -1.0;
		c->labels[0] = '\0';
	} else {
		complain(c, "+Inf, _sum, _count: in that order");
	}
}

static void
note_series(struct check *c, const char *s, size_t n)
{
	char series[SERIES_BYTES];

	snprintf(series, sizeof series, "%.*s", (int)n, s);
	for (int i = 0; i < c->n_seen; i++)
		if (strcmp(c->seen[i], series) == 0)
			complain(c, "a series twice");
	ck_assert_int_lt(c->n_seen, SERIES_MOST);
	memcpy(c->seen[c->n_seen++], series, sizeof series);
}

static void
take_series(struct check *c)
{
	size_t n = name_length(c->line), n_family = strlen(c->family), n_labels;
	char le[64], labels[SERIES_BYTES], suffix[NAME_BYTES], *end;
	double value;

	n_labels = take_labels(c, c->line + n, le, labels);
	if (!c->typed || n < n_family || strncmp(c->line, c->family, n_family) != 0)
		complain(c, "a series of no family");
	if (c->line[n + n_labels] != ' ')
		complain(c, "no value");
	note_series(c, c->line, n + n_labels);
	value = strtod(c->line + n + n_labels + 1, &end);
	if (end == c->line + n + n_labels + 1 || *end != '\n' || isnan(value))
		complain(c, "a bad value");
	snprintf(suffix, sizeof suffix, "%.*s", (int)(n - n_family), c->line + n_family);
	if (strcmp(c->type, "histogram") == 0)
		take_histogram(c, suffix, le, labels, value);
	else if (*suffix || *le)
		complain(c, "a series of another family");
	if (strcmp(c->type, "gauge") != 0 && value < 0.0)
		complain(c, "a count below 0");
}

void
promtext_check(const char *text)
{
	struct check c = { .count = -1.0 };

	c.seen = calloc(SERIES_MOST, sizeof *c.seen);
	c.families = calloc(SERIES_MOST, sizeof *c.families);
	ck_assert(c.seen != NULL && c.families != NULL);
	ck_assert(*text != '\0' && text[strlen(text) - 1] == '\n');
	for (c.line = text; *c.line; c.line = strchr(c.line, '\n') + 1) {
		if (*c.line == '#')
			take_comment(&c);
		else
			take_series(&c);
	}
	ck_assert_msg(c.part == 0 && c.typed, "the text has no end");
	free(c.seen);
	free(c.families);
}

void
promtext_has(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return;
	ck_abort_msg("no line: %s", line);
}

double
promtext_value(const char *text, const char *series)
{
	size_t n = strlen(series);

	for (const char *at = strstr(text, series); at; at = strstr(at + 1, series))
		if ((at == text || at[-1] == '\n') && at[n] == ' ')
			return strtod(at + n + 1, NULL);
	ck_abort_msg("no series: %s", series);
	return 0.0;
}
