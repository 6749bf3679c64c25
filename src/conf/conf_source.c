/* conf_source.c - see conf_source.h. */
#include "conf/conf_source.h"

#include "base/text.h"

#include <string.h>

void
conf_source_note(struct conf *c, const char *key, const char *file, int line)
{
	struct conf_source *s = arena_zalloc(&c->arena, sizeof *s);
	const struct conf_source **last = &c->sources;
	const char *same = NULL;

	/* Few files and many keys: the name of a file is kept once. */
	for (; *last; last = (const struct conf_source **)(uintptr_t) & (*last)->next)
		same = strcmp((*last)->file, file) == 0 ? (*last)->file : same;
	s->key = arena_dup(&c->arena, key);
	s->file = same ? same : arena_dup(&c->arena, file);
	s->line = line;
	*last = s;
}

const struct conf_source *
conf_source_of(const struct conf *c, const char *key)
{
	const struct conf_source *s = c->sources;

	while (s && strcmp(s->key, key) != 0)
		s = s->next;
	return s;
}

int
conf_source_dump(const struct conf *c, struct buf *out)
{
	int bad = c->sources ? buf_adds(out, "sources = (\n") : 0;

	for (const struct conf_source *s = c->sources; s && !bad; s = s->next)
		bad = buf_adds(out, "\t( ") || text_quote(s->key, strlen(s->key), out) ||
		      buf_adds(out, ", ") || text_quote(s->file, strlen(s->file), out) ||
		      buf_addf(out, ", %d )%s\n", s->line, s->next ? "," : "");
	return bad || (c->sources && buf_adds(out, ");\n")) ? -1 : 0;
}

int
conf_source_load(struct conf *c, const config_setting_t *s, struct err *e)
{
	int n = config_setting_length(s);

	for (int i = 0; i < n; i++) {
		const config_setting_t *one = config_setting_get_elem(s, (unsigned)i);
		const char *key = config_setting_get_string_elem(one, 0);
		const char *file = config_setting_get_string_elem(one, 1);

		if (key == NULL || file == NULL)
			return err_set(e, "sources: [%d] is broken", i);
		conf_source_note(c, key, file, config_setting_get_int_elem(one, 2));
	}
	return 0;
}
