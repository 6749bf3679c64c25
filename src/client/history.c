/* history.c - see history.h.
 * Each text is appended as it is said, so clients that run side by side all leave theirs and a
 * crash loses none. A file of more than twice HISTORY_LINES is written anew, beside and by rename,
 * when the next client starts. That it cannot be written is nothing to bother a chat with. */
#include "client/history.h"
#include "base/mem.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 1 << 17, FILE_BYTES = 64 << 20 };

char *
history_path(void)
{
	const char *own = getenv("XIAOTU_HISTORY"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char path[4096];

	if (own)
		return *own ? mem_dup(own) : NULL;
	if (state && *state == '/')
		snprintf(path, sizeof path, "%s/xiaotu/history", state);
	else if (home && *home == '/')
		snprintf(path, sizeof path, "%s/.local/state/xiaotu/history", home);
	else
		return NULL;
	return mem_dup(path);
}

/* A NUL-terminated line (gives). */
static char *
escape(const char *s, size_t n)
{
	char *line = mem_zalloc(2 * n + 1), *to = line;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' || s[i] == '\\')
			*to++ = '\\';
		*to++ = s[i] == '\n' ? 'n' : s[i];
	}
	return line;
}

static void
unescape(const char *line, struct buf *out)
{
	buf_cut(out, 0);
	for (; *line; line++) {
		char c = *line;

		if (c == '\\' && line[1])
			c = *++line == 'n' ? '\n' : *line;
		(void)buf_add(out, &c, 1);
	}
}

/* Takes the line. */
static void
append(struct history *h, char *line)
{
	if (h->n > 0 && strcmp(h->lines[h->n - 1], line) == 0) {
		free(line);
		return;
	}
	if (h->n == HISTORY_LINES) {
		free(h->lines[0]);
		memmove(h->lines, h->lines + 1, sizeof *h->lines * (HISTORY_LINES - 1));
		h->n--;
	}
	h->lines[h->n++] = line;
}

/* Every folder on the way to the file that is not there yet, for its owner alone. */
static void
make_folders(const char *path)
{
	char folder[4096];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) >= sizeof folder)
			return;
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
		(void)mkdir(folder, 0700);
	}
}

static void
write_all(struct history *h)
{
	char beside[4200];
	FILE *f;
	int fd;

	snprintf(beside, sizeof beside, "%s.XXXXXX", h->path);
	fd = mkostemp(beside, O_CLOEXEC); /* mode 0600 */
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		return;
	for (int i = 0; i < h->n; i++)
		fprintf(f, "%s\n", h->lines[i]);
	if (fclose(f) != 0 || rename(beside, h->path) != 0)
		unlink(beside);
}

void
history_open(struct history *h, char *path)
{
	char *line = NULL;
	size_t size = 0, sum = 0;
	int n_read = 0;
	ssize_t n;
	FILE *f;

	*h = (struct history){ .path = path };
	h->lines = mem_resize(NULL, HISTORY_LINES, sizeof *h->lines);
	f = path ? fopen(path, "re") : NULL;
	while (f && sum < FILE_BYTES && (n = getline(&line, &size, f)) > 0) {
		n -= line[n - 1] == '\n';
		sum += (size_t)n;
		n_read++;
		if (n > 0 && n < LINE_BYTES && text_is_utf8(line, (size_t)n))
			append(h, mem_ndup(line, (size_t)n));
	}
	free(line);
	if (f)
		fclose(f);
	h->at = h->n;
	if (n_read > 2 * HISTORY_LINES)
		write_all(h);
}

void
history_release(struct history *h)
{
	for (int i = 0; i < h->n; i++)
		free(h->lines[i]);
	free(h->lines);
	free(h->draft);
	free(h->path);
	*h = (struct history){ 0 };
}

static void
write_line(const struct history *h, const char *line)
{
	size_t n = strlen(line);
	char *whole = mem_ndup(line, n + 1);
	int fd = open(h->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		make_folders(h->path);
		fd = open(h->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	}
	whole[n] = '\n';
	if (fd >= 0) {
		(void)!write(fd, whole, n + 1); /* one write: lines stay whole */
		close(fd);
	}
	free(whole);
}

void
history_add(struct history *h, const char *s, size_t n)
{
	char *line;

	free(h->draft);
	h->draft = NULL;
	h->at = h->n;
	if (n == 0 || s[0] == ' ' || s[0] == '\t')
		return;
	line = escape(s, n);
	if (h->path && (h->n == 0 || strcmp(h->lines[h->n - 1], line) != 0))
		write_line(h, line);
	append(h, line);
	h->at = h->n;
}

/* What is being typed is not of the history: it can be come back to. */
static void
keep_draft(struct history *h, const char *now, size_t n)
{
	if (h->at < h->n)
		return;
	free(h->draft);
	h->draft = escape(now, n);
}

bool
history_find(struct history *h, const char *now, size_t n, struct buf *out)
{
	keep_draft(h, now, n);
	for (int i = h->at - 1; i >= 0; i--)
		if (strstr(h->lines[i], h->draft ? h->draft : "")) {
			h->at = i;
			unescape(h->lines[i], out);
			return true;
		}
	return false;
}

bool
history_move(struct history *h, int step, const char *now, size_t n, struct buf *out)
{
	int to = h->at + step;

	if (to < 0 || to > h->n)
		return false;
	keep_draft(h, now, n);
	h->at = to;
	unescape(to == h->n ? (h->draft ? h->draft : "") : h->lines[to], out);
	return true;
}
