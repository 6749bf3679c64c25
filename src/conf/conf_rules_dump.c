/* conf_rules_dump.c - see conf_rules.h: rules as text again, and compared. */
#include "conf/conf_rules.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static int
dump_texts(const char *key, const struct conf_texts *t, struct buf *out)
{
	int bad = buf_addf(out, "%s = [ ", key);

	for (int i = 0; i < t->n && !bad; i++)
		bad = (i && buf_adds(out, ", ")) || text_quote(t->at[i], strlen(t->at[i]), out);
	return bad ? -1 : buf_adds(out, " ];");
}

static int
dump_rule(const struct conf_rule *r, struct buf *out)
{
	if (buf_adds(out, "\t{ ") || dump_texts("pattern", &r->patterns, out) ||
	    buf_adds(out, " ") || dump_texts("answers", &r->answers, out))
		return -1;
	if (r->remember.n && (buf_adds(out, " ") || dump_texts("remember", &r->remember, out)))
		return -1;
	if (r->priority && buf_addf(out, " priority = %" PRId64 ";", r->priority))
		return -1;
	return buf_adds(out, " }");
}

static int
dump_pair(const struct conf_pair *p, struct buf *out)
{
	if (buf_adds(out, "\t{ from = ") || text_quote(p->from, strlen(p->from), out) ||
	    buf_adds(out, "; to = ") || text_quote(p->to, strlen(p->to), out))
		return -1;
	return buf_adds(out, "; }");
}

int
conf_rules_dump(const struct conf_rules *r, struct buf *out)
{
	int bad = buf_adds(out, "rules = (\n");

	for (int i = 0; i < r->n_rules && !bad; i++)
		bad = (i && buf_adds(out, ",\n")) || dump_rule(&r->rules[i], out);
	bad = bad || buf_adds(out, " );\nreflect = (\n");
	for (int i = 0; i < r->n_reflect && !bad; i++)
		bad = (i && buf_adds(out, ",\n")) || dump_pair(&r->reflect[i], out);
	bad = bad || buf_adds(out, " );\n") || dump_texts("fallback", &r->fallback, out);
	return bad ? -1 : buf_adds(out, "\n");
}

static bool
same_texts(const struct conf_texts *a, const struct conf_texts *b)
{
	bool same = a->n == b->n;

	for (int i = 0; same && i < a->n; i++)
		same = strcmp(a->at[i], b->at[i]) == 0;
	return same;
}

static bool
same_rule(const struct conf_rule *a, const struct conf_rule *b)
{
	return a->priority == b->priority && same_texts(&a->patterns, &b->patterns) &&
	       same_texts(&a->answers, &b->answers) && same_texts(&a->remember, &b->remember);
}

bool
conf_rules_same(const struct conf_rules *a, const struct conf_rules *b)
{
	bool same = a->n_rules == b->n_rules && a->n_reflect == b->n_reflect &&
		    same_texts(&a->fallback, &b->fallback);

	for (int i = 0; same && i < a->n_rules; i++)
		same = same_rule(&a->rules[i], &b->rules[i]);
	for (int i = 0; same && i < a->n_reflect; i++)
		same = strcmp(a->reflect[i].from, b->reflect[i].from) == 0 &&
		       strcmp(a->reflect[i].to, b->reflect[i].to) == 0;
	return same;
}
