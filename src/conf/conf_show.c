/* conf_show.c - see conf_show.h. */
#include "conf/conf_show.h"

#include "base/json.h"
#include "conf/conf_json.h"
#include "conf/conf_rules.h"
#include "conf/conf_source.h"
#include "conf/conf_value.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_BYTES = 1 << 20 };

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

/* Is there nothing to be said of it? */
static bool
is_absent(const struct opt *o, const void *base)
{
	const void *at = (const char *)base + o->place;

	if (o->type == OPT_TEXTS)
		return ((const struct conf_texts *)at)->n == 0; /* an empty list is no value */
	return o->def[0] == '\0' && (o->type == OPT_TEXT || o->type == OPT_PATH) &&
	       **(const char *const *)at == '\0';
}

/* The rows of a table: plain keys, and sections opened and closed around theirs. `whole`: also
 * those that are absent. */
static int
dump_rows(const struct opt *table, const void *base, const char *indent, bool whole, bool masked,
    struct buf *out)
{
	const char *open = NULL;
	char inner[8];
	int bad = 0;

	snprintf(inner, sizeof inner, "%s\t", indent);
	for (const struct opt *o = table; o->path && !bad; o++) {
		size_t n = section_of(o->path);
		bool same = open && n && strncmp(open, o->path, n + 1) == 0;

		if ((!whole && is_absent(o, base)) || (masked && o->flag == OPT_LOADED))
			continue;
		if (open && !same)
			bad = buf_addf(out, "%s};\n", indent);
		if (n && !same && !bad)
			bad = buf_addf(out, "%s%.*s = {\n", indent, (int)n, o->path);
		open = n ? o->path : NULL;
		bad = bad || dump_row(o, base, n ? inner : indent, masked, out);
	}
	return bad || (open && buf_addf(out, "%s};\n", indent)) ? -1 : 0;
}

static int
dump_group(const struct opt *table, const void *base, bool masked, struct buf *out)
{
	return buf_adds(out, "\t{\n") || dump_rows(table, base, "\t\t", false, masked, out);
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
	int bad = buf_addf(out, "# %s\n", c->origin) ||
		  dump_rows(conf_options, c, "", true, masked, out) ||
		  buf_adds(out, "listen = (\n");

	for (int i = 0; i < c->n_listen && !bad; i++)
		bad = dump_group(conf_listen_options, &c->listen[i], masked, out) ||
		      buf_adds(out, i + 1 < c->n_listen ? "\t},\n" : "\t}\n");
	bad = bad || buf_adds(out, ");\nrobots = (\n");
	for (int i = 0; i < c->n_robots && !bad; i++)
		bad = dump_robot(&c->robots[i], masked, out) ||
		      buf_adds(out, i + 1 < c->n_robots ? "\t},\n" : "\t}\n");
	bad = bad || buf_adds(out, ");\n");
	return bad || (!masked && conf_source_dump(c, out)) ? -1 : 0;
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

		if (o->flag == OPT_LOADED)
			continue;
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
		   "\t# , { address = \"127.0.0.1\"; port = 9980; speak = \"web\"; }\n"
		   "\t# , { path = \"/run/xiaotu/chat.sock\"; }\n"
		   "\t# , { address = \"0.0.0.0\"; port = 9443; allow = \"10.0.0.0/8\";\n"
		   "\t#     tls = { cert = \"chat.pem\"; key = \"chat.key\"; }; }\n"
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
	void (*on_change)(const struct conf_change *change, void *arg);
	void *arg;
	int n;
	struct buf from, to; /* of the change being told */
};

/* d->from and d->to hold the values, and are empty again afterwards. */
static void
tell(struct diff *d, const char *key, enum opt_policy policy)
{
	struct conf_change change = { .key = key, .policy = policy };

	(void)buf_add(&d->from, "", 1);
	(void)buf_add(&d->to, "", 1);
	change.from = buf_head(&d->from);
	change.to = buf_head(&d->to);
	d->on_change(&change, d->arg);
	buf_cut(&d->from, 0);
	buf_cut(&d->to, 0);
	d->n++;
}

