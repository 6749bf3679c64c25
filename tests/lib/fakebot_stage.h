/* fakebot_stage.h - what the test and its fake robot share.
 * For:     fakebot.c (the test's half) and fakebot_loop.c (the robot's).
 * Holds:   every member but the mutex is read and written under the mutex.
 * Memory:  one shared mapping, made by fakebot_start(). */
#ifndef TESTS_LIB_FAKEBOT_STAGE_H
#define TESTS_LIB_FAKEBOT_STAGE_H

#include "lib/fakebot.h"

#include <pthread.h>

enum { STAGE_KEYS = 64 };

struct stage {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a counter grew */
	/* the script */
	int status, delay_ms, promise;
	bool hold, hang_up, name_key, has_body;
	int releases;
	char body[FAKEBOT_BODY_BYTES], headers[4096], only[128];
	/* the records */
	int n_requests, n_gone, n_keys;
	struct {
		char key[64];
		int n;
	} keys[STAGE_KEYS];
	struct fakebot_record records[FAKEBOT_RECORDS];
};

/* The robot: serves the listening socket `door`; looks at the stage when `wake` is written to.
 * Never returns by itself. */
void fakebot_loop(struct stage *g, int door, int wake);

#endif
