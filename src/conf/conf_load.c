/* conf_load.c - see conf_load.h. Walks the libconfig tree along the option tables: whatever no row
 * knows is an error, whatever has no value in the file gets the row's default first. */
#include "conf/conf_load.h"

#include "base/text.h"
#include "conf/conf_listen.h"
#include "conf/conf_robot.h"
#include "conf/conf_rules.h"
#include "conf/conf_scan.h"
#include "conf/conf_show.h"
#include "conf/conf_source.h"
#include "conf/conf_value.h"

#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Workers beat once a second (worker.c); a limit near that would kill healthy ones. */
enum { HEARTBEAT_MS = 2000 };

struct load {
	struct conf *c;
	const char *full, *dir; /* where the file really is, for those that it includes */
	bool dump; /* a canonical dump: paths are absolute, rules and keys are inside */
	struct err *e;
};

/* A file by the name it was given. */
static const char *
name_of(const struct load *l, const char *file)
{
	return file == NULL || (l->full && strcmp(file, l->full) == 0) ? l->c->origin : file;
}

static int
fail_at(struct load *l, const config_setting_t *s, const char *key)
{
	const char *file = name_of(l, config_setting_source_file(s));

	return err_add(l->e, "%s:%d: %s", file, (int)config_setting_source_line(s), key);
}

/* Remember who set it. A dump brings its sources along. */
static void
note_source(struct load *l, const config_setting_t *s, const char *key)
{
	const char *file = name_of(l, config_setting_source_file(s));

	if (!l->dump)
		conf_source_note(l->c, key, file, (int)config_setting_source_line(s));
}

/* The row for `name` in the group whose keys begin with `prefix`. */
static const struct opt *
find_row(const struct opt *table, const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	for (const struct opt *o = table; o->path; o++)
		if (strncmp(o->path, prefix, n) == 0 && strcmp(o->path + n, name) == 0)
			return o;
	return NULL;
}

static int
fail_unknown(struct load *l, const struct opt *table, const char *prefix, const char *name)
{
	const char *names[64] = { "listen", "robots", "limits", "timeouts", "log", NULL };
	int n = *prefix || table != conf_options ? 0 : 5, near;

	for (const struct opt *o = table; o->path; o++)
		if (strncmp(o->path, prefix, strlen(prefix)) == 0)
			names[n++] = o->path + strlen(prefix);
	names[n] = NULL;
	near = text_nearest(name, names);
	if (near >= 0)
		return err_set(l->e, "unknown key; did you mean %s?", names[near]);
	if (find_row(conf_listen_options, "", name))
		return err_set(l->e, "unknown key; it belongs to a group of listen");
	if (find_row(conf_robot_options, "", name))
		return err_set(l->e, "unknown key; it belongs to a group of robots");
	return err_set(l->e, "unknown key");
}

static void
set_defaults(struct load *l, const struct opt *table, void *base)
{
	for (const struct opt *o = table; o->path; o++)
		conf_value_default(o, base, &l->c->arena);
}

/* What a dump holds instead of a file. */
static bool
is_content(const char *name)
{
	return strcmp(name, "rules") == 0 || strcmp(name, "reflect") == 0 ||
	       strcmp(name, "fallback") == 0;
}

/* Has the table rows "NAME.something"? */
static bool
has_section(const struct opt *table, const char *name)
{
	size_t n = strlen(name);

	for (const struct opt *o = table; o->path; o++)
		if (strncmp(o->path, name, n) == 0 && o->path[n] == '.')
			return true;
	return false;
}

static int load_section(struct load *l, const config_setting_t *s, const struct opt *table,
    const char *key, void *base);

/* Take every scalar of the group; `where` is its path for messages ("listen.[0]."). */
static int
load_group(struct load *l, const config_setting_t *group, const struct opt *table,
    const char *prefix, const char *where, void *base)
{
	int n = config_setting_length(group);
	char key[128];

	for (int i = 0; i < n; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct opt *o = find_row(table, prefix, config_setting_name(s));

		snprintf(key, sizeof key, "%s%s", where, config_setting_name(s));
		if (o && o->flag == OPT_LOADED && !l->dump)
			o = NULL;
		if (o == NULL && *prefix == '\0' && has_section(table, config_setting_name(s))) {
			if (load_section(l, s, table, key, base))
				return -1;
			continue;
		}
		if (o == NULL && l->dump && table == conf_robot_options &&
		    is_content(config_setting_name(s)))
			continue;
		if (o == NULL) {
			fail_unknown(l, table, prefix, config_setting_name(s));
			return fail_at(l, s, key);
		}
		if (conf_value_set(o, base, &l->c->arena, s, l->dir, l->e))
			return fail_at(l, s, key);
		note_source(l, s, key);
	}
	return 0;
}

