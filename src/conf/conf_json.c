/* conf_json.c - see conf_json.h. */
#include "conf/conf_json.h"

#include "base/json.h"
#include "base/text.h"
#include "conf/conf_source.h"
#include "conf/conf_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int
put_texts(const struct conf_texts *t, bool masked, struct buf *out)
{
	int bad = buf_adds(out, "[");

	for (int i = 0; i < t->n && !bad; i++) {
		const char *s = masked ? "***" : t->at[i];

		bad = (i && buf_adds(out, ",")) || json_write(s, strlen(s), out);
	}
	return bad || buf_adds(out, "]") ? -1 : 0;
}

static int
put_text(const char *s, bool masked, struct buf *out)
{
	s = masked && *s ? "***" : s;
	return json_write(s, strlen(s), out);
}

int
conf_json_value(const struct opt *o, const void *base, struct buf *out)
{
	const void *at = (const char *)base + o->place;
	bool masked = o->flag != OPT_PLAIN;
	char ms[32];

	switch (o->type) {
	case OPT_INT:
		return buf_addf(out, "%" PRId64, *(const int64_t *)at);
	case OPT_MS:
		text_from_ms(*(const int64_t *)at, ms, sizeof ms);
		return put_text(ms, false, out);
	case OPT_WORD:
		return put_text(o->words[*(const int64_t *)at], false, out);
	case OPT_BOOL:
		return buf_adds(out, *(const bool *)at ? "true" : "false");
	case OPT_TEXT:
	case OPT_PATH:
		return put_text(*(const char *const *)at, masked, out);
	case OPT_TEXTS:
		return put_texts(at, masked, out);
	}
	return -1;
}

/* Keys of a robot come from its own key, or from the file or variable it names. */
static const struct conf_source *
source_of(const struct conf *c, const char *place, const char *key)
{
	static const char *const others[] = { "api_key_file", "api_key_env" };
	const struct conf_source *s;
	char whole[160];

	snprintf(whole, sizeof whole, "%s%s", place, key);
	s = conf_source_of(c, whole);
	for (size_t i = 0; s == NULL && strcmp(key, "api_key") == 0 && i < 2; i++) {
		snprintf(whole, sizeof whole, "%s%s", place, others[i]);
		s = conf_source_of(c, whole);
	}
	return s;
}

static int
put_source(const struct conf_source *s, struct buf *out)
{
	struct buf place;
	int bad;

	if (s == NULL)
		return buf_adds(out, "\"default\"");
	buf_init(&place, 8192);
	bad = buf_addf(&place, "%s:%d", s->file, s->line) ||
	      json_write(buf_head(&place), place.len, out);
	buf_release(&place);
	return bad ? -1 : 0;
}

/* The rows of a table. `shown` is what stands before the key, `place` what stood before it in the
 * file. */
static int
put_rows(const struct conf *c, const struct opt *table, const void *base, const char *shown,
    const char *place, struct buf *out)
{
	char key[160];
	int bad = 0;

	for (const struct opt *o = table; o->path && !bad; o++) {
		if (o->flag == OPT_LOADED)
			continue;
		snprintf(key, sizeof key, "%s%s", shown, o->path);
		/* Behind another row comes a comma. */
		bad = (out->len && buf_head(out)[out->len - 1] == '}' && buf_adds(out, ",\n")) ||
		      buf_adds(out, "{\"key\":") || json_write(key, strlen(key), out) ||
		      buf_adds(out, ",\"value\":") || conf_json_value(o, base, out) ||
		      buf_adds(out, ",\"source\":") ||
		      put_source(source_of(c, place, o->path), out) || buf_adds(out, "}");
	}
	return bad ? -1 : 0;
}

int
conf_json(const struct conf *c, struct buf *out)
{
	char shown[96], place[32];
	int bad = buf_adds(out, "{\"origin\":") || json_write(c->origin, strlen(c->origin), out) ||
		  buf_adds(out, ",\"values\":[\n") || put_rows(c, conf_options, c, "", "", out);

	for (int i = 0; i < c->n_listen && !bad; i++) {
		snprintf(place, sizeof place, "listen.[%d].", i);
		bad = put_rows(c, conf_listen_options, &c->listen[i], place, place, out);
	}
	for (int i = 0; i < c->n_robots && !bad; i++) {
		snprintf(shown, sizeof shown, "robots.%s.", c->robots[i].name);
		snprintf(place, sizeof place, "robots.[%d].", i);
		bad = put_rows(c, conf_robot_options, &c->robots[i], shown, place, out);
	}
	return bad || buf_adds(out, "]}\n") ? -1 : 0;
}
