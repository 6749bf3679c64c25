/* control_client.h - what the files of the control socket share.
 * For:     control.c, the socket and its clients; control_command.c, what they can have done.
 * Callers: those two.
 * Holds:   a client has one command and gets one answer; it is freed once that is written.
 * Memory:  clients are in the list of their control. */
#ifndef MASTER_CONTROL_CLIENT_H
#define MASTER_CONTROL_CLIENT_H

#include "base/list.h"
#include "master/control.h"
#include "master/control_chats.h"

#include <ev.h>
#include <sys/stat.h>

struct control {
	struct master *m;
	int fd;
	struct ev_io io;
	struct ev_timer pause; /* no descriptors left: wait before the next accept */
	struct stat file;      /* ours, so that another's is not removed */
	struct list clients;
	int n_clients;
	struct control_chats chats;
};

enum control_wait {
	WAIT_NOTHING,
	WAIT_RELOAD,
	WAIT_UPGRADE,
	WAIT_CHATS,
	WAIT_NEXT_CHATS,
	WAIT_EXIT
};

struct control_client {
	struct list link;
	struct control *c;
	int fd;
	unsigned uid;
	struct ev_io io;
	struct ev_timer late;
	struct buf in, out;
	enum control_wait wait;
	int64_t awaited; /* number of the reload */
};

/* What is in `out` is the answer. Frees nobody. */
void control_answer(struct control_client *cl);
void control_answer_error(struct control_client *cl, const char *why);
/* No deadline until it is answered. */
void control_await(struct control_client *cl, enum control_wait wait);

/* Do what the line says. */
void control_run_line(struct control_client *cl, const char *line, size_t n);
/* The list of chats is there. */
void control_on_chats(void *arg, const struct buf *document);

#endif
