/* fakebot_stage.h - what the test and its fake robot share.
 * For:     fakebot.c (the test's half) and fakebot_loop.c (the robot's).
 * Holds:   every member but the mutex is read and written under the mutex.
 * Memory:  one shared mapping, made by fakebot_start(), at one address in both processes: so the
 *          scripts may point into it. */
#ifndef TESTS_LIB_FAKEBOT_STAGE_H
#define TESTS_LIB_FAKEBOT_STAGE_H

#include "lib/fakebot.h"

#include <pthread.h>

enum { STAGE_KEYS = 64, STAGE_TEXT_BYTES = FAKEBOT_BODY_BYTES + 8192 };

/* A script in force. */
struct play {
	struct fakebot_script script; /* its texts are in `text` */
	int n_taken;                  /* requests so far, for first_n */
	size_t n_text;
	char text[STAGE_TEXT_BYTES];
};

struct stage {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a counter grew */
	/* the scripts */
	int n_plays;
	struct play plays[FAKEBOT_SCRIPTS];
	int releases, steps;
	/* the records */
	int n_requests, n_gone, n_connections, n_keys;
	int64_t sent_bytes;
	struct {
		char key[FAKEBOT_KEY_BYTES];
		int n;
	} keys[STAGE_KEYS];
	struct fakebot_record records[FAKEBOT_RECORDS];
};

struct ssl_ctx_st;

/* The robot: serves the listening socket `door`, behind TLS unless `tls` is NULL; looks at the
 * stage when `wake` is written to. Never returns by itself. */
void fakebot_loop(struct stage *g, int door, int wake, struct ssl_ctx_st *tls);

#endif
