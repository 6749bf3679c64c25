/* chain.h - the ordered list of robots: the first that works answers.
 * For:     turn.c, which asks a chain and not a robot.
 * Holds:   a robot that fails before any text went out is passed over within the same message;
 *          nothing is asked again once text was handed on. A robot whose breaker is open or whose
 *          keys are all set aside is passed over without being asked, unless nobody else can
 *          answer. When all are well but have nothing to say, xiaotu says so itself. One done per
 *          ask, none after cancel.
 * Memory:  chain_open() gives; the caller embeds struct chain_ask. */
#ifndef ROBOT_CHAIN_H
#define ROBOT_CHAIN_H

#include "robot/robot.h"

enum { CHAIN_PASSED = 8 };

struct chain;

/* A robot that did not answer, and why. */
struct chain_passed {
	uint8_t robot, why; /* place in the chain; enum why */
};

struct chain_ask {
	struct ask ask;
	struct chain *chain;
	const struct talk *talk;
	const struct sink *sink;
	void *arg;
	int at;           /* robot being asked */
	int first;        /* the one the chat chose, or -1 */
	int64_t since_us; /* it is being asked */
	uint64_t tried;
	bool said; /* text went out */
	bool running, probing;
	bool forced; /* nobody is left who does not rest */
	bool nobody; /* nobody may be asked at all */
	int n_passed;
	struct chain_passed passed[CHAIN_PASSED];
};

/* `env` is copied but for its language and limit, which are the snapshot's. */
struct chain *chain_open(const struct conf *c, const struct robot_env *env, struct err *e);
void chain_close(struct chain *c);

/* first: the robot to be asked first, -1: in order. */
void chain_ask(struct chain *c, const struct talk *talk, int first, struct chain_ask *a,
    const struct sink *sink, void *arg);
void chain_cancel(struct chain_ask *a);
/* No more pieces for now; and on again. */
void chain_pause(struct chain_ask *a, bool pause);

/* The robot that answered or failed last. Borrowed. */
const char *chain_robot_name(const struct chain_ask *a);
int chain_size(const struct chain *c);
const char *chain_name_at(const struct chain *c, int i);
/* Place of the robot of this name, -1: there is none. */
int chain_find(const struct chain *c, const char *name, size_t n);
/* Ms until the i-th robot may be asked again; 0: it may. */
int64_t chain_rests_ms(const struct chain *c, int i);
/* Why it failed last, as a word; "ok" if it never did. */
const char *chain_trouble(const struct chain *c, int i);
/* Does any robot want earlier turns? */
bool chain_wants_history(const struct chain *c);

#endif
