/* conf_robot.c - see conf_robot.h. */
#include "conf/conf_robot.h"

#include "base/json.h"
#include "base/mem.h"
#include "conf/conf_opt.h"
#include "conf/conf_robot_file.h"
#include "conf/conf_rules.h"
#include "conf/conf_scan.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 64, SECRET_BYTES = 16 };

/* --- keys ------------------------------------------------------------------------------------ */

/* One key a line. Returns how many, -1: too many. */
static int
take_keys(const struct conf_from *from, char *text, struct conf_texts *keys)
{
	char *rest = text, *line;

	keys->at = arena_zalloc(from->arena, MOST_KEYS * sizeof *keys->at);
	keys->n = 0;
	while ((line = strsep(&rest, "\r\n")))
		if (*line && keys->n == MOST_KEYS)
			return -1;
		else if (*line)
			keys->at[keys->n++] = arena_dup(from->arena, line);
	return keys->n;
}

static int
read_key_file(const struct conf_from *from, struct conf_robot *r, struct err *e)
{
	struct stat st;
	size_t n;
	char *text = conf_scan_read(r->api_key_file, &n, &st, e);
	int found, bad;

	if (text == NULL)
		return -1;
	bad = conf_scan_secret(r->api_key_file, st.st_mode, e);
	found = bad ? 0 : take_keys(from, text, &r->api_key);
	explicit_bzero(text, n);
	free(text);
	if (bad)
		return -1;
	return found > 0 ? 0
			 : err_set(e, "%s: holds %s", r->api_key_file,
			       found ? "more than 64 keys" : "no key");
}

static int
read_key_env(const struct conf_from *from, struct conf_robot *r, struct err *e)
{
	const char *value = getenv(r->api_key_env);

	if (value == NULL || *value == '\0')
		return err_set(e, "the environment has no %s", r->api_key_env);
	if (take_keys(from, arena_dup(from->arena, value), &r->api_key) > 0)
		return 0;
	return err_set(
	    e, "%s holds %s", r->api_key_env, r->api_key.n ? "more than 64 keys" : "no key");
}

/* Keys go into a header or a body as they are, so no control character may be in one. */
static int
check_keys(const struct conf_robot *r, struct err *e)
{
	for (int i = 0; i < r->api_key.n; i++)
		for (const char *p = r->api_key.at[i]; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7F)
				return err_set(e, "holds a control character");
	return 0;
}

static int
read_keys(const struct conf_from *from, struct conf_robot *r, struct err *e)
{
	int places = (r->api_key.n > 0) + (*r->api_key_file != '\0') + (*r->api_key_env != '\0');

	if (from->dump)
		return 0;
	if (places > 1)
		return err_set(
		    e, "api_key: only one of api_key, api_key_file and api_key_env can count");
	if (*r->api_key_file && (read_key_file(from, r, e) || check_keys(r, e)))
		return err_add(e, "api_key_file");
	if (*r->api_key_env && (read_key_env(from, r, e) || check_keys(r, e)))
		return err_add(e, "api_key_env");
	return 0;
}

bool
conf_robot_is_secret(const struct conf_robot *r)
{
	return *r->secret || (r->api_key.n && *r->api_key_file == '\0' && *r->api_key_env == '\0');
}

/* --- certificates ---------------------------------------------------------------------------- */

static int
read_ca(const struct conf_from *from, struct conf_robot *r, struct err *e)
{
	char *bytes;
	size_t n;

	if (from->dump || *r->ca_file == '\0')
		return 0;
	bytes = conf_scan_read(r->ca_file, &n, NULL, e);
	if (bytes == NULL)
		return -1;
	if (strlen(bytes) != n || strstr(bytes, "-----BEGIN ") == NULL) {
		free(bytes);
		return err_set(e, "%s: holds no certificate (PEM)", r->ca_file);
	}
	r->ca = arena_dup(from->arena, bytes);
	free(bytes);
	return 0;
}

/* --- rules ----------------------------------------------------------------------------------- */

/* What a rule file includes is found from the folder it is in. */
static int
read_rules(const char *path, config_t *file, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = mem_ndup(path, slash > path ? (size_t)(slash - path) : 1);
	mode_t bits;
	int bad = conf_scan(path, dir, &bits, e) || conf_scan_parse(file, path, path, dir, e);

	free(dir);
	return bad ? -1 : 0;
}

/* Rules come from the dump itself, from the robot's file, or from the program. */
static int
load_rules(const struct conf_from *from, const config_setting_t *group, struct conf_robot *r,
    struct err *e)
{
	config_t file;

	if (from->dump)
		return group == NULL ? 0 : conf_rules_read(group, false, from->arena, &r->rules, e);
	config_init(&file);
	if (*r->file && read_rules(r->file, &file, e))
		goto fail;
	if (*r->file == '\0' && config_read_string(&file, conf_robot_file) == CONFIG_FALSE) {
		err_set(
		    e, "built-in rules:%d: %s", config_error_line(&file), config_error_text(&file));
		goto fail;
	}
	if (conf_rules_read(config_root_setting(&file), true, from->arena, &r->rules, e)) {
		if (*r->file == '\0')
			err_add(e, "built-in rules");
		goto fail;
	}
	config_destroy(&file);
	return 0;
fail:
	config_destroy(&file);
	return -1;
}

