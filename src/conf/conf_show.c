/* conf_show.c - see conf_show.h. */
#include "conf/conf_show.h"

#include "conf/conf_rules.h"
#include "conf/conf_value.h"

#include <stdio.h>
#include <string.h>

/* "limits.chats" -> length of "limits", 0 for a key of the root. */
static size_t
section_of(const char *path)
{
	const char *dot = strchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

static int
dump_row(const struct opt *o, const void *base, const char *indent, bool masked, struct buf *out)
{
	size_t section = section_of(o->path);

	return buf_addf(out, "%s%s = ", indent, o->path + (section ? section + 1 : 0)) ||
	       conf_value_show(o, base, masked, out) || buf_adds(out, ";\n");
}

/* The rows of the root: plain keys, and sections opened and closed around theirs. */
static int
dump_root(const struct conf *c, bool masked, struct buf *out)
{
	const char *open = "";
	int bad = 0;

	for (const struct opt *o = conf_options; o->path && !bad; o++) {
		size_t n = section_of(o->path);
		bool same = n && strncmp(open, o->path, n + 1) == 0;

		if (*open && !same)
			bad = buf_adds(out, "};\n");
		if (n && !same && !bad)
			bad = buf_addf(out, "%.*s = {\n", (int)n, o->path);
		open = n ? o->path : "";
		if (!bad)
			bad = dump_row(o, c, n ? "\t" : "", masked, out);
	}
	return bad;
}

static int
dump_group(const struct opt *table, const void *base, bool masked, struct buf *out)
{
	int bad = buf_adds(out, "\t{\n");

	for (const struct opt *o = table; o->path && !bad; o++) {
		const struct conf_texts *t = (const void *)((const char *)base + o->place);

		if (o->type == OPT_TEXTS && t->n == 0)
			continue; /* an empty list of keys is no value */
		if (o->def[0] == '\0' && (o->type == OPT_TEXT || o->type == OPT_PATH) &&
		    **(const char *const *)(const void *)((const char *)base + o->place) == '\0')
			continue;
		bad = dump_row(o, base, "\t\t", masked, out);
	}
	return bad;
}

static int
dump_robot(const struct conf_robot *r, bool masked, struct buf *out)
{
	int bad = dump_group(conf_robot_options, r, masked, out);

	if (!bad && r->kind == CONF_RULES && !masked)
		bad = conf_rules_dump(&r->rules, out);
	return bad;
}

int
conf_dump(const struct conf *c, enum conf_dump how, struct buf *out)
{
	bool masked = how == CONF_MASKED;
	int bad = buf_addf(out, "# %s\n", c->origin) || dump_root(c, masked, out) ||
		  buf_adds(out, "listen = (\n");

	for (int i = 0; i < c->n_listen && !bad; i++)
		bad = dump_group(conf_listen_options, &c->listen[i], masked, out) ||
		      buf_adds(out, i + 1 < c->n_listen ? "\t},\n" : "\t}\n");
	bad = bad || buf_adds(out, ");\nrobots = (\n");
	for (int i = 0; i < c->n_robots && !bad; i++)
		bad = dump_robot(&c->robots[i], masked, out) ||
		      buf_adds(out, i + 1 < c->n_robots ? "\t},\n" : "\t}\n");
	return bad || buf_adds(out, ");\n") ? -1 : 0;
}

/* --- the sample file ------------------------------------------------------------------------- */

static int
sample_row(const struct opt *o, const void *base, const char *indent, struct buf *out)
{
	return buf_addf(out, "%s# %s\n%s", indent, o->help, indent) ||
	       dump_row(o, base, "", false, out);
}

static int
sample_group(const struct opt *table, const char *name, struct buf *out)
{
	int bad = buf_addf(out, "\n# Keys of a group in `%s`, with their defaults:\n", name);

	for (const struct opt *o = table; o->path && !bad; o++) {
		const char *mark = o->type == OPT_INT || o->type == OPT_BOOL ? "" : "\"";

		bad = buf_addf(out, "#   %s = %s%s%s;  %*s# %s\n", o->path, mark, o->def, mark,
		    (int)(30 - strlen(o->path) - strlen(o->def) > 30
			      ? 1
			      : 30 - strlen(o->path) - strlen(o->def)),
		    "", o->help);
	}
	return bad;
}

static int
sample_lists(struct buf *out)
{
	return sample_group(conf_listen_options, "listen", out) ||
	       buf_adds(out,
		   "listen = (\n"
		   "\t{ address = \"127.0.0.1\"; port = 9999; }\n"
		   "\t# , { address = \"::1\"; port = 9999; }\n"
		   "\t# , { path = \"/run/xiaotu/chat.sock\"; }\n"
		   "\t# , { address = \"127.0.0.1\"; port = 9999; transport = \"udp\"; }\n"
		   ");\n") ||
	       sample_group(conf_robot_options, "robots", out) ||
	       buf_adds(out,
		   "# The first robot that works answers; the next is asked when it cannot.\n"
		   "robots = (\n"
		   "\t# { name = \"turing\"; type = \"turing\"; api_key_file = \"turing.key\"; },\n"
		   "\t{ name = \"xiaotu\"; type = \"rules\"; file = \"robot.conf\"; }\n"
		   ");\n");
}

int
conf_sample(struct buf *out)
{
	struct arena arena = { NULL };
	struct conf *c = arena_zalloc(&arena, sizeof *c);
	const char *open = "";
	int bad = buf_adds(out,
	    "# xiaotud.conf - configuration of xiaotud; see xiaotud.conf(5).\n"
	    "# Every key stands here with its default. After a change: xiaotud -t, then\n"
	    "# kill -HUP the master (or xiaotud -s reload): all of it is taken, or nothing.\n"
	    "# A duration is a number of seconds, or text with a unit: \"500ms\", \"30s\", "
	    "\"10m\", \"2h\", \"1d\".\n\n");

	for (const struct opt *o = conf_options; o->path && !bad; o++) {
		size_t n = section_of(o->path);
		bool same = n && strncmp(open, o->path, n + 1) == 0;

		conf_value_default(o, c, &arena);
		if (*open && !same)
			bad = buf_adds(out, "};\n");
		if (n && !same && !bad)
			bad = buf_addf(out, "\n%.*s = {\n", (int)n, o->path);
		open = n ? o->path : "";
		if (!bad)
			bad = sample_row(o, c, n ? "\t" : "", out);
	}
	arena_release(&arena);
	return bad || sample_lists(out) ? -1 : 0;
}

/* --- the difference -------------------------------------------------------------------------- */

struct diff {
	void (*on_change)(const char *key, enum opt_policy policy, void *arg);
	void *arg;
	int n;
};

static void
tell(struct diff *d, const char *key, enum opt_policy policy)
{
	d->on_change(key, policy, d->arg);
	d->n++;
}

static void
diff_rows(struct diff *d, const struct opt *table, const void *a, const void *b, const char *where)
{
	char key[160];

	for (const struct opt *o = table; o->path; o++) {
		if (conf_value_same(o, a, b))
			continue;
		snprintf(key, sizeof key, "%s%s", where, o->path);
		tell(d, key, o->policy);
	}
}

static void
diff_listen(struct diff *d, const struct conf *a, const struct conf *b)
{
	struct diff inner = *d;

	inner.n = a->n_listen != b->n_listen;
	for (int i = 0; i < a->n_listen && !inner.n; i++)
		for (const struct opt *o = conf_listen_options; o->path; o++)
			inner.n += !conf_value_same(o, &a->listen[i], &b->listen[i]);
	if (inner.n)
		tell(d, "listen", OPT_LIVE);
}

static void
diff_robots(struct diff *d, const struct conf *a, const struct conf *b)
{
	char where[96];

	if (a->n_robots != b->n_robots) {
		tell(d, "robots", OPT_LIVE);
		return;
	}
	for (int i = 0; i < a->n_robots; i++) {
		snprintf(where, sizeof where, "robots.%s.", b->robots[i].name);
		diff_rows(d, conf_robot_options, &a->robots[i], &b->robots[i], where);
		if (!conf_rules_same(&a->robots[i].rules, &b->robots[i].rules)) {
			snprintf(where, sizeof where, "robots.%s.rules", b->robots[i].name);
			tell(d, where, OPT_LIVE);
		}
	}
}

int
conf_diff(const struct conf *a, const struct conf *b,
    void (*on_change)(const char *key, enum opt_policy policy, void *arg), void *arg)
{
	struct diff d = { on_change, arg, 0 };

	diff_rows(&d, conf_options, a, b, "");
	diff_listen(&d, a, b);
	diff_robots(&d, a, b);
	return d.n;
}
