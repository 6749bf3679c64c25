/* conf_value.c - see conf_value.h. */
#include "conf/conf_value.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TEXTS = 64 };

static int64_t *
number_at(const struct opt *o, void *base)
{
	return (int64_t *)(void *)((char *)base + o->place);
}

static const char **
text_at(const struct opt *o, void *base)
{
	return (const char **)(void *)((char *)base + o->place);
}

static bool *
flag_at(const struct opt *o, void *base)
{
	return (bool *)((char *)base + o->place);
}

static struct conf_texts *
texts_at(const struct opt *o, void *base)
{
	return (struct conf_texts *)(void *)((char *)base + o->place);
}

static int
word_index(const struct opt *o, const char *s)
{
	for (int i = 0; o->words[i]; i++)
		if (strcmp(o->words[i], s) == 0)
			return i;
	return -1;
}

void
conf_value_default(const struct opt *o, void *base, struct arena *a)
{
	switch (o->type) {
	case OPT_INT:
		(void)text_to_int(o->def, number_at(o, base));
		break;
	case OPT_MS:
		(void)text_to_ms(o->def, number_at(o, base));
		break;
	case OPT_WORD:
		*number_at(o, base) = word_index(o, o->def);
		break;
	case OPT_BOOL:
		*flag_at(o, base) = strcmp(o->def, "true") == 0;
		break;
	case OPT_TEXT:
	case OPT_PATH:
		*text_at(o, base) = arena_dup(a, o->def);
		break;
	case OPT_TEXTS:
		*texts_at(o, base) = (struct conf_texts){ NULL, 0 };
		break;
	}
}

