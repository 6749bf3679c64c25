/* http1.c - see http1.h. A body is handed on where it lies; everything else is lines. */
#include "robot/http1.h"

#include <string.h>
#include <strings.h>

enum state { STATUS, HEADER, LENGTH, TO_END, SIZE, CHUNK, CHUNK_END, TRAILER, OVER, BROKEN };

enum { LINE_BYTES = 16384, LINES_BYTES = 65536, MOST_DIGITS = 18, MOST_HEX = 15 };

void
http1_init(struct http1 *h)
{
	*h = (struct http1){ .state = STATUS, .hints = HTTP_END_NONE };
	buf_init(&h->line, LINE_BYTES);
}

void
http1_release(struct http1 *h)
{
	buf_release(&h->line);
}

/* --- the head -------------------------------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum state
on_status(struct http1 *h, const char *s, size_t n)
{
	if (n < 12 || memcmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' ||
	    s[9] < '1' || s[9] > '9' || !is_digit(s[10]) || !is_digit(s[11]) ||
	    (n > 12 && s[12] != ' '))
		return BROKEN;
	h->one_zero = s[7] == '0';
	h->hints.status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	/* 101 changes the protocol, which nobody asked for. */
	return h->hints.status == 101 ? BROKEN : HEADER;
}

static bool
read_length(struct http1 *h, const char *s, size_t n)
{
	uint64_t value = 0;

	if (n == 0 || n > MOST_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s[i]))
			return false;
		value = value * 10 + (uint64_t)(s[i] - '0');
	}
	if (h->has_length && h->left != value)
		return false;
	h->has_length = true;
	h->left = value;
	return true;
}

static bool
is_word(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(s, word, n) == 0;
}

/* "keep-alive, close, upgrade" */
static void
read_connection(struct http1 *h, const char *s, size_t n)
{
	const char *end = s + n;

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s)), *next = comma ? comma : end;
		const char *word = s, *word_end = next;

		while (word < word_end && is_blank(*word))
			word++;
		while (word_end > word && is_blank(word_end[-1]))
			word_end--;
		h->says_close |= is_word(word, (size_t)(word_end - word), "close");
		h->says_keep |= is_word(word, (size_t)(word_end - word), "keep-alive");
		s = next + 1;
	}
}

static void
read_type(struct http1 *h, const char *s, size_t n)
{
	n = n < sizeof h->type ? n : sizeof h->type - 1;
	memcpy(h->type, s, n);
	h->type[n] = '\0';
}

/* Returns false: the reply cannot be read. */
static bool
on_field(struct http1 *h, const char *name, size_t n_name, const char *s, size_t n)
{
	switch (n_name) {
	case 10:
		if (is_word(name, n_name, "connection"))
			read_connection(h, s, n);
		break;
	case 12:
		if (is_word(name, n_name, "content-type"))
			read_type(h, s, n);
		break;
	case 14:
		if (is_word(name, n_name, "content-length"))
			return read_length(h, s, n);
		break;
	case 16:
		if (is_word(name, n_name, "content-encoding") && !is_word(s, n, "identity"))
			h->packed = h->packed == HTTP1_AS_IS &&
					    (is_word(s, n, "gzip") || is_word(s, n, "x-gzip"))
					? HTTP1_GZIP
					: HTTP1_UNKNOWN;
		break;
	case 17:
		if (is_word(name, n_name, "transfer-encoding")) {
			if (h->chunked || !is_word(s, n, "chunked"))
				return false;
			h->chunked = true;
		}
		break;
	default:
		break;
	}
	if (h->hints.status >= 400)
		http_end_hint(&h->hints, name, n_name, s, n);
	return true;
}

static enum state
after_head(struct http1 *h)
{
	long status = h->hints.status;

	if (status < 200) {
		struct http1 anew = { .line = h->line, .n_lines = h->n_lines, .state = STATUS };

		anew.hints = (struct http_end)HTTP_END_NONE;
		*h = anew;
		return STATUS;
	}
	h->n_lines = 0;
	if (status == 204 || status == 304)
		return OVER;
	if (h->chunked)
		return SIZE;
	if (h->has_length)
		return h->left ? LENGTH : OVER;
	return TO_END;
}

