/* chain.h - the ordered list of robots: the first that works answers.
 * For:     turn.c, which asks a chain and not a robot.
 * Holds:   a robot that fails before any text went out is passed over within the same message;
 *          nothing is asked again once text was handed on. One done per ask, none after cancel.
 * Memory:  chain_open() gives; the caller embeds struct chain_ask. */
#ifndef ROBOT_CHAIN_H
#define ROBOT_CHAIN_H

#include "robot/robot.h"

struct chain;

struct chain_ask {
	struct ask ask;
	struct chain *chain;
	const struct talk *talk;
	const struct sink *sink;
	void *arg;
	int at;    /* robot being asked */
	int only;  /* the one robot the chat chose, or -1 */
	bool said; /* text went out */
	bool running;
};

struct chain *chain_open(
    const struct conf *c, struct ev_loop *loop, struct later *later, struct err *e);
void chain_close(struct chain *c);

void chain_ask(struct chain *c, const struct talk *talk, int only, struct chain_ask *a,
    const struct sink *sink, void *arg);
void chain_cancel(struct chain_ask *a);

/* The robot that answered or failed last. Borrowed. */
const char *chain_robot_name(const struct chain_ask *a);
int chain_size(const struct chain *c);
const char *chain_name_at(const struct chain *c, int i);
/* Does any robot want earlier turns? */
bool chain_wants_history(const struct chain *c);

#endif
