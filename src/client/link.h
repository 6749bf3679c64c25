/* link.h - one chat with a server: connect, find the dialect, ask, hear the answer.
 * For:     the terminal client.     Callers: client/term.c, client/chat.c; one thread at a time.
 * Holds:   every text handed out is clean UTF-8. Speaks `json` to a server whose greeting ends in a
 *          newline, which is xiaotud; to any other, and when told to, `raw`, the way of the
 *          tutorial's programs, in which an answer ends when it has been quiet for a while.
 * Memory:  link_open() and link_start() give a link, freed by link_close(). Texts go into the
 *          caller's buffers. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sock.h"
#include "client/hear.h"

#include <stdbool.h>

enum { LINK_PORT = 9999, LINK_NAME_BYTES = 64, LINK_ANSWER_BYTES = 16 << 20 };

struct link_place {
	enum sock_kind kind; /* SOCK_TCP or SOCK_UNIX */
	char host[256];      /* a name or a numeric address; the path of a Unix socket */
	int port;
};

struct link_options {
	const char *user; /* keeps */
	int answer_ms;    /* how long an answer may take */
	bool raw;         /* never json */
	bool stream;      /* ask for answers in pieces */
	bool tls;
	const char *ca_file, *cert_file, *key_file; /* PEM; "": the system's, none */
	const char *token;                          /* said first; NULL: none */
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
/* Has not a byte come? Doors that want TLS or a token say nothing to who does not know. */
bool link_is_mute(const struct link *l);
/* For poll(2): readable when link_take() should be called; and in so many milliseconds (-1: no
 * matter when) it should be called although nothing came. */
int link_fd(const struct link *l);
int link_wait_ms(const struct link *l);

/* Send n bytes of text as one message; until its end is heard nothing else may be sent.
 * Returns HEARD_NOTHING; HEARD_FAILED, with `why` in the form of a notice: it cannot be sent;
 * HEARD_GONE. */
enum heard link_send(struct link *l, const char *text, size_t n, struct buf *why);
/* The next thing that was heard, HEARD_NOTHING when there is none yet; never blocks. `text` is
 * emptied first. Call it until it says HEARD_NOTHING. */
enum heard link_take(struct link *l, struct buf *text);
/* Nobody waits for the answer any more. Returns false when this dialect cannot tell a late answer
 * from the next one: close the link then. */
bool link_cancel(struct link *l);

/* Send it and wait for all of its answer (blocks), or HEARD_TIMEOUT. */
enum heard link_ask(struct link *l, const char *text, size_t n, struct buf *answer);
/* The answer or failure heard last as an object, as the server sent it (borrow it): {"id":1,
 * "robot":"xiaotu","text":"hello"}; empty where the dialect has none. And the id of the question.
 */
const struct buf *link_object(const struct link *l);
long long link_id(const struct link *l);

#endif