/* `key = { ... }` inside a group. */
static int
load_section(
    struct load *l, const config_setting_t *s, const struct opt *table, const char *key, void *base)
{
	char prefix[64], where[160];

	if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
		err_set(l->e, "must be a group: { key = value; }");
		return fail_at(l, s, key);
	}
	snprintf(prefix, sizeof prefix, "%s.", config_setting_name(s));
	snprintf(where, sizeof where, "%s.", key);
	return load_group(l, s, table, prefix, where, base);
}

/* --- robots ---------------------------------------------------------------------------------- */

static bool
is_new_name(struct load *l, const struct conf_robot *r)
{
	for (const struct conf_robot *other = l->c->robots; other < r; other++)
		if (strcmp(other->name, r->name) == 0)
			return err_set(l->e, "name: \"%s\" is used twice", r->name) == 0;
	return true;
}

static int
load_robot(struct load *l, const config_setting_t *s, void *at, const char *where)
{
	const struct conf_from from = { &l->c->arena, l->dir, l->dump };
	struct conf_robot *r = at;
	char key[96];

	set_defaults(l, conf_robot_options, r);
	if (s == NULL)
		r->name = "xiaotu"; /* as in the sample */
	if (s && load_group(l, s, conf_robot_options, "", where, r))
		return -1;
	if (conf_robot_finish(&from, s, r, l->e) == 0 && is_new_name(l, r))
		return 0;
	if (s == NULL)
		return -1;
	snprintf(key, sizeof key, "%.*s", (int)strlen(where) - 1, where);
	return fail_at(l, s, key);
}

/* --- doors ----------------------------------------------------------------------------------- */

static int
load_listen(struct load *l, const config_setting_t *s, void *at, const char *where)
{
	const struct conf_from from = { &l->c->arena, l->dir, l->dump };
	struct conf_listen *d = at;
	char key[96];

	set_defaults(l, conf_listen_options, d);
	if (s == NULL)
		return 0;
	if (load_group(l, s, conf_listen_options, "", where, d))
		return -1;
	if (conf_listen_finish(&from, d, l->e) == 0 &&
	    conf_listen_check_new(l->c->listen, d, l->e) == 0)
		return 0;
	snprintf(key, sizeof key, "%.*s", (int)strlen(where) - 1, where);
	return fail_at(l, s, key);
}

/* --- lists and the root ---------------------------------------------------------------------- */

typedef int load_one(struct load *l, const config_setting_t *s, void *at, const char *where);

/* A list of groups, or without one a single group of defaults. Gives the array in the arena. */
static int
load_list(struct load *l, const config_setting_t *list, const char *name, size_t size,
    load_one *one, void **array, int *n_array)
{
	int n = list ? config_setting_length(list) : 1;
	char where[64];

	if (list && config_setting_type(list) != CONFIG_TYPE_LIST) {
		err_set(l->e, "must be a list of groups: ( { ... }, { ... } )");
		return fail_at(l, list, name);
	}
	if (n == 0 || n > 64) {
		err_set(l->e, n ? "more than 64 entries" : "must not be empty");
		return fail_at(l, list, name);
	}
	*array = arena_zalloc(&l->c->arena, (size_t)n * size);
	for (int i = 0; i < n; i++) {
		const config_setting_t *s =
		    list ? config_setting_get_elem(list, (unsigned)i) : NULL;

		snprintf(where, sizeof where, "%s.[%d].", name, i);
		if (s && config_setting_type(s) != CONFIG_TYPE_GROUP) {
			err_set(l->e, "must be a group: { key = value; }");
			return fail_at(l, s, where);
		}
		if (one(l, s, (char *)*array + (size_t)i * size, where))
			return -1;
		*n_array = i + 1;
	}
	return 0;
}

static int
load_root_one(struct load *l, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	const struct opt *o = find_row(conf_options, "", name);

	if (strcmp(name, "listen") == 0 || strcmp(name, "robots") == 0)
		return 0;
	if (l->dump && strcmp(name, "sources") == 0)
		return conf_source_load(l->c, s, l->e);
	if (has_section(conf_options, name))
		return load_section(l, s, conf_options, name, l->c);
	if (o == NULL || strchr(name, '.'))
		fail_unknown(l, conf_options, "", name);
	else if (conf_value_set(o, l->c, &l->c->arena, s, l->dir, l->e) == 0)
		return note_source(l, s, name), 0;
	return fail_at(l, s, name);
}

