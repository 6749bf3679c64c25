/* tty.c - see tty.h. Signals are read from a descriptor, so nothing happens between two events, and
 * no state is shared with a handler. */
#include "client/tty.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define PASTE_ON  "\x1b[?2004h"
#define PASTE_OFF "\x1b[?2004l"

bool
tty_is_able(int in, int out)
{
	const char *term = getenv("TERM");

	return isatty(in) && isatty(out) && term && *term && strcmp(term, "dumb") != 0;
}

bool
tty_has_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return no == NULL || *no == '\0';
}

static void
read_size(struct tty *t)
{
	struct winsize size;

	if (ioctl(t->out, TIOCGWINSZ, &size) < 0)
		return;
	t->columns = size.ws_col;
	t->rows = size.ws_row;
}

static int
enter(struct tty *t)
{
	struct termios raw;

	if (tcgetattr(t->in, &t->before) < 0)
		return -1;
	raw = t->before;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	/* What was typed before we came is kept. */
	if (tcsetattr(t->in, TCSADRAIN, &raw) < 0)
		return -1;
	(void)!write(t->out, PASTE_ON, sizeof PASTE_ON - 1);
	return 0;
}

static void
leave(struct tty *t)
{
	(void)!write(t->out, PASTE_OFF, sizeof PASTE_OFF - 1);
	(void)tcsetattr(t->in, TCSADRAIN, &t->before);
}

static void
signal_set(sigset_t *set)
{
	static const int ours[] = { SIGWINCH, SIGCONT, SIGTSTP, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(set, ours[i]);
}

int
tty_open(struct tty *t, int in, int out)
{
	sigset_t set;

	*t = (struct tty){ .in = in, .out = out };
	signal_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	read_size(t);
	if (t->signals >= 0 && enter(t) == 0)
		return 0;
	if (t->signals >= 0)
		close(t->signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return -1;
}

void
tty_close(struct tty *t)
{
	sigset_t set;

	leave(t);
	close(t->signals);
	signal_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

enum tty_signal
tty_signal(struct tty *t, int *number)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof info) != sizeof info)
		return TTY_NOTHING;
	read_size(t);
	switch (info.ssi_signo) {
	case SIGWINCH:
		return TTY_RESIZED;
	case SIGTSTP:
		return TTY_SUSPEND;
	case SIGCONT: /* after a stop that we did not see coming: whoever ran meanwhile may have */
		leave(t); /* changed the terminal */
		(void)enter(t);
		return TTY_RESUMED;
	default:
		*number = (int)info.ssi_signo;
		return TTY_ENDED;
	}
}

void
tty_suspend(struct tty *t)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t set;

	leave(t);
	signal(
	    SIGTSTP, SIG_IGN); /* of the others in our job; we take the one that is never missed */
	kill(0, SIGTSTP);
	raise(SIGSTOP);
	signal(SIGTSTP, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGTSTP);
	while (sigtimedwait(&set, NULL, &at_once) > 0)
		;
	read_size(t);
	(void)enter(t);
}

void
tty_die(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	exit(128 + number);
}
