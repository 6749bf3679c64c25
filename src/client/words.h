/* words.h - what the client itself says, in Chinese and in English.
 * For:     the terminal client.     Callers: client/, prog/client.c.
 * Memory:  none; the texts are constants. */
#ifndef CLIENT_WORDS_H
#define CLIENT_WORDS_H

enum words_language { WORDS_ZH, WORDS_EN };

struct words {
	/* The tutorial's. */
	const char *first_prompt, *prompt, *heading, *closed;
	/* What went wrong. */
	const char *gone, *mute, *late, *too_long, *unwritten;
	/* A chat on a terminal. */
	const char *thinking, *cancelled, *how_to_leave;
	const char *again, *gone_again, *connecting, *connected, *resend;
};

/* From LC_ALL, LC_MESSAGES, LANG, the first that is set: English only when that names a language
 * that is not Chinese; C and POSIX name none. */
enum words_language words_language(void);
const struct words *words_get(void);

#endif
