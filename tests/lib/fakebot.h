/* fakebot.h - a robot on loopback that plays what a test scripts.
 * For:     end-to-end tests of HTTP robots. Speaks, told apart by path and body: Turing v1 (GET,
 *          form, JSON) and v2, OpenAI's chat/completions, Ollama's api/chat, Anthropic's
 *          v1/messages.
 * Callers: tests/e2e.
 * Holds:   one forked process, one epoll loop, thousands of connections. Without a script every
 *          question is answered by its echo in the shape of its API, streamed when it asks for
 *          that. The scripts in force when a request is complete count.
 * Memory:  scripts and records are in memory shared with the test; fakebot_stop() frees all. */
#ifndef TESTS_LIB_FAKEBOT_H
#define TESTS_LIB_FAKEBOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FAKEBOT_RECORDS = 64,
	FAKEBOT_SCRIPTS = 4,
	FAKEBOT_BODY_BYTES = 1 << 20,
	FAKEBOT_KEY_BYTES = 128
};

/* All zero: status 200, the text "echo:INFO". Texts are copied; a script's texts share
 * FAKEBOT_BODY_BYTES and a little. */
struct fakebot_script {
	/* Which requests. */
	const char *only; /* those with this text or key; NULL: all */
	int first_n;      /* this many of them; then it is as if it were not there; 0: all */

	/* When. */
	int delay_ms; /* before the answer */
	bool hold;    /* no answer before fakebot_release() */

	/* What. */
	int status;          /* 0: 200 */
	const char *type;    /* Content-Type; NULL: that of the echo, JSON for any body */
	const char *headers; /* more of them, each with CR LF */
	const char *body;    /* instead of the echo */
	bool name_key;       /* the echo is "echo:INFO by XX", XX the end of the key */
	const char *raw;     /* n_raw bytes instead of head and body; then close */
	size_t n_raw;
	int repeat; /* send the body (its last piece) so often in all, as the socket takes it */

	/* How the reader learns its end: by Content-Length, or ... */
	bool chunked;   /* chunked encoding: a chunk for each piece */
	bool no_length; /* neither: it ends when we close */
	int promise;    /* Content-Length as told here (chunked: no last chunk); then close */

	/* How fast. Body or raw is cut at each form feed, which is not sent, if one of the first
	 * three is set; so a form feed at the very end makes the end a piece of its own. Echoed
	 * streams are always in pieces, one for each event. */
	bool pieces;
	bool piece_hold; /* each piece but the first waits for its fakebot_step() */
	int piece_ms;    /* between pieces, and between repetitions */
	int drip_ms;     /* a byte at a time, so long apart */

	/* The connection. */
	bool hang_up;     /* close instead of an answer */
	bool reset;       /* where we close: RST instead of FIN */
	bool close_after; /* close after the answer, of which no header speaks */
	bool stay_open;   /* do not close, whatever is said above */
};

struct fakebot_record {
	char id[64];                 /* X-Request-Id */
	char path[256];              /* without the query */
	char key[FAKEBOT_KEY_BYTES]; /* in the body, else Authorization: Bearer or x-api-key */
	char info[512];              /* what was asked: the last message of a user; cut */
	char userid[64];
	char model[128];
	int n_messages;
	char system[1024];  /* of a system message, or Anthropic's member; cut */
	char history[2048]; /* what precedes `info`: "role:content|role:content"; no system; cut */
	bool stream;        /* a stream was asked for */
	char head[1024];    /* request line and headers, cut */
	char body[4096];    /* as it came, cut */
};

struct fakebot;

struct fakebot *fakebot_start(const char *address, int port);
/* The same behind TLS, with the certificate (chain) and key of these files: see certs.h. */
struct fakebot *fakebot_start_tls(
    const char *address, int port, const char *cert_pem_path, const char *key_pem_path);
void fakebot_stop(struct fakebot *b);

/* This script alone; and one more, up to FAKEBOT_SCRIPTS. The first that matches counts, requests
 * that none matches are echoed. */
void fakebot_play(struct fakebot *b, const struct fakebot_script *script);
void fakebot_also(struct fakebot *b, const struct fakebot_script *script);
/* Echo again. */
void fakebot_echo(struct fakebot *b);
/* Answer all requests that are held, by the scripts as they are now, which hold no longer. */
void fakebot_release(struct fakebot *b);
/* One more piece for every answer to a request complete by now whose script says piece_hold. */
void fakebot_step(struct fakebot *b);

/* Complete requests so far, and those made with a key; connections accepted; bytes of bodies (as
 * framed) that sockets took. */
int fakebot_requests(struct fakebot *b);
int fakebot_requests_with(struct fakebot *b, const char *key);
int fakebot_connections(struct fakebot *b);
int64_t fakebot_sent_bytes(struct fakebot *b);
/* Wait until there were so many; or so many clients that left before the end of their answer.
 * Fails the test when they do not come. */
void fakebot_wait_requests(struct fakebot *b, int n);
void fakebot_wait_gone(struct fakebot *b, int n);

/* The i-th request, 0 is the first; only the last FAKEBOT_RECORDS are kept. */
struct fakebot_record fakebot_record(struct fakebot *b, int i);

/* A port where no connect ever completes: its queue is full, nobody accepts. */
struct fakebot_deaf *fakebot_deaf(const char *address, int port);
void fakebot_deaf_stop(struct fakebot_deaf *d);

#endif
