/* upgrade.h - the program that is on disk now takes over, and nobody in a chat notices.
 * For:     SIGUSR2.     Callers: master/.
 * Holds:   the new master inherits the listeners and the pair that chats move through. It loads
 *          and checks the configuration, starts its workers and says READY; only then it becomes
 *          a child of our parent, our workers hand their chats over and leave, and we after them.
 *          Until READY nothing of ours has changed: a program that fails, hangs, or reads chats of
 *          another form than ours (share/boot.h) is ended, and the log says why.
 *          The contract between two programs is the variable XIAOTU_UPGRADE, which names the
 *          descriptors, and messages of share/chan.h.
 * Memory:  inside struct master. */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

#include "master/listen.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct master;

struct upgrade {
	struct master *m;
	pid_t pid;     /* of the new master, 0: none */
	pid_t between; /* its parent until it is in charge, our child; 0: none */
	int handover;  /* to it; -1: no upgrade is under way */
	struct ev_io io;
	struct ev_timer late;
	bool done; /* it is in charge */
	bool hup;  /* a HUP came meanwhile: it is for whoever is in charge in the end */
	char why[CHAN_TEXT];
};

/* What the old master left to us. */
struct legacy {
	int handover; /* to the old master; -1: there is none */
	int pair[2];
	uint64_t last_chat;
	int standings;    /* what is known of robots; -1: nothing */
	int more_workers; /* than configured, by TTIN and TTOU */
	struct listen_set doors;
	int control; /* the control socket's listener, -1: none */
	char control_path[108];
};

void upgrade_init(struct upgrade *u, struct master *m);
/* Begin. What comes of it is in the log, and told to the control socket. Returns what is in the
 * way, NULL: it has begun. */
const char *upgrade_start(struct upgrade *u);
/* Is it not decided yet who is in charge? */
bool upgrade_runs(const struct upgrade *u);
/* Is `pid` who stands for the new master? Then its end was taken care of. */
bool upgrade_on_exit(struct upgrade *u, pid_t pid, int status);
/* We are leaving for another reason. */
void upgrade_cancel(struct upgrade *u);

/* In the new program: take what the environment says, if it does. */
void legacy_take(struct legacy *l);
/* The control socket's listener if it is at this path, else -1. Gives. */
int legacy_take_control(struct legacy *l, const char *path);
/* Nobody took it: it ends with us in charge. */
void legacy_drop_control(struct legacy *l);
/* Tell the old master: we are here, we serve, or we cannot and why. Nothing without a legacy. */
void legacy_say_hello(const struct legacy *l);
void legacy_say_ready(struct legacy *l);
void legacy_say_failed(const struct legacy *l, const char *why);
/* In a new child: close what is left of it. */
void legacy_let_go(struct legacy *l);

#endif