/* --- the rest -------------------------------------------------------------------------------- */

/* The part between :// and the path. A name and password there would be shown by -T. */
static int
check_host(const char *url, struct err *e)
{
	const char *host = strstr(url, "://") + 3, *end = host + strcspn(host, "/?#"), *port = end;

	if (memchr(host, '@', (size_t)(end - host)))
		return err_set(e, "url: must hold no name and password; keys go into api_key");
	while (port > host && port[-1] >= '0' && port[-1] <= '9')
		port--;
	if (end == host)
		return err_set(e, "url: has no host");
	if (port > host && port[-1] == ':' &&
	    (end - port < 1 || end - port > 5 || strtol(port, NULL, 10) > 65535))
		return err_set(e, "url: the port must be 1 to 65535");
	return 0;
}

static int
check_url(const struct conf_robot *r, struct err *e)
{
	if (*r->url && strncmp(r->url, "http://", 7) != 0 && strncmp(r->url, "https://", 8) != 0)
		return err_set(e, "url: must begin with http:// or https://");
	for (const char *p = r->url; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7F)
			return err_set(e, "url: holds a blank or a control character");
	return *r->url ? check_host(r->url, e) : 0;
}

/* Members that a request may have anyway (robot/api_*.c). */
static const char *const members[] = { "model", "messages", "stream", "stream_options",
	"max_tokens", "max_completion_tokens", "options", "system", NULL };

static bool
is_sent(const struct conf_robot *r, const char *member)
{
	if (strcmp(member, "messages") == 0 || strcmp(member, "stream") == 0)
		return true;
	if (strcmp(member, "model") == 0)
		return *r->model != '\0';
	if (strcmp(member, "options") == 0)
		return r->kind == CONF_OLLAMA && r->max_tokens;
	if (strcmp(member, "system") == 0)
		return r->kind == CONF_ANTHROPIC && *r->system;
	if (strcmp(member, "stream_options") == 0)
		return r->kind == CONF_OPENAI && r->stream && r->stream_usage;
	if (r->kind == CONF_ANTHROPIC)
		return strcmp(member, "max_tokens") == 0;
	return r->kind == CONF_OPENAI && r->max_tokens;
}

/* Of two members of one name servers take either. */
static int
check_extra(const struct conf_robot *r, struct err *e)
{
	size_t n = strlen(r->extra);
	struct json_object *o = n ? json_read(r->extra, n) : NULL;
	int bad = 0;

	if (n && !(json_is_object(o) && r->extra[0] == '{' && r->extra[n - 1] == '}'))
		bad = err_set(e, "extra: must be a JSON object: {\"temperature\":0.7}");
	for (const char *const *m = members; *m && o && !bad; m++)
		if (json_has(o, *m) && is_sent(r, *m))
			bad = err_set(e, "extra: %s is sent anyway", *m);
	json_drop(o);
	return bad;
}

static int
check_model(const struct conf_robot *r, struct err *e)
{
	/* Servers with one model alone do not mind; a vendor does. */
	if ((r->kind == CONF_OLLAMA || r->kind == CONF_ANTHROPIC ||
		(r->kind == CONF_OPENAI && *r->url == '\0')) &&
	    *r->model == '\0')
		return err_set(e, "model: is missing");
	if ((r->kind == CONF_OPENAI || r->kind == CONF_ANTHROPIC) && *r->url == '\0' &&
	    r->api_key.n == 0)
		return err_set(e, "api_key: the vendor's server needs api_key, api_key_file or "
				  "api_key_env; for one of your own set url");
	return 0;
}

static int
check_turing(const struct conf_robot *r, struct err *e)
{
	size_t n = strlen(r->secret);

	if (r->kind != CONF_TURING && r->kind != CONF_TURING2)
		return n ? err_set(e, "secret: is for types turing and turing2") : 0;
	if (r->api_key.n == 0)
		return err_set(e, "api_key: type %s needs api_key, api_key_file or api_key_env",
		    r->kind == CONF_TURING ? "turing" : "turing2");
	return n && n != SECRET_BYTES ? err_set(e, "secret: must have %d characters", SECRET_BYTES)
				      : 0;
}

static const char *
kind_word(const struct conf_robot *r)
{
	const struct opt *o = conf_robot_options;

	while (strcmp(o->path, "type") != 0)
		o++;
	return o->words[r->kind];
}

int
conf_robot_finish(
    const struct conf_from *from, const config_setting_t *s, struct conf_robot *r, struct err *e)
{
	if (*r->name == '\0')
		r->name = kind_word(r);
	if (check_url(r, e) || read_keys(from, r, e) || check_turing(r, e) || check_model(r, e) ||
	    check_extra(r, e))
		return -1;
	if (read_ca(from, r, e))
		return err_add(e, "ca_file");
	if (r->kind == CONF_RULES && load_rules(from, s, r, e))
		return err_add(e, "file");
	return 0;
}
