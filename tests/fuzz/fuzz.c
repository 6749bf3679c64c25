/* fuzz.c - see fuzz.h. */
#include "fuzz/fuzz.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
is_cut(char c)
{
	return (unsigned char)c == FUZZ_CUT || (unsigned char)c == FUZZ_QUIET;
}

/* Hand a piece on in a block of its size. */
static void
hand_on(const char *s, size_t n, int quiet, fuzz_piece *piece, void *arg)
{
	char *copy = mem_zalloc(n);

	if (n)
		memcpy(copy, s, n);
	piece(arg, copy, n, quiet);
	free(copy);
}

static void
feed_whole(const char *s, size_t n, fuzz_piece *piece, void *arg)
{
	char *joined = mem_zalloc(n);
	size_t n_joined = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_cut(s[i]))
			joined[n_joined++] = s[i];
	hand_on(joined, n_joined, 0, piece, arg);
	free(joined);
}

void
fuzz_feed(const char *s, size_t n, enum fuzz_way way, fuzz_piece *piece, void *arg)
{
	size_t from = 0;

	if (way == FUZZ_WHOLE) {
		feed_whole(s, n, piece, arg);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (is_cut(s[i])) {
			if (way == FUZZ_AS_CUT)
				hand_on(s + from, i - from, (unsigned char)s[i] == FUZZ_QUIET,
				    piece, arg);
			from = i + 1;
		} else if (way == FUZZ_BY_BYTE) {
			hand_on(s + i, 1, 0, piece, arg);
		}
	}
	if (way == FUZZ_AS_CUT)
		hand_on(s + from, n - from, 0, piece, arg);
}

void
fuzz_fill(struct buf *in, const char **s, size_t *n)
{
	size_t room = in->limit - in->len, part = *n < room ? *n : room;

	FUZZ_CHECK(part > 0);
	FUZZ_CHECK(buf_add(in, *s, part) == 0);
	*s += part;
	*n -= part;
}

char *
fuzz_next(const char **s, size_t *n, size_t *n_text)
{
	size_t k = 0;
	char *text;

	if (*n == 0)
		return NULL;
	while (k < *n && !is_cut((*s)[k]))
		k++;
	text = mem_ndup(*s, k);
	*n_text = k;
	k += k < *n;
	*s += k;
	*n -= k;
	return text;
}

int
fuzz_has_odd_number(const char *s, size_t n)
{
	char before = ' ';

	for (size_t i = 0; i < n; i++) {
		if (strchr("-iI", s[i]) && s[i] && strchr("0123456789.-", before) && before)
			return 1;
		before = is_cut(s[i]) ? before : s[i];
	}
	return 0;
}

/* --- JSON ------------------------------------------------------------------------------------ */

enum { LEVELS = 64 };

static const char *
blanks(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
		s++;
	return s;
}

static const char *
digits(const char *s, const char *end)
{
	const char *from = s;

	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s > from ? s : NULL;
}

/* Each of these returns what is behind what it reads, or NULL: it is none. */
static const char *
number(const char *s, const char *end)
{
	s += *s == '-';
	if (s < end && *s == '0')
		s++;
	else if ((s = digits(s, end)) == NULL)
		return NULL;
	if (s < end && *s == '.' && (s = digits(s + 1, end)) == NULL)
		return NULL;
	if (s < end && (*s == 'e' || *s == 'E')) {
		s++;
		s = digits(s < end && (*s == '+' || *s == '-') ? s + 1 : s, end);
	}
	return s;
}

static const char *
string(const char *s, const char *end)
{
	if (s == end || *s++ != '"')
		return NULL;
	for (; s < end && *s != '"'; s++) {
		if ((unsigned char)*s < ' ')
			return NULL;
		if (*s != '\\')
			continue;
		if (++s == end || *s == '\0' || strchr("\"\\/bfnrtu", *s) == NULL)
			return NULL;
		for (int i = 0; *s == 'u' && i < 4; i++)
			if (end - s < 5 || !isxdigit((unsigned char)s[1 + i]))
				return NULL;
	}
	return s < end ? s + 1 : NULL;
}

static const char *value(const char *s, const char *end, int levels);

static const char *
members(const char *s, const char *end, int levels)
{
	char close = *s == '{' ? '}' : ']';

	s = blanks(s + 1, end);
	if (s < end && *s == close)
		return s + 1;
	while (s && s < end) {
		s = close == '}' ? string(blanks(s, end), end) : s;
		s = s && close == '}' ? blanks(s, end) : s;
		if (s == NULL || (close == '}' && (s == end || *s++ != ':')))
			return NULL;
		s = value(s, end, levels);
		if (s && s < end && *s == close)
			return s + 1;
		s = s && s < end && *s == ',' ? s + 1 : NULL;
	}
	return NULL;
}

static const char *
value(const char *s, const char *end, int levels)
{
	static const char *const words[] = { "true", "false", "null" };
	const char *behind = NULL;

	s = blanks(s, end);
	if (s == end || levels == 0)
		return NULL;
	if (*s == '{' || *s == '[')
		behind = members(s, end, levels - 1);
	else if (*s == '"')
		behind = string(s, end);
	else if (*s == '-' || (*s >= '0' && *s <= '9'))
		behind = number(s, end);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((size_t)(end - s) >= strlen(words[i]) && !memcmp(s, words[i], strlen(words[i])))
			behind = s + strlen(words[i]);
	return behind ? blanks(behind, end) : NULL;
}

int
fuzz_is_json(const char *s, size_t n)
{
	return text_is_utf8(s, n) && value(s, s + n, LEVELS) == s + n;
}

/* libconfig 1.5 forgets the text it was reading when it finds an error. In the program that is the
 * parsing child's, which ends then. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\nleak:libconfig_yyparse\n";
}

void
fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void
fuzz_check_clean(const char *file, int line, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t code = 0;
		int len = text_char(s + i, n - i, &code);

		if (len <= 0)
			fuzz_fail(file, line, "it is UTF-8");
		if (text_is_control(code))
			fuzz_fail(file, line, "it is free of control characters");
		i += (size_t)len;
	}
}

void
fuzz_check_same(const char *file, int line, const struct buf *a, const struct buf *b)
{
	const char *of_a = a->len ? buf_head(a) : "", *of_b = b->len ? buf_head(b) : "";

	if (a->len == b->len && memcmp(of_a, of_b, a->len) == 0)
		return;
	fprintf(stderr, "one way: %.*s\nthe other: %.*s\n", (int)a->len, of_a, (int)b->len, of_b);
	fuzz_fail(file, line, "both ways read the same");
}
