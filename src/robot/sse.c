/* sse.c - see sse.h. */
#include "robot/sse.h"

#include <string.h>

void
sse_init(struct sse *s, uint32_t limit,
    void (*on_event)(void *arg, bool is_error, const char *data, size_t n), void *arg)
{
	*s = (struct sse){ .on_event = on_event, .arg = arg };
	buf_init(&s->line, limit);
	buf_init(&s->data, limit);
}

void
sse_release(struct sse *s)
{
	buf_release(&s->line);
	buf_release(&s->data);
}

static void
dispatch(struct sse *s, bool is_error)
{
	bool has_data = s->has_data;

	s->has_data = false;
	s->dispatched = s->dispatched || has_data;
	if (has_data && !s->stopped)
		s->on_event(s->arg, is_error, s->data.len ? buf_head(&s->data) : "", s->data.len);
	buf_eat(&s->data, s->data.len);
}

static int
add_data(struct sse *s, const char *value, size_t n)
{
	if (s->has_data && buf_adds(&s->data, "\n"))
		return -1;
	s->has_data = true;
	return buf_add(&s->data, value, n);
}

/* The value of the line if its field is `name`: NULL when it is another one. */
static const char *
field(const char *line, size_t n, const char *name, size_t *n_value)
{
	size_t n_name = strlen(name);

	if (n < n_name || memcmp(line, name, n_name) != 0 || (n > n_name && line[n_name] != ':'))
		return NULL;
	line += n_name;
	n -= n_name;
	for (int i = 0; i < 2 && n && *line == ": "[i]; i++) {
		line++;
		n--;
	}
	*n_value = n;
	return line;
}

static int
take_line(struct sse *s, const char *line, size_t n)
{
	const char *value;
	size_t n_value;
	int bad;

	if (n == 0) {
		dispatch(s, false);
		return 0;
	}
	if ((value = field(line, n, "data", &n_value)) != NULL)
		return add_data(s, value, n_value);
	if ((value = field(line, n, "error", &n_value)) == NULL)
		return 0;
	dispatch(s, false);
	bad = add_data(s, value, n_value);
	dispatch(s, true);
	return bad;
}

/* A line whole in the bytes is not copied. */
static int
end_line(struct sse *s, const char *bytes, size_t n)
{
	int bad;

	if (s->line.len == 0)
		return take_line(s, bytes, n);
	if (buf_add(&s->line, bytes, n))
		return -1;
	bad = take_line(s, buf_head(&s->line), s->line.len);
	buf_eat(&s->line, s->line.len);
	return bad;
}

int
sse_feed(struct sse *s, const char *bytes, size_t n)
{
	size_t start = 0;

	for (size_t i = 0; i < n && !s->stopped; i++) {
		bool after_cr = s->skip_lf && bytes[i] == '\n';

		s->skip_lf = false;
		if (after_cr) {
			start = i + 1;
		} else if (bytes[i] == '\n' || bytes[i] == '\r') {
			s->skip_lf = bytes[i] == '\r';
			if (end_line(s, bytes + start, i - start))
				return -1;
			start = i + 1;
		}
	}
	return s->stopped ? 0 : buf_add(&s->line, bytes + start, n - start);
}

void
sse_end(struct sse *s)
{
	if (s->line.len && !s->stopped)
		(void)take_line(s, buf_head(&s->line), s->line.len);
	dispatch(s, false);
}

void
sse_stop(struct sse *s)
{
	s->stopped = true;
}
