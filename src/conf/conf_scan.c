/* conf_scan.c - see conf_scan.h. A lexer of just enough of libconfig's grammar: comments, strings,
 * names, numbers, brackets and @include lines. */
#include "conf/conf_scan.h"

#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 4 << 20, INCLUDES = 9, NESTING = 32, NAME_BYTES = 64 };

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*"

struct scan {
	const char *path, *dir, *at;
	int line, nesting, includes;
	bool line_begins;
	char name[NAME_BYTES]; /* the last name seen: the key of a number */
	mode_t *open_bits;
	const char *want; /* a setting at the top, NULL: none */
	char *found;      /* its text, size bytes */
	size_t size;
};

int
conf_scan_secret(const char *path, mode_t mode, struct err *e)
{
	if (!(mode & S_IRWXO))
		return 0;
	return err_set(e, "%s: holds a secret and others may read it (mode %04o): chmod o-rwx",
	    path, (unsigned)(mode & 07777));
}

char *
conf_scan_read(const char *path, size_t *n, struct stat *st, struct err *e)
{
	struct stat own = { .st_mode = 0 };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	ssize_t got = 0;

	st = st ? st : &own;
	if (fd < 0) {
		err_set(e, "%s: cannot be opened: %s%s", path, strerror(errno),
		    errno == EACCES ? " (EACCES)" : "");
		return NULL;
	}
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		err_set(e, "%s: is not a regular file", path);
		goto fail;
	}
	if (st->st_size > FILE_BYTES) {
		err_set(e, "%s: is larger than 4 MiB", path);
		goto fail;
	}
	text = mem_resize(NULL, (size_t)st->st_size + 1, 1);
	for (*n = 0; *n < (size_t)st->st_size; *n += (size_t)got) {
		got = read(fd, text + *n, (size_t)st->st_size - *n);
		if (got <= 0)
			break;
	}
	if (got < 0) {
		err_errno(e, "%s: cannot be read", path);
		goto fail;
	}
	text[*n] = '\0';
	close(fd);
	return text;
fail:
	free(text);
	close(fd);
	return NULL;
}

static int
complain(const struct scan *s, struct err *e, const char *what)
{
	return err_set(e, "%s:%d: %s", s->path, s->line, what);
}

/* Skip to the byte behind the comment that begins here. For libconfig the end of a file is no end
 * of a comment, and what it says then, "syntax error", helps nobody. */
static int
skip_comment(struct scan *s, struct err *e)
{
	bool block = s->at[0] == '/' && s->at[1] == '*';

	s->at += block ? 2 : 1;
	while (*s->at && (block ? strncmp(s->at, "*/", 2) != 0 : *s->at != '\n')) {
		s->line += *s->at == '\n';
		s->at++;
	}
	if (*s->at == '\0')
		return complain(
		    s, e, block ? "the comment does not end" : "a newline must end the comment");
	if (block)
		s->at += 2;
	return 0;
}

/* For libconfig a text ends at its first \x00, and the rest of a key is gone without a word. */
static int
take_string(struct scan *s, struct err *e)
{
	const char *begin = s->at + 1;

	for (s->at++; *s->at && *s->at != '"'; s->at++) {
		s->line += *s->at == '\n';
		if (strncmp(s->at, "\\x00", 4) == 0)
			return err_set(e, "%s:%d: %s: \\x00 in a text", s->path, s->line, s->name);
		if (*s->at == '\\' && s->at[1])
			s->at++;
	}
	if (s->want && s->nesting == 0 && strcmp(s->name, s->want) == 0)
		snprintf(s->found, s->size, "%.*s", (int)(s->at - begin), begin);
	if (*s->at)
		s->at++;
	return 0;
}

static void
take_name(struct scan *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s->at[n]) || (s->at[n] && strchr("-_*", s->at[n])))
		n++;
	snprintf(s->name, sizeof s->name, "%.*s", (int)n, s->at);
	s->at += n;
}

/* Does the literal fit the type libconfig gives it: 32 bits, or 64 with an L behind it? */
static bool
number_fits(const char *s, size_t n)
{
	bool wide = s[n - 1] == 'L', hex = n > 2 && (s[1] == 'x' || s[1] == 'X');
	char digits[40], *end;

	while (n && s[n - 1] == 'L')
		n--;
	if (n >= sizeof digits)
		return false;
	memcpy(digits, s, n);
	digits[n] = '\0';
	if (!hex && strpbrk(digits, ".eE"))
		return true;
	errno = 0;
	if (hex) {
		uint64_t v = strtoull(digits, &end, 16);

		return errno == 0 && (wide || v <= UINT32_MAX);
	}
	int64_t v = strtoll(digits, &end, 10);
	return errno == 0 && (wide || (v >= INT32_MIN && v <= INT32_MAX));
}

static int
take_number(struct scan *s, struct err *e)
{
	size_t n = strspn(s->at, "0123456789abcdefABCDEFxX.+-L");

	if (!number_fits(s->at, n))
		return err_set(e, "%s:%d: %s: the number %.*s is out of range", s->path, s->line,
		    s->name, n > 40 ? 40 : (int)n, s->at);
	s->at += n;
	return 0;
}

static int scan_file(struct scan *s, struct err *e);