/* What was loaded is told as the option that names its file, whose row is before its own:
 * "cert_pem" is of "cert". */
static void
diff_rows(struct diff *d, const struct opt *table, const void *a, const void *b, const char *where)
{
	const struct opt *last = NULL;
	char key[160];

	for (const struct opt *o = table; o->path; o++) {
		int n = (int)strlen(o->path) - (o->flag == OPT_LOADED ? 4 : 0);

		if (conf_value_same(o, a, b) || (o->flag == OPT_LOADED && last == o - 1))
			continue;
		last = o;
		snprintf(key, sizeof key, "%s%.*s", where, n, o->path);
		(void)(conf_json_value(o, a, &d->from) || conf_json_value(o, b, &d->to));
		tell(d, key, o->policy);
	}
}

static void
put_doors(const struct conf *c, struct buf *out)
{
	char url[160];

	(void)buf_adds(out, "[");
	for (int i = 0; i < c->n_listen; i++) {
		conf_listen_url(&c->listen[i], url);
		(void)((i && buf_adds(out, ",")) || json_write(url, strlen(url), out));
	}
	(void)buf_adds(out, "]");
}

static void
put_names(const struct conf *c, struct buf *out)
{
	(void)buf_adds(out, "[");
	for (int i = 0; i < c->n_robots; i++)
		(void)((i && buf_adds(out, ",")) ||
		       json_write(c->robots[i].name, strlen(c->robots[i].name), out));
	(void)buf_adds(out, "]");
}

static void
diff_listen(struct diff *d, const struct conf *a, const struct conf *b)
{
	char url[160], other[160], where[32];
	bool same = a->n_listen == b->n_listen;

	for (int i = 0; i < a->n_listen && same; i++) {
		conf_listen_url(&a->listen[i], url);
		conf_listen_url(&b->listen[i], other);
		same = strcmp(url, other) == 0;
	}
	if (!same) {
		put_doors(a, &d->from);
		put_doors(b, &d->to);
		tell(d, "listen", OPT_LIVE);
		return;
	}
	for (int i = 0; i < a->n_listen; i++) {
		snprintf(where, sizeof where, "listen.[%d].", i);
		diff_rows(d, conf_listen_options, &a->listen[i], &b->listen[i], where);
	}
}

static void
diff_rules(struct diff *d, const struct conf_robot *a, const struct conf_robot *b)
{
	char key[96];

	if (conf_rules_same(&a->rules, &b->rules))
		return;
	snprintf(key, sizeof key, "robots.%s.rules", b->name);
	(void)buf_addf(&d->from, "\"%d rules\"", a->rules.n_rules);
	(void)buf_addf(&d->to, "\"%d rules\"", b->rules.n_rules);
	tell(d, key, OPT_LIVE);
}

static void
diff_robots(struct diff *d, const struct conf *a, const struct conf *b)
{
	char where[96];

	if (a->n_robots != b->n_robots) {
		put_names(a, &d->from);
		put_names(b, &d->to);
		tell(d, "robots", OPT_LIVE);
		return;
	}
	for (int i = 0; i < a->n_robots; i++) {
		snprintf(where, sizeof where, "robots.%s.", b->robots[i].name);
		diff_rows(d, conf_robot_options, &a->robots[i], &b->robots[i], where);
		diff_rules(d, &a->robots[i], &b->robots[i]);
	}
}

int
conf_diff(const struct conf *a, const struct conf *b,
    void (*on_change)(const struct conf_change *change, void *arg), void *arg)
{
	struct diff d = { .on_change = on_change, .arg = arg };

	buf_init(&d.from, VALUE_BYTES);
	buf_init(&d.to, VALUE_BYTES);
	diff_rows(&d, conf_options, a, b, "");
	diff_listen(&d, a, b);
	diff_robots(&d, a, b);
	buf_release(&d.from);
	buf_release(&d.to);
	return d.n;
}
