/* link.h - one chat with a server: connect, find the dialect, ask, get the answer.
 * For:     the terminal client.     Callers: client/term.c, prog/client.c; one thread.
 * Holds:   every text handed out is clean UTF-8 (base/text.h), so that nothing a server sends can
 *          drive a terminal. Speaks `json` to a server whose greeting ends in a newline, which is
 *          xiaotud; to any other, and when told to, `raw`, the way of the tutorial's programs.
 * Memory:  link_open() and link_start() give a link, freed by link_close(). Answers go into the
 *          caller's buffer. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sock.h"

#include <stdbool.h>

enum { LINK_PORT = 9999, LINK_NAME_BYTES = 64, LINK_ANSWER_BYTES = 16 << 20 };

enum link_result {
	LINK_ANSWER,  /* the text is the answer */
	LINK_FAILED,  /* the text is "ERR CODE SENTENCE"; the chat goes on */
	LINK_BYE,     /* the server leaves; the text is "BYE REASON SENTENCE" */
	LINK_GONE,    /* the stream ended without a word */
	LINK_TIMEOUT, /* no answer in time */
	LINK_NOTHING, /* link_look() only: nothing that concerns anybody */
};

struct link_place {
	enum sock_kind kind; /* SOCK_TCP or SOCK_UNIX */
	char host[256];      /* a name or a numeric address; the path of a Unix socket */
	int port;
};

struct link_options {
	const char *user; /* keeps */
	int answer_ms;    /* how long an answer may take */
	bool raw;         /* never json */
};

struct link;

/* "HOST", "HOST:PORT", "[::1]:9999", "::1", "/path", "unix:/path". Returns 0 or -1. */
int link_place_parse(struct link_place *p, const char *text, struct err *e);

/* May this be the name of a user? At most LINK_NAME_BYTES of UTF-8, nothing that would be read as
 * the end of a name. Returns 0 or -1. */
int link_name_check(const char *name, struct err *e);

/* Resolve, connect, read the greeting (blocks). Returns the link, or NULL: no connection. */
struct link *link_open(const struct link_place *p, const struct link_options *o, struct err *e);
/* The same on a connected, non-blocking descriptor (takes). */
struct link *link_start(int fd, const struct link_options *o);
/* Say goodbye, if the dialect has a word for it, and close. NULL is fine. */
void link_close(struct link *l);

/* The greeting (borrow it), which may be empty. */
const struct buf *link_greeting(const struct link *l);
/* For poll(2); readable when the server said something unasked: call link_look(). */
int link_fd(const struct link *l);

/* Send n bytes of text as one message and wait for its answer (blocks). `answer` is emptied first.
 */
enum link_result link_ask(struct link *l, const char *text, size_t n, struct buf *answer);
/* What did the server say unasked? Never blocks. `text` is emptied first. */
enum link_result link_look(struct link *l, struct buf *text);

#endif
