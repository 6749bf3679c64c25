/* terminal.c - see terminal.h.
 * tmux is a terminal that we did not write, and one that can be asked what it shows. There is no
 * event when it shows something else, so it is asked again and again until the deadline. */
#include "e2e/terminal.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/scene.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TERMINAL_MS = 15000, AGAIN_MS = 15, SCREEN_BYTES = 1 << 16 };

struct terminal {
	struct server *s;
	pid_t tmux;
	char screen[SCREEN_BYTES];
};

/* tmux does not always notice that a program has ended, so the shell around it tells. */
#define EXIT "[exit "

#define TMUX(...) ARGS("tmux", "-u", "-N", "-S", "$DIR/tmux", __VA_ARGS__)

bool
terminal_is_there(struct server *s)
{
	struct scene_done d = scene_run(s, NULL, ARGS("tmux", "-V"));
	bool found = d.status == 0;

	scene_free(&d);
	if (!found)
		printf("skipped: there is no tmux here\n");
	return found;
}

static _Noreturn void
become_tmux(const struct server *s)
{
	char tag[128], path[128];
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(tag, sizeof tag, "XIAOTU_TEST_FOLDER=%s", s->folder);
	snprintf(path, sizeof path, "%s/tmux", s->folder);
	if (putenv(tag) != 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(126);
	unsetenv("TMUX");
	unsetenv("NO_COLOR");
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("SHELL", "/bin/sh", 1);
	execlp("tmux", "tmux", "-u", "-S", path, "-f", "/dev/null", "-D", (char *)NULL);
	_exit(127);
}

static void
must(struct scene_done d, const char *what)
{
	if (d.status != 0)
		ck_abort_msg("tmux %s: status %d: %s%s", what, d.status, d.out, d.err);
	scene_free(&d);
}

/* Until tmux listens there is nobody to ask. */
static void
await_tmux(struct terminal *t)
{
	int64_t by_ms = lapse_now_ms() + TERMINAL_MS;
	struct scene_done d;
	int status;

	do {
		d = scene_run(t->s, NULL,
		    TMUX("set-option", "-g", "remain-on-exit", "on", ";", "set-option", "-g",
			"status", "off"));
		status = d.status;
		scene_free(&d);
		if (status != 0)
			(void)poll(NULL, 0, AGAIN_MS);
	} while (status != 0 && lapse_now_ms() < by_ms);
	ck_assert_msg(status == 0, "tmux does not come up");
}

/* $ADDR and $DIR in words of a command. */
static void
expand_words(const struct server *s, const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from; from++) {
		bool address = strncmp(from, "$ADDR", 5) == 0;
		bool folder = strncmp(from, "$DIR", 4) == 0;

		if (address || folder) {
			n += (size_t)snprintf(
			    to + n, size - n, "%s", address ? s->address : s->folder);
			from += address ? 4 : 3;
		} else {
			n += (size_t)snprintf(to + n, size - n, "%c", *from);
		}
		ck_assert_uint_lt(n, size);
	}
}

struct terminal *
terminal_open(struct server *s, int columns, int rows, const char *env, const char *args)
{
	struct terminal *t = mem_zalloc(sizeof *t);
	char command[512], wanted[512], x[8], y[8];

	t->s = s;
	t->tmux = fork();
	ck_assert_int_ge(t->tmux, 0);
	if (t->tmux == 0)
		become_tmux(s);
	await_tmux(t);
	snprintf(wanted, sizeof wanted,
	    "env LC_ALL=zh_CN.UTF-8 XIAOTU_HISTORY=$DIR/history %s %s %s; echo \"" EXIT "$?]\"",
	    env, server_program("xiaotu"), args);
	expand_words(s, wanted, command, sizeof command);
	snprintf(x, sizeof x, "%d", columns);
	snprintf(y, sizeof y, "%d", rows);
	must(scene_run(s, NULL, TMUX("new-session", "-d", "-x", x, "-y", y, "-s", "t", command)),
	    "new-session");
	return t;
}

void
terminal_close(struct terminal *t)
{
	must(scene_run(t->s, NULL, TMUX("kill-server")), "kill-server");
	ck_assert_int_eq(waitpid(t->tmux, NULL, 0), t->tmux);
	free(t);
}

/* --- in -------------------------------------------------------------------------------------- */

void
terminal_type(struct terminal *t, const char *text)
{
	must(scene_run(t->s, NULL, TMUX("send-keys", "-l", "--", text)), "send-keys");
}