static int
take_include(struct scan *s, struct err *e)
{
	const char *from = strchr(s->at, '"'), *to = from ? strchr(from + 1, '"') : NULL;
	const char *eol = s->at + strcspn(s->at, "\n");
	char path[4096];
	struct scan inner = *s;

	if (to == NULL || to > eol)
		return complain(s, e, "@include needs a file name in quotes");
	if (s->includes >= INCLUDES)
		return complain(s, e, "@include is nested too deep");
	snprintf(path, sizeof path, "%s%s%.*s", from[1] == '/' ? "" : s->dir,
	    from[1] == '/' ? "" : "/", (int)(to - from - 1), from + 1);
	inner.path = path;
	inner.includes++;
	if (scan_file(&inner, e))
		return err_add(e, "%s:%d: @include", s->path, s->line);
	s->at = to + 1;
	return 0;
}

static int
take_bracket(struct scan *s, struct err *e)
{
	s->nesting += strchr("({[", *s->at) ? 1 : -1;
	s->at++;
	return s->nesting > NESTING ? complain(s, e, "groups and lists are nested too deep") : 0;
}

static int
take_one(struct scan *s, struct err *e)
{
	unsigned char c = (unsigned char)*s->at;
	bool line_begins = s->line_begins;

	s->line_begins = c == '\n' || (line_begins && isblank(c));
	if (c == '#' || (c == '/' && (s->at[1] == '/' || s->at[1] == '*')))
		return skip_comment(s, e);
	else if (c == '"')
		return take_string(s, e);
	else if (line_begins && strncmp(s->at, "@include", 8) == 0)
		return take_include(s, e);
	else if (isalpha(c) || c == '*')
		take_name(s);
	else if (isdigit(c) || (strchr("+-", c) && isdigit((unsigned char)s->at[1])))
		return take_number(s, e);
	else if (strchr("(){}[]", c))
		return take_bracket(s, e);
	else {
		s->line += c == '\n';
		s->at++;
	}
	return 0;
}

static int
scan_file(struct scan *s, struct err *e)
{
	struct stat st;
	size_t n;
	char *text = conf_scan_read(s->path, &n, &st, e);
	int bad = 0;

	if (text == NULL)
		return -1;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		*s->open_bits |= S_IROTH;
	*s->open_bits |= st.st_mode;
	s->at = text;
	s->line = 1;
	s->line_begins = true;
	if (strlen(text) != n)
		bad = err_set(e, "%s: holds a NUL byte", s->path);
	while (!bad && *s->at)
		bad = take_one(s, e);
	free(text);
	return bad;
}

int
conf_scan(const char *path, const char *dir, mode_t *open_bits, struct err *e)
{
	struct scan s = { .path = path, .dir = dir, .open_bits = open_bits };

	*open_bits = 0;
	return scan_file(&s, e);
}

int
conf_scan_path(const char *path, const char *name, char *text, size_t size)
{
	char *copy = mem_dup(path);
	mode_t bits = 0;
	struct err e;
	struct scan s = { .path = path,
		.dir = dirname(copy),
		.open_bits = &bits,
		.want = name,
		.found = text,
		.size = size };

	*text = '\0';
	(void)scan_file(&s, &e);
	free(copy);
	return *text == '/' ? 0 : -1;
}

/* The next name of a setting from *at on, before `end`. Returns its length, 0: there is none. */
static size_t
next_name(const char **at, const char *end)
{
	while (*at < end) {
		size_t n = strspn(*at, NAME_CHARS), blanks;

		if (n == 0) {
			++*at;
			continue;
		}
		blanks = strspn(*at + n, " \t");
		if ((*at)[n + blanks] == '=' || (*at)[n + blanks] == ':')
			return n;
		*at += n;
	}
	return 0;
}

static bool
is_again(const char *name, size_t n, const char *at, const char *end)
{
	size_t m;

	for (; (m = next_name(&at, end)) > 0; at += m)
		if (m == n && memcmp(at, name, n) == 0)
			return true;
	return false;
}

/* The key that stands twice, as libconfig says of this line of the file: the one that the line
 * holds twice, else its first. Returns 0, or -1: it holds none. */
static int
find_twice(const char *path, int line, char *name, size_t size)
{
	struct err e;
	size_t n;
	char *text = conf_scan_read(path, &n, NULL, &e);
	const char *at = text, *end;

	while (at && --line > 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	*name = '\0';
	if (at) {
		end = strchrnul(at, '\n');
		for (; (n = next_name(&at, end)) > 0; at += n)
			if (*name == '\0' || is_again(at, n, at + n, end))
				snprintf(name, size, "%.*s", (int)n, at);
	}
	free(text);
	return *name ? 0 : -1;
}

/* --- libconfig ------------------------------------------------------------------------------- */

/* It says where, but of a key that is there twice not which. */
static int
fail_syntax(const config_t *file, const char *path, const char *name, struct err *e)
{
	const char *what = config_error_text(file), *where = config_error_file(file);
	int line = config_error_line(file);
	char key[NAME_BYTES];

	if (line == 0)
		return err_set(e, "%s", what);
	where = where ? where : path;
	name = strcmp(where, path) == 0 ? name : where;
	if (strstr(what, "duplicate") && find_twice(where, line, key, sizeof key) == 0)
		return err_set(e, "%s:%d: %s: is there twice", name, line, key);
	return err_set(e, "%s:%d: %s", name, line, what);
}

int
conf_scan_parse(config_t *file, const char *path, const char *name, const char *dir, struct err *e)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), bad = 0;

	if (here < 0 || chdir(dir) < 0)
		bad = err_errno(e, "%s", here < 0 ? "." : dir);
	else if (config_read_file(file, path) == CONFIG_FALSE)
		bad = fail_syntax(file, path, name, e);
	if (here < 0)
		return bad;
	if (fchdir(here) < 0)
		bad = err_errno(e, "back from %s", dir);
	close(here);
	return bad;
}
