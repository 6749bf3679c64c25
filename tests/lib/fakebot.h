/* fakebot.h - a robot on loopback that plays what a test scripts.
 * For:     end-to-end tests of HTTP robots; speaks Turing v1 (GET, form, JSON) and v2.
 * Callers: tests/e2e.
 * Holds:   one forked process, one epoll loop, thousands of connections. Without a script every
 *          question is answered by its echo. The script in force when a request is complete counts.
 * Memory:  script and records are in memory shared with the test; fakebot_stop() frees all. */
#ifndef TESTS_LIB_FAKEBOT_H
#define TESTS_LIB_FAKEBOT_H

#include <stdbool.h>
#include <stddef.h>

enum { FAKEBOT_RECORDS = 64, FAKEBOT_BODY_BYTES = 1 << 18 };

/* All zero: status 200, {"code":100000,"text":"echo:INFO"} (v2: its counterpart). */
struct fakebot_script {
	const char
	    *only; /* for questions with this text or key; the others are echoed; NULL: all */
	const char *body;    /* instead of the echo */
	const char *headers; /* more of them, each with CR LF */
	int status;          /* 0: 200 */
	int delay_ms;        /* before the answer */
	bool hold;           /* no answer before fakebot_release() */
	bool hang_up;        /* close instead of an answer */
	int promise;         /* Content-Length instead of the true one; then close */
	bool name_key; /* the echo is "echo:INFO by XX", XX the last two characters of the key */
};

struct fakebot_record {
	char key[64];
	char info[512]; /* what was asked, cut */
	char userid[64];
	char head[1024]; /* request line and headers, cut */
};

struct fakebot;

struct fakebot *fakebot_start(const char *address, int port);
void fakebot_stop(struct fakebot *b);

void fakebot_play(struct fakebot *b, const struct fakebot_script *script);
/* Echo again. */
void fakebot_echo(struct fakebot *b);
/* Answer all requests that are held, by the script as it is now, which holds no longer. */
void fakebot_release(struct fakebot *b);

/* Complete requests so far, and those made with a key. */
int fakebot_requests(struct fakebot *b);
int fakebot_requests_with(struct fakebot *b, const char *key);
/* Wait until there were so many; or so many clients that left before their answer. Fails the test
 * when they do not come. */
void fakebot_wait_requests(struct fakebot *b, int n);
void fakebot_wait_gone(struct fakebot *b, int n);

/* The i-th request, 0 is the first; only the last FAKEBOT_RECORDS are kept. */
struct fakebot_record fakebot_record(struct fakebot *b, int i);

#endif
