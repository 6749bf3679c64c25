/* ctl_top.c - see ctl_top.h. */
#include "ctl/ctl_top.h"

#include "base/lapse.h"
#include "base/text.h"
#include "base/width.h"
#include "ctl/ctl_show.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER      "\033[?1049h\033[?25l"
#define LEAVE      "\033[?25h\033[?1049l"
#define HOME       "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_REST "\033[J"

enum { ASK_MS = 2000, SCREEN_BYTES = 1 << 22, EVERY_MS = 1000, CTRL_C = 3 };

struct top {
	const char *path;
	int64_t messages, failures, at_ms; /* as they were last time; at_ms 0: never */
	struct buf text;
};

static volatile sig_atomic_t over;

/* --- what is shown --------------------------------------------------------------------------- */

/* NULL with the error. */
static struct json_object *
ask(struct top *t, const char *command, enum ctl_exit *exit, struct err *e)
{
	struct json_object *document = NULL;
	struct buf text;

	buf_init(&text, CTL_BYTES);
	*exit = ctl_ask(t->path, command, ASK_MS, &text, e);
	if (*exit == CTL_DONE) {
		document = json_read(buf_head(&text), text.len);
		if (document == NULL) {
			*exit = CTL_FAILED;
			err_set(e, "the answer cannot be read");
		}
	}
	buf_release(&text);
	return document;
}

static double
rate(int64_t now, int64_t before, int64_t ms)
{
	return ms > 0 ? (double)(now - before) * 1000.0 / (double)ms : 0.0;
}

static void
put_head(struct top *t, struct json_object *status)
{
	struct json_object *workers = json_object_member(status, "workers");
	struct json_object *latency = json_object_member(status, "message_duration_ms");
	int64_t messages = ctl_number(status, "messages"), at_ms = lapse_now_ms();
	int64_t failures = ctl_number(status, "failures"), ms = t->at_ms ? at_ms - t->at_ms : 0;
	size_t n_version, n_state, n;
	const char *version = json_text(status, "version", &n_version);
	const char *state = json_text(status, "state", &n_state);
	char age[32];

	ctl_age(ctl_number(status, "uptime_seconds"), age);
	(void)buf_addf(&t->text, "xiaotud %.*s, pid %" PRId64 ", %.*s for %s\n",
	    version ? (int)n_version : 0, version ? version : "", ctl_number(status, "pid"),
	    state ? (int)n_state : 0, state ? state : "", age);
	(void)buf_addf(&t->text,
	    "%" PRId64 " chats, %" PRId64 " of %" PRId64 " workers, %.1f messages/s, %.1f failed/s",
	    ctl_number(status, "chats"), ctl_number(workers, "ready"),
	    ctl_number(workers, "wanted"), rate(messages, t->messages, ms),
	    rate(failures, t->failures, ms));
	if (ctl_number(latency, "count")) {
		(void)buf_addf(&t->text, ", p50 %s ms", json_scalar(latency, "p50", &n));
		(void)buf_addf(&t->text, ", p99 %s ms", json_scalar(latency, "p99", &n));
	}
	(void)buf_adds(&t->text, "\n\n");
	t->messages = messages;
	t->failures = failures;
	t->at_ms = at_ms;
}

/* Fill t->text. */
static enum ctl_exit
look(struct top *t, struct err *e)
{
	static const char *const commands[] = { "status", "workers", "robots" };
	struct json_object *documents[3] = { NULL };
	enum ctl_exit exit = CTL_DONE;

	for (int i = 0; i < 3 && exit == CTL_DONE; i++)
		documents[i] = ask(t, commands[i], &exit, e);
	buf_cut(&t->text, 0);
	if (exit == CTL_DONE) {
		put_head(t, documents[0]);
		ctl_show_workers(documents[1], &t->text);
		(void)buf_adds(&t->text, "\n");
		ctl_show_robots(documents[2], &t->text);
	}
	for (int i = 0; i < 3; i++)
		json_drop(documents[i]);
	return exit;
}

/* --- the terminal ---------------------------------------------------------------------------- */

static void
on_signal(int number)
{
	over |= number != SIGWINCH;
}

static void
catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	struct sigaction act = { .sa_handler = on_signal }; /* poll is to be interrupted */

	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		(void)sigaction(caught[i], &act, NULL);
}

static void
write_all(const char *s, size_t n)
{
	while (n) {
		ssize_t put = write(STDOUT_FILENO, s, n);

		if (put <= 0 && over)
			return;
		if (put <= 0)
			continue;
		s += put;
		n -= (size_t)put;
	}
}

/* No line is longer than the terminal, and there are no more than it has: it never scrolls. */
static void
draw(const struct buf *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	const char *at = text->len ? buf_head(text) : "", *end = at + text->len;
	struct buf screen;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	/* Serial lines and the like say 0. */
	size.ws_row = size.ws_row ? size.ws_row : 24;
	size.ws_col = size.ws_col ? size.ws_col : 80;
	buf_init(&screen, SCREEN_BYTES);
	(void)buf_adds(&screen, HOME);
	for (int row = 0; at < end && row < size.ws_row; row++) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((eol ? eol : end) - at);

		(void)(buf_adds(&screen, row ? "\r\n" : "") ||
		       buf_add(&screen, at, width_cut(at, n, size.ws_col)) ||
		       buf_adds(&screen, ERASE_LINE));
		at += n + 1;
	}
	(void)buf_adds(&screen, ERASE_REST);
	write_all(buf_head(&screen), screen.len);
	buf_release(&screen);
}

/* Wait for a second, a key or another size of the window. Returns whether the user leaves. */
static bool
leaves(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char keys[64];
	ssize_t n;

	if (poll(&in, 1, EVERY_MS) <= 0)
		return over;
	n = read(STDIN_FILENO, keys, sizeof keys);
	for (ssize_t i = 0; i < n; i++)
		if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == CTRL_C)
			return true;
	return over || n <= 0;
}

static void
watch(struct top *t)
{
	struct termios before, raw;
	struct err e = { "" };

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG);
	catch_signals();
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	write_all(ENTER, strlen(ENTER));
	do {
		draw(&t->text);
		if (leaves())
			break;
		/* It may come again: an operator restarts it and looks on. */
		if (look(t, &e) != CTL_DONE) {
			t->at_ms = 0;
			(void)(buf_adds(&t->text, e.text) || buf_adds(&t->text, "\n"));
		}
	} while (!over);
	write_all(LEAVE, strlen(LEAVE));
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

enum ctl_exit
ctl_top(const char *path, struct err *e)
{
	struct top t = { .path = path };
	enum ctl_exit exit;

	buf_init(&t.text, SCREEN_BYTES);
	exit = look(&t, e);
	if (exit == CTL_DONE && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		watch(&t);
	else if (exit == CTL_DONE)
		write_all(buf_head(&t.text), t.text.len);
	buf_release(&t.text);
	return exit;
}
