/* web.h - the other side of a web door: requests, and a WebSocket, on a peer.
 * For:     tests of the web door.     Callers: tests/e2e.
 * Holds:   as peer.h: what does not come in time, or is not framed as it should be, fails the test.
 *          Frames are masked, as a client's must be.
 * Memory:  texts are valid until the next call for any peer. */
#ifndef TESTS_LIB_WEB_H
#define TESTS_LIB_WEB_H

#include "lib/peer.h"

#include <stdint.h>

enum { WEB_PORT = 9980, WEB_FIN = 0x80, WEB_NO_CODE = 1005 };
enum { WEB_MORE, WEB_TEXT, WEB_BINARY, WEB_CLOSE = 8, WEB_PING, WEB_PONG };

/* The answer to a request, which is all of it but the empty line at its end: its status. */
int web_ask(struct peer *p, const char *request);
/* The status of an answer that comes; to HEAD it has no body. */
int web_answer(struct peer *p, bool has_body);
/* Of the last answer: its head, its body. */
const char *web_head(void);
const char *web_body(void);
/* GET with Host, on a connection that may go on. */
int web_get(struct peer *p, const char *path);

/* Ask for a WebSocket; what comes is not waited for. */
void web_knock(struct peer *p, const char *origin, const char *host);
/* Is an answer without a body, or a frame, whole in what was heard? For many peers at once. */
bool web_has_answer(const struct peer *p);
bool web_has_frame(const struct peer *p);
/* Open a WebSocket with these Origin and Host (NULL: no such line): the status, 101 if it is one.
 * What comes behind is frames. */
int web_try(struct peer *p, const char *origin, const char *host);
/* Connect and open one as the page of the door would. The greeting is still to be heard. */
struct peer *web_open(const char *address, int port);
/* The same, and the greeting was heard. */
struct peer *web_chat(const char *address, int port);

void web_frame(struct peer *p, unsigned first, const void *bytes, size_t n);
void web_say(struct peer *p, const char *text);
/* A head alone: its two bytes, and a length of n_length bytes. */
void web_begin(struct peer *p, unsigned first, unsigned second, int n_length, uint64_t length);

/* The next frame: its first byte; what is in it. */
unsigned web_hear_frame(struct peer *p, const char **bytes, size_t *n);
/* The next message, which is a text. */
const char *web_hear(struct peer *p);
void web_expect(struct peer *p, const char *text);
void web_expect_prefix(struct peer *p, const char *prefix);
/* A close with this code, and then the end of the stream. */
void web_expect_close(struct peer *p, int code);

#endif