static bool
is_whole(const config_setting_t *s)
{
	int type = config_setting_type(s);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static int
set_int(const struct opt *o, void *base, const config_setting_t *s, struct err *e)
{
	int64_t v;

	if (!is_whole(s))
		return err_set(e, "must be a whole number");
	v = config_setting_get_int64(s);
	if (v < o->min || v > o->max)
		return err_set(
		    e, "%" PRId64 " is out of range %" PRId64 "..%" PRId64, v, o->min, o->max);
	*number_at(o, base) = v;
	return 0;
}

static int
set_ms(const struct opt *o, void *base, const config_setting_t *s, struct err *e)
{
	char least[32], most[32];
	int64_t ms = -1;

	if (is_whole(s) && config_setting_get_int64(s) < o->max)
		ms = config_setting_get_int64(s) * 1000;
	else if (config_setting_type(s) == CONFIG_TYPE_FLOAT && config_setting_get_float(s) < 1e12)
		ms = (int64_t)(config_setting_get_float(s) * 1000.0);
	else if (config_setting_type(s) == CONFIG_TYPE_STRING &&
		 text_to_ms(config_setting_get_string(s), &ms))
		return err_set(e,
		    "%s is no duration: use a number of seconds, \"30s\", \"500ms\", \"10m\"",
		    config_setting_get_string(s));
	if (ms < o->min || ms > o->max) {
		text_from_ms(o->min, least, sizeof least);
		text_from_ms(o->max, most, sizeof most);
		return err_set(e, "must be a duration from %s to %s", least, most);
	}
	*number_at(o, base) = ms;
	return 0;
}

static int
set_word(const struct opt *o, void *base, const config_setting_t *s, struct err *e)
{
	const char *text = config_setting_get_string(s);
	int i, near;

	if (text == NULL)
		return err_set(e, "must be a text in quotes");
	i = word_index(o, text);
	if (i < 0) {
		near = text_nearest(text, o->words);
		err_set(e, "unknown word \"%.40s\"", text);
		for (i = 0; o->words[i]; i++) {
			size_t n = strlen(e->text);

			snprintf(e->text + n, sizeof e->text - n, "%s %s", i ? "," : "; known are",
			    o->words[i]);
		}
		if (near >= 0) {
			size_t n = strlen(e->text);

			snprintf(
			    e->text + n, sizeof e->text - n, "; did you mean %s?", o->words[near]);
		}
		return -1;
	}
	*number_at(o, base) = i;
	return 0;
}

static int
set_text(const struct opt *o, void *base, struct arena *a, const config_setting_t *s,
    const char *dir, struct err *e)
{
	const char *text = config_setting_get_string(s);
	size_t n;

	if (text == NULL)
		return err_set(e, "must be a text in quotes");
	n = strlen(text);
	if (o->flag != OPT_LOADED && !text_is_utf8(text, n))
		return err_set(e, "is not UTF-8");
	if ((int64_t)n > o->max || (int64_t)n < o->min)
		return err_set(
		    e, "has %zu bytes; %" PRId64 " to %" PRId64 " are possible", n, o->min, o->max);
	*text_at(o, base) = arena_dup(a, text);
	if (o->type == OPT_PATH && n && text[0] != '/' && !(o->words && word_index(o, text) >= 0)) {
		char *path = arena_zalloc(a, strlen(dir) + n + 2);

		snprintf(path, strlen(dir) + n + 2, "%s/%s", dir, text);
		*text_at(o, base) = path;
	}
	return 0;
}

static int
take_text(const config_setting_t *s, struct arena *a, int64_t max, const char **out, struct err *e)
{
	const char *text = config_setting_get_string(s);
	size_t n;

	if (text == NULL)
		return err_set(e, "must be a text in quotes, or a list of them");
	n = strlen(text);
	if (n == 0)
		return err_set(e, "must not be empty");
	if ((int64_t)n > max)
		return err_set(e, "is longer than %" PRId64 " bytes", max);
	if (!text_is_utf8(text, n))
		return err_set(e, "is not UTF-8");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			return err_set(e, "holds a control character");
	*out = arena_dup(a, text);
	return 0;
}

int
conf_value_texts(
    const config_setting_t *s, struct arena *a, int64_t max, struct conf_texts *out, struct err *e)
{
	int type = config_setting_type(s);
	bool many = type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
	int n = many ? config_setting_length(s) : 1;

	if (n == 0)
		return err_set(e, "must not be empty");
	if (n > MOST_TEXTS)
		return err_set(e, "has more than %d", MOST_TEXTS);
	out->at = arena_zalloc(a, (size_t)n * sizeof *out->at);
	out->n = n;
	for (int i = 0; i < n; i++) {
		const config_setting_t *one = many ? config_setting_get_elem(s, (unsigned)i) : s;

		if (take_text(one, a, max, &out->at[i], e))
			return -1;
	}
	return 0;
}

int
conf_value_set(const struct opt *o, void *base, struct arena *a, const config_setting_t *s,
    const char *dir, struct err *e)
{
	switch (o->type) {
	case OPT_INT:
		return set_int(o, base, s, e);
	case OPT_MS:
		return set_ms(o, base, s, e);
	case OPT_WORD:
		return set_word(o, base, s, e);
	case OPT_BOOL:
		if (config_setting_type(s) != CONFIG_TYPE_BOOL)
			return err_set(e, "must be true or false");
		*flag_at(o, base) = config_setting_get_bool(s);
		return 0;
	case OPT_TEXT:
	case OPT_PATH:
		return set_text(o, base, a, s, dir, e);
	case OPT_TEXTS:
		return conf_value_texts(s, a, o->max, texts_at(o, base), e);
	}
	return -1;
}

static int
show_texts(const struct conf_texts *t, bool masked, struct buf *out)
{
	int bad = buf_adds(out, "[ ");

	for (int i = 0; i < t->n && !bad; i++) {
		const char *s = masked ? "***" : t->at[i];

		bad = (i && buf_adds(out, ", ")) || text_quote(s, strlen(s), out);
	}
	return bad ? -1 : buf_adds(out, " ]");
}

int
conf_value_show(const struct opt *o, const void *base, bool masked, struct buf *out)
{
	void *at = (void *)(uintptr_t)base;
	char ms[32];

	switch (o->type) {
	case OPT_INT:
		return buf_addf(out, "%" PRId64 "%s", *number_at(o, at),
		    *number_at(o, at) > INT32_MAX ? "L" : "");
	case OPT_MS:
		text_from_ms(*number_at(o, at), ms, sizeof ms);
		return buf_addf(out, "\"%s\"", ms);
	case OPT_WORD:
		return buf_addf(out, "\"%s\"", o->words[*number_at(o, at)]);
	case OPT_BOOL:
		return buf_adds(out, *flag_at(o, at) ? "true" : "false");
	case OPT_TEXT:
	case OPT_PATH:
		if (masked && o->flag != OPT_PLAIN && **text_at(o, at))
			return buf_adds(out, "\"***\"");
		return text_quote(*text_at(o, at), strlen(*text_at(o, at)), out);
	case OPT_TEXTS:
		return show_texts(texts_at(o, at), masked && o->flag != OPT_PLAIN, out);
	}
	return -1;
}

static bool
same_texts(const struct conf_texts *a, const struct conf_texts *b)
{
	bool same = a->n == b->n;

	for (int i = 0; same && i < a->n; i++)
		same = strcmp(a->at[i], b->at[i]) == 0;
	return same;
}

bool
conf_value_same(const struct opt *o, const void *a, const void *b)
{
	void *x = (void *)(uintptr_t)a, *y = (void *)(uintptr_t)b;

	switch (o->type) {
	case OPT_INT:
	case OPT_MS:
	case OPT_WORD:
		return *number_at(o, x) == *number_at(o, y);
	case OPT_BOOL:
		return *flag_at(o, x) == *flag_at(o, y);
	case OPT_TEXT:
	case OPT_PATH:
		return strcmp(*text_at(o, x), *text_at(o, y)) == 0;
	case OPT_TEXTS:
		return same_texts(texts_at(o, x), texts_at(o, y));
	}
	return false;
}
