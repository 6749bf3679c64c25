/* api.h - the HTTP APIs of robots as pure functions: a question to bytes, a value to text.
 * For:     robot_api.c, which does the rest; one file api_x.c for each API.
 * Holds:   no socket, no clock. A new API is a file with a struct api, a line in robot_kinds.h and
 *          one in conf_table.c.
 * Memory:  texts go into the caller's buffers. */
#ifndef ROBOT_API_H
#define ROBOT_API_H

#include "robot/pseudonym.h"
#include "robot/reply.h"

/* What a server refused and is not sent again. */
enum {
	API_NO_STREAM_OPTIONS = 1,
	API_OTHER_MAX_TOKENS = 2,
	API_NO_MAX_TOKENS = 4,
	API_NO_POST = 8
};

/* One question as it goes out. */
struct api_question {
	const struct conf_robot *conf;
	const char *key; /* "" without one */
	const struct talk *talk;
	int n_history;    /* the last so many turns of talk->history go along */
	unsigned without; /* API_NO_... */
	int64_t wall_ms;  /* since 1970, for sealed bodies */
	/* By the first key, so that users keep theirs when keys are changed over. */
	struct pseudonym *pseudonym;
};

struct api {
	const char *url;         /* the vendor's */
	const char *path;        /* belongs behind a configured url; "": nothing does */
	const char *key_header;  /* the key stands behind it; NULL: it is in the body */
	const char *more_header; /* NULL: none */
	unsigned can_leave_out;  /* API_NO_... that make sense for its requests */
	bool day_quota;          /* a key's calls are counted by the day */
	void (*request)(const struct api_question *q, struct buf *body);
	/* Append the question as a query of the address, for servers that take no POST; NULL: all
	 * do. */
	void (*query)(const struct api_question *q, struct buf *url);
	reply_value *on_value;
};

extern const struct api api_turing, api_turing2, api_openai, api_ollama, api_anthropic;

/* Append the address: `url` (the vendor's when "") with the API's path behind it, with one slash
 * between, before a query, and not twice. */
void api_url(const struct api *a, const char *url, struct buf *out);

/* Is this refusal about something that can be left out? Returns the API_NO_... to be added to
 * `without`, 0: no. `says` are the server's words. */
unsigned api_can_leave_out(const struct api *a, const struct conf_robot *c, unsigned without,
    enum why why, long status, const char *says);

/* --- for APIs -------------------------------------------------------------------------------- */

/* Append `"model":...,"messages":[...],"stream":...` and the operator's `extra`; the system prompt
 * is the first message unless it goes elsewhere. */
void api_chat_members(const struct api_question *q, bool system_first, struct buf *body);

#endif