static enum state
on_header(struct http1 *h, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n), *value, *end = s + n;

	if (n == 0)
		return after_head(h);
	if (colon == NULL || colon == s || is_blank(*s) || is_blank(colon[-1]) ||
	    memchr(s, '\0', n))
		return BROKEN;
	for (value = colon + 1; value < end && is_blank(*value); value++)
		continue;
	while (end > value && is_blank(end[-1]))
		end--;
	return on_field(h, s, (size_t)(colon - s), value, (size_t)(end - value)) ? HEADER : BROKEN;
}

/* --- chunks ---------------------------------------------------------------------------------- */

static int
hex_of(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum state
on_size(struct http1 *h, const char *s, size_t n)
{
	size_t i = 0;

	h->left = 0;
	for (; i < n && hex_of(s[i]) >= 0; i++)
		h->left = h->left << 4 | (uint64_t)hex_of(s[i]);
	if (i == 0 || i > MOST_HEX || (i < n && s[i] != ';' && !is_blank(s[i])))
		return BROKEN;
	h->n_lines = 0;
	return h->left ? CHUNK : TRAILER;
}

/* --- lines ----------------------------------------------------------------------------------- */

static enum state
on_line(struct http1 *h, const char *s, size_t n)
{
	if (n && s[n - 1] == '\r')
		n--;
	switch ((enum state)h->state) {
	case STATUS:
		return on_status(h, s, n);
	case HEADER:
		return on_header(h, s, n);
	case SIZE:
		return on_size(h, s, n);
	case CHUNK_END:
		return n == 0 ? SIZE : BROKEN;
	case TRAILER:
		return n == 0 ? OVER : TRAILER;
	default:
		return BROKEN;
	}
}

/* Take one line. Returns false when it is not whole yet, or is too long. */
static bool
take_line(struct http1 *h, const char **at, const char *end)
{
	const char *s = *at, *nl = memchr(s, '\n', (size_t)(end - s));
	size_t n = (size_t)((nl ? nl + 1 : end) - s);

	*at += n;
	h->n_lines += (uint32_t)n;
	if (h->n_lines > LINES_BYTES || n > LINE_BYTES ||
	    ((nl == NULL || h->line.len) && buf_add(&h->line, s, n))) {
		h->state = BROKEN;
		return false;
	}
	if (nl == NULL)
		return false;
	if (h->line.len) {
		h->state = on_line(h, buf_head(&h->line), h->line.len - 1);
		buf_cut(&h->line, 0);
	} else {
		h->state = on_line(h, s, n - 1);
	}
	return true;
}

static enum http1_got
take_body(struct http1 *h, const char **at, const char *end, const char **body, size_t *n)
{
	*body = *at;
	*n = (size_t)(end - *at);
	if (h->state == TO_END) {
		*at = end;
		return HTTP1_BODY;
	}
	if (*n >= h->left) {
		*n = (size_t)h->left;
		h->state = h->state == CHUNK ? CHUNK_END : OVER;
	}
	h->left -= *n;
	*at += *n;
	return HTTP1_BODY;
}

enum http1_got
http1_next(struct http1 *h, const char **at, const char *end, const char **body, size_t *n)
{
	for (;;) {
		enum state was = (enum state)h->state;

		if (was == OVER)
			return HTTP1_END;
		if (was == BROKEN)
			return HTTP1_BROKEN;
		if (*at == end)
			return HTTP1_MORE;
		if (was == LENGTH || was == TO_END || was == CHUNK)
			return take_body(h, at, end, body, n);
		if (take_line(h, at, end) && was == HEADER && h->state != HEADER &&
		    h->state != STATUS && h->state != BROKEN)
			return HTTP1_HEAD;
	}
}

enum http1_got
http1_close(struct http1 *h)
{
	return h->state == TO_END || h->state == OVER ? HTTP1_END : HTTP1_BROKEN;
}

bool
http1_keeps(const struct http1 *h)
{
	/* Length and chunks together: whoever sent that may mean something else by it. */
	if (h->state != OVER || h->says_close || (h->chunked && (h->has_length || h->one_zero)))
		return false;
	return !h->one_zero || h->says_keep;
}
