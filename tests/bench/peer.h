/* peer.h - one connection of the generator: it says things and knows when they are answered.
 * For:     chats in the line dialect, HTTP connections, bare echo.     Callers: crowd.c.
 * Holds:   one message at a time is under way.
 * Memory:  embedded; what came of an answer that is not whole yet is kept in `part`. */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

enum peer_speaks { PEER_CHAT, PEER_HTTP, PEER_ECHO };

enum peer_state {
	PEER_NONE,
	PEER_CONNECTS, /* and, if it is a chat, waits for the greeting */
	PEER_IDLE,
	PEER_WAITS
};

enum peer_event {
	PEER_NOTHING, /* something is still to come */
	PEER_READY,   /* connected, and greeted */
	PEER_ANSWER,
	PEER_REFUSAL, /* an answer, but an error */
	PEER_GONE
};

struct peer {
	int fd;
	uint8_t state;
	uint32_t n_said;  /* messages sent in this order */
	uint32_t n_owed;  /* due, but one before them is still under way */
	int64_t since_ns; /* when the one under way was meant to be sent */
	char *part;
	uint32_t n_part;
};

/* The message, whole. Returns false when the connection is gone. */
bool peer_say(struct peer *p, enum peer_speaks how);
/* Read what has come. Never blocks. */
enum peer_event peer_read(struct peer *p, enum peer_speaks how);
/* The connection stands or not: for those who are not greeted. */
enum peer_event peer_is_connected(struct peer *p);
void peer_close(struct peer *p);

#endif