static int
load_root(struct load *l, const config_setting_t *root)
{
	int n = root ? config_setting_length(root) : 0;

	set_defaults(l, conf_options, l->c);
	for (int i = 0; i < n; i++)
		if (load_root_one(l, config_setting_get_elem(root, (unsigned)i)))
			return -1;
	l->c->n_listen = l->c->n_robots = 0;
	l->c->listen = NULL;
	l->c->robots = NULL;
	if (load_list(l, root ? config_setting_get_member(root, "listen") : NULL, "listen",
		sizeof *l->c->listen, load_listen, (void **)&l->c->listen, &l->c->n_listen))
		return -1;
	if (load_list(l, root ? config_setting_get_member(root, "robots") : NULL, "robots",
		sizeof *l->c->robots, load_robot, (void **)&l->c->robots, &l->c->n_robots))
		return -1;
	return 0;
}

static struct conf *
conf_new(const char *origin)
{
	struct arena arena = { NULL };
	struct conf *c = arena_zalloc(&arena, sizeof *c);

	c->arena = arena;
	c->origin = arena_dup(&c->arena, origin);
	return c;
}

/* --- the three sources ----------------------------------------------------------------------- */

/* What the file says of other things on this machine. */
static int
check_file(struct load *l, const config_t *file, const char *path, mode_t bits)
{
	const char *user = l->c->user;

	for (int i = 0; i < l->c->n_robots; i++)
		if (conf_robot_is_secret(&l->c->robots[i]) && conf_scan_secret(path, bits, l->e))
			return -1;
	if (l->c->heartbeat_ms && l->c->heartbeat_ms < HEARTBEAT_MS) {
		err_set(l->e, "must be 0 or at least %d s", HEARTBEAT_MS / 1000);
		return fail_at(l, config_lookup(file, "timeouts.heartbeat"), "timeouts.heartbeat");
	}
	if (*user && geteuid() == 0 && getpwnam(user) == NULL) {
		err_set(l->e, "there is no user %s", user);
		return fail_at(l, config_lookup(file, "user"), "user");
	}
	return 0;
}

static int
load_file(struct load *l, const char *path)
{
	mode_t bits;
	config_t file;
	int bad;

	if (conf_scan(path, l->dir, &bits, l->e))
		return -1;
	config_init(&file);
	bad = conf_scan_parse(&file, l->full, path, l->dir, l->e) ||
	      load_root(l, config_root_setting(&file));
	bad = bad || check_file(l, &file, path, bits) ? -1 : 0;
	config_destroy(&file);
	return bad;
}

/* One that may not be read, or stands in a folder that may not be searched, is there. */
static bool
is_absent(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

struct conf *
conf_load_file(const char *path, bool optional, struct err *e)
{
	bool absent = path == NULL || (optional && is_absent(path));
	struct load l = { .c = conf_new(absent ? "built-in defaults" : path), .e = e };
	char *full = absent ? NULL : realpath(path, NULL);
	int bad;

	l.full = arena_dup(&l.c->arena, full ? full : "/");
	l.dir = arena_dup(&l.c->arena, full ? dirname(full) : "/");
	free(full);
	bad = absent ? load_root(&l, NULL) : load_file(&l, path);
	if (bad) {
		conf_free(l.c);
		return NULL;
	}
	return l.c;
}

struct conf *
conf_load_dump(const char *text, size_t n, struct err *e)
{
	struct load l = { .c = conf_new("dump"), .dir = "/", .dump = true, .e = e };
	char *copy = mem_ndup(text, n), *eol = strchr(copy, '\n');
	config_t file;
	int bad;

	/* The first line is a comment with the origin. */
	if (copy[0] == '#' && copy[1] == ' ' && eol)
		l.c->origin = arena_ndup(&l.c->arena, copy + 2, (size_t)(eol - copy - 2));
	config_init(&file);
	if (config_read_string(&file, copy) == CONFIG_FALSE)
		bad = err_set(e, "dump:%d: %s", config_error_line(&file), config_error_text(&file));
	else
		bad = load_root(&l, config_root_setting(&file));
	config_destroy(&file);
	explicit_bzero(copy, n);
	free(copy);
	if (bad) {
		conf_free(l.c);
		return NULL;
	}
	return l.c;
}

struct conf *
conf_load_memfd(int fd, struct err *e)
{
	struct stat st;
	struct conf *c;
	void *map;

	if (fstat(fd, &st) < 0 || st.st_size == 0) {
		err_set(e, "snapshot: empty");
		return NULL;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		err_errno(e, "snapshot: mmap");
		return NULL;
	}
	c = conf_load_dump(map, (size_t)st.st_size, e);
	munmap(map, (size_t)st.st_size);
	return c;
}
