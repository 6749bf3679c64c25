/* tty.h - the terminal as a device: raw mode, its size, signals.
 * For:     a chat on a terminal.     Callers: client/chat.c, prog/client.c.
 * Holds:   between tty_open() and tty_close() keys come as bytes, one by one and not shown, pastes
 *          in brackets, and signals come as events. Whatever ends the chat must call tty_close().
 * Memory:  embedded; descriptors are borrowed. */
#ifndef CLIENT_TTY_H
#define CLIENT_TTY_H

#include <stdbool.h>
#include <termios.h>

struct tty {
	int in, out;
	int signals; /* signalfd */
	int columns, rows;
	struct termios before;
};

enum tty_signal { TTY_NOTHING, TTY_RESIZED, TTY_RESUMED, TTY_SUSPEND, TTY_ENDED };

/* Is this a terminal on which lines can be edited? */
bool tty_is_able(int in, int out);
/* Is it to be coloured, too? Not with NO_COLOR (no-color.org). */
bool tty_has_colours(void);

/* Returns 0, or -1: the terminal will not. */
int tty_open(struct tty *t, int in, int out);
void tty_close(struct tty *t);
/* Read a signal; of TTY_ENDED *number says which. The size is then that of now. */
enum tty_signal tty_signal(struct tty *t, int *number);
/* Stop, as Ctrl-Z does elsewhere; returns when we go on. */
void tty_suspend(struct tty *t);
/* Die of the signal, after tty_close(). */
_Noreturn void tty_die(int number);

#endif