void
terminal_key(struct terminal *t, const char *key)
{
	must(scene_run(t->s, NULL, TMUX("send-keys", key)), "send-keys");
}

void
terminal_paste(struct terminal *t, const char *text)
{
	must(scene_run(t->s, text, TMUX("load-buffer", "-")), "load-buffer");
	must(scene_run(t->s, NULL, TMUX("paste-buffer", "-p", "-r")), "paste-buffer");
}

void
terminal_resize(struct terminal *t, int columns, int rows)
{
	char x[8], y[8];

	snprintf(x, sizeof x, "%d", columns);
	snprintf(y, sizeof y, "%d", rows);
	must(scene_run(t->s, NULL, TMUX("resize-window", "-x", x, "-y", y)), "resize-window");
}

/* --- out ------------------------------------------------------------------------------------- */

/* "2026-11-23 12:00:00" -> "TIME". */
static void
mask_times(char *s)
{
	static const char shape[] = "dddd-dd-dd dd:dd:dd";

	for (; *s; s++) {
		size_t i = 0;

		while (shape[i] &&
		       (shape[i] == 'd' ? isdigit((unsigned char)s[i]) != 0 : s[i] == shape[i]))
			i++;
		if (shape[i])
			continue;
		memcpy(s, "TIME", 4);
		memmove(s + 4, s + sizeof shape - 1, strlen(s + sizeof shape - 1) + 1);
	}
}

/* Blanks at the end of a row, and empty rows at the end. */
static void
trim_rows(char *s)
{
	char *to = s, *kept = s;

	for (const char *from = s; *from; from++) {
		if (*from == '\n')
			to = kept;
		*to++ = *from;
		if (*from != ' ')
			kept = to;
	}
	*to = '\0';
	while (to > s + 1 && to[-1] == '\n' && to[-2] == '\n')
		*--to = '\0';
}

const char *
terminal_look(struct terminal *t, bool colours)
{
	struct scene_done d = colours ? scene_run(t->s, NULL, TMUX("capture-pane", "-p", "-e"))
				      : scene_run(t->s, NULL, TMUX("capture-pane", "-p"));

	ck_assert_msg(d.status == 0, "capture-pane: %s", d.err);
	snprintf(t->screen, sizeof t->screen, "%s", d.out);
	scene_free(&d);
	mask_times(t->screen);
	trim_rows(t->screen);
	return t->screen;
}

/* One of tmux's variables, as a number. */
static long
ask(struct terminal *t, const char *format)
{
	struct scene_done d = scene_run(t->s, NULL, TMUX("display-message", "-p", format));
	long number = d.status == 0 && *d.out && *d.out != '\n' ? strtol(d.out, NULL, 10) : -1;

	scene_free(&d);
	return number;
}

static void
expect(struct terminal *t, const char *text, bool there)
{
	int64_t by_ms = lapse_now_ms() + TERMINAL_MS;

	while ((strstr(terminal_look(t, false), text) != NULL) != there) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("%s \"%s\" on the screen:\n%s", there ? "no" : "still", text,
			    t->screen);
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

void
terminal_expect(struct terminal *t, const char *text)
{
	expect(t, text, true);
}

void
terminal_expect_no(struct terminal *t, const char *text)
{
	expect(t, text, false);
}

void
terminal_expect_screen(struct terminal *t, const char *rows, int column, int row)
{
	int64_t by_ms = lapse_now_ms() + TERMINAL_MS;

	while (strcmp(terminal_look(t, false), rows) != 0 || ask(t, "#{cursor_x}") != column ||
	       ask(t, "#{cursor_y}") != row) {
		if (lapse_now_ms() > by_ms)
			ck_abort_msg("wanted, with the cursor at %d,%d:\n%s\nto be seen, at "
				     "%ld,%ld:\n%s",
			    column, row, rows, ask(t, "#{cursor_x}"), ask(t, "#{cursor_y}"),
			    t->screen);
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

int
terminal_wait_exit(struct terminal *t)
{
	int status = -1;

	terminal_expect(t, EXIT);
	(void)sscanf(strstr(t->screen, EXIT), EXIT "%d]", &status);
	return status;
}

pid_t
terminal_pid(struct terminal *t)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", ask(t, "#{pane_pid}"),
	    ask(t, "#{pane_pid}"));
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}
