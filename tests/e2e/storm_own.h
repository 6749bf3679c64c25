/* storm_own.h - what the files of the storm share.
 * For:     storm_chat.c (the chats), storm_harm.c (those who do harm), storm_act.c (what is done to
 *          the server).     Callers: these and storm.c.
 * Memory:  see storm.h. */
#ifndef TESTS_E2E_STORM_OWN_H
#define TESTS_E2E_STORM_OWN_H

#include "e2e/storm.h"

#include <sys/resource.h>

enum { STORM_CHATS = 300, STORM_VANDALS = 20, STORM_SLOW = 6, STORM_POOL = 3, STORM_ACTS = 12 };

/* Doors that are always there; SERVER_PORT, WEB_PORT and LOCKED_PORT are others. */
enum { STORM_UDP_PORT = 9995 };
#define STORM_DOORS                                                                                \
	"{ address = \"$ADDR\"; port = 9999; }, { path = \"$DIR/door\"; }, "                       \
	"{ address = \"$ADDR\"; port = 9980; speak = \"web\"; }, "                                 \
	"{ address = \"$ADDR\"; port = 9995; transport = \"udp\"; }, " LOCKED_DOOR("")

/* How long chats are forgiven an end after a worker was killed. */
enum { STORM_FORGIVE_MS = 5000 };

enum storm_door { STORM_TCP, STORM_UNIX, STORM_TLS, STORM_WEB, STORM_UDP };
enum storm_dialect { STORM_LINE, STORM_JSON, STORM_STREAM, STORM_RAW };

struct storm_chat {
	struct peer *p;
	enum storm_door door;
	enum storm_dialect dialect;
	bool is_socket;       /* at the web door: it switched protocols */
	bool greeted, silent; /* silent: says nothing before the end */
	bool sent_away;       /* behind TLS: BYE shutdown, for it cannot move */
	bool may_fail;        /* all of its last answer came, but perhaps not the end of it */
	int number, asked, answered;
	int64_t since_ms; /* it waits for an answer, or for its greeting */
	int64_t next_ms;  /* it asks again */
};

struct storm {
	struct server *s;
	struct fakebot *first, *second; /* second: NULL while it is away */
	uint32_t dice;
	struct storm_chat chats[STORM_CHATS];
	struct peer *vandals[STORM_VANDALS], *slow[STORM_SLOW];
	bool raging;
	int64_t act_ms, vandal_ms; /* when the next is due */
	int64_t killed_ms;         /* a worker, by us */
	pid_t starved, stopped;    /* a worker without descriptors; one that stands still */
	struct rlimit before;
	int64_t mend_ms; /* when these are mended */
	int pool, generation;
	int n_answers, n_errors, n_lost, n_sent_away, n_vandals, n_slow, n_acts[STORM_ACTS];
};

/* 0 .. n-1 */
unsigned storm_dice(struct storm *st, unsigned n);
/* Everybody hears and speaks, for a moment. */
void storm_turn(struct storm *st);

/* Number i of them comes to its door. */
void storm_chat_begin(struct storm *st, int i);
void storm_chat_ask(struct storm_chat *c);
/* Hear what came; speak when it is time to. */
void storm_chat_turn(struct storm *st, struct storm_chat *c);
/* It was greeted, and waits for no answer. */
bool storm_chat_is_quiet(const struct storm_chat *c);

/* Somebody does harm, if it is time for it; and all of them leave. */
void storm_harm(struct storm *st);
void storm_harm_none(struct storm *st);

/* The configuration of this generation; `base` is the one to end with. */
void storm_configure(struct storm *st, bool base);
/* Do what the dice say. */
void storm_act(struct storm *st, bool replaces);
/* Give back what was taken from a worker. */
void storm_mend(struct storm *st);
/* Another way for the robots to fail; and none. */
void storm_robots(struct storm *st);
void storm_robots_well(struct storm *st);
/* So many workers again. */
void storm_pool(struct storm *st, int n);
const char *storm_act_name(int i);

#endif
