/* fakebot_robot.h - what the files of the robot's process share.
 * For:     fakebot_loop.c (connections), fakebot_http.c (requests in, answers out), fakebot_api.c
 *          (what bodies mean), fakebot_link.c (bytes on a socket, TLS or not).
 * Memory:  each struct is embedded in the loop's connection. */
#ifndef TESTS_LIB_FAKEBOT_ROBOT_H
#define TESTS_LIB_FAKEBOT_ROBOT_H

#include "lib/fakebot.h"

#include "base/buf.h"

#include <sys/types.h>

/* --- bodies ---------------------------------------------------------------------------------- */

enum api { API_TURING, API_TURING2, API_OPENAI, API_OLLAMA, API_ANTHROPIC };

struct question {
	struct fakebot_record record;
	enum api api;
	bool usage; /* a usage chunk is asked for */
};

/* Fill in what query (Turing's GET) and body say; the path is in the record already. */
void fakebot_api_read(
    struct question *q, const char *query, size_t n_query, const char *body, size_t n_body);
/* Append the echo; *streams: it is cut into pieces by form feeds. Returns its Content-Type. */
const char *fakebot_api_echo(
    const struct question *q, bool name_key, bool *streams, struct buf *out);
/* As much of `from` as fits with a NUL, whole characters only. */
void fakebot_api_copy(char *to, size_t size, const char *from, size_t n);

/* --- HTTP ------------------------------------------------------------------------------------ */

/* What something waits for: that a clock gets there. All clocks only ever grow. */
enum clock { CLOCK_NONE, CLOCK_MS, CLOCK_RELEASES, CLOCK_STEPS, CLOCKS };

struct pause {
	enum clock clock;
	int64_t until;
};

/* An answer under way. A zeroed one is fine to release. */
struct answer {
	struct fakebot_script how; /* but for its texts */
	char *bytes;               /* the whole body, or raw */
	size_t n, at, last;        /* sent up to `at`; the last piece begins at `last` */
	int again;                 /* the last piece is to be sent so many times more */
	bool split, over;
	int steps; /* so many steps were there before its next piece may go */
};

/* A whole request at the front of `in`? Takes it: 1; not yet: 0; it is no HTTP: -1. */
int fakebot_http_take(struct question *q, struct buf *in);
/* Begin an answer: its head is appended to `out`. Borrows `how`. */
void fakebot_http_answer(struct answer *a, const struct question *q,
    const struct fakebot_script *how, int steps, struct buf *out);
/* Append its next part, as framed. Returns what the part behind it waits for; with the last part
 * `over` becomes true. */
struct pause fakebot_http_more(struct answer *a, struct buf *out);
/* Does it end with the connection? */
bool fakebot_http_closes(const struct answer *a);
void fakebot_http_release(struct answer *a);

/* --- bytes ----------------------------------------------------------------------------------- */

struct ssl_ctx_st;
struct ssl_st;

struct link {
	int fd;
	struct ssl_st *ssl; /* NULL: plain */
	bool wants_out;     /* TLS cannot read before it has written */
};

/* Take a connected, non-blocking socket. */
void fakebot_link_open(struct link *l, int fd, struct ssl_ctx_st *tls);
/* As recv(2) and send(2), which never raise SIGPIPE; failures of TLS are EPROTO. */
ssize_t fakebot_link_recv(struct link *l, void *bytes, size_t n);
ssize_t fakebot_link_send(struct link *l, const void *bytes, size_t n);
void fakebot_link_close(struct link *l, bool reset);

#endif
