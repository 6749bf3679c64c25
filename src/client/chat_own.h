/* chat_own.h - what the parts of a chat on a terminal share.
 * For:     client/chat.c, the loop and the keys, and client/chat_server.c, all about the server.
 * Callers: those two.
 * Memory:  one struct chat, released by chat_talk(). */
#ifndef CLIENT_CHAT_OWN_H
#define CLIENT_CHAT_OWN_H

#include "client/dial.h"
#include "client/edit.h"
#include "client/history.h"
#include "client/keys.h"
#include "client/link.h"
#include "client/tty.h"
#include "client/view.h"
#include "client/words.h"

#include <stdbool.h>

enum { CHAT_PAUSE_MS = 500, CHAT_MARK_MS = 200 };

struct chat {
	const struct words *words;
	const struct link_place *place;
	struct link_options options;
	struct tty tty;
	struct keys keys;
	struct edit edit;
	struct history history;
	struct view view;
	struct buf heard, typed, asked;

	struct link *link;  /* NULL: not connected */
	struct dial *dial;  /* a try to be */
	int64_t up_ms;      /* since when it is connected */
	int64_t dial_at_ms; /* the next try; 0: none */
	int pause_ms;       /* before the try after that */
	bool outage;        /* the person was told that the server is gone */
	bool eager;         /* send the line as soon as it is back */

	bool waiting;   /* for an answer, or for more of it */
	size_t n_shown; /* bytes of the answer */
	int64_t asked_ms, mark_at_ms, answer_by_ms;
	int64_t escape_at_ms; /* 0: no half sequence waits */

	bool over;
	int signal; /* that ended it, or 0 */
};

/* A sentence of ours; and "ERR busy SENTENCE", shown as "SENTENCE (busy)". */
void chat_tell(struct chat *c, enum view_colour colour, const char *sentence);
void chat_tell_notice(struct chat *c, enum view_colour colour, const struct buf *notice);

/* Say what is in the line, or try to be able to. */
void chat_submit(struct chat *c);
/* Connect now, unless we are at it. */
void chat_connect(struct chat *c);
/* Hear what the server says. The person may type again when an answer has ended. */
void chat_hear(struct chat *c);
/* The try to connect is over. */
void chat_connected(struct chat *c);
/* Nobody waits for the answer any more, for this reason. */
void chat_give_up(struct chat *c, const char *why);
/* The keys that wait, now that the person may type. */
void chat_keys(struct chat *c, bool quiet);

#endif
