/* scene.h - the usual scenes: configurations, a chat at the door, a program that is run to its end.
 * For:     all end-to-end tests.     Callers: tests/e2e.
 * Holds:   configurations are put together from the texts below; a later text is another key, never
 *          the same twice.
 * Memory:  peers as in lib/peer.h; scene_run() gives texts that scene_free() frees. */
#ifndef TESTS_E2E_SCENE_H
#define TESTS_E2E_SCENE_H

#include "lib/fakebot.h"
#include "lib/peer.h"
#include "lib/server.h"

#include <check.h>

/* It looks another way in a URL and in base64. */
#define KEY      "0123456789+/abcdef=&0123456789abcdef"
#define GREETING "Welcome\n"

/* Everything but pool, doors, robots, limits and timeouts. */
#define PLAIN   "language = \"en\"; greeting = \"Welcome\\n\"; control = \"$DIR/control.sock\";\n"
#define POOL(n) "workers = " #n ";\n"
#define DOOR(p) "listen = ( { address = \"$ADDR\"; port = " #p "; } );\n"
/* No test but that of the rate may be slowed down. */
#define NO_RATE "limits = { messages_per_minute = 0; };\n"
#define HELLO   "robots = ( { name = \"hello\"; type = \"hello\"; } );\n"
#define TURING_WITH(key, more)                                                                     \
	"robots = ( { name = \"turing\"; type = \"turing\"; url = \"$BOT\"; api_key = \"" key      \
	"\"; " more " } );\n"
#define TURING TURING_WITH(KEY, "")
#define TURING2                                                                                    \
	"robots = ( { name = \"turing\"; type = \"turing2\"; url = \"$BOT/v2\"; api_key = \"" KEY  \
	"\"; } );\n"

/* A robot that streams, of type openai, ollama or anthropic, and one that always works. */
#define MODEL_AT(name, type, port, more)                                                           \
	"{ name = \"" name "\"; type = \"" type "\"; url = \"http://$ADDR:" port                   \
	"\"; model = \"m1\"; api_key = \"" KEY "\"; " more " }"
#define MODEL_ROBOT(more)  MODEL_AT("model", "openai", "8000", more)
#define MODEL(type, more)  "robots = ( " MODEL_AT("model", type, "8000", more) " );\n"
#define TURING_ROBOT(more) TURING_AT("turing", "8000", KEY, more)
#define TURING_AT(name, port, key, more)                                                           \
	"{ name = \"" name "\"; type = \"turing\"; url = \"http://$ADDR:" port                     \
	"/openapi/api\"; api_key = \"" key "\"; " more " }"
#define HELLO_ROBOT "{ name = \"hello\"; type = \"hello\"; }"

#define ONE_WORKER    PLAIN POOL(1) DOOR(9999) NO_RATE
#define HELLO_SERVER  PLAIN POOL(2) DOOR(9999) NO_RATE HELLO
#define TURING_SERVER PLAIN POOL(2) DOOR(9999) NO_RATE TURING

enum { SCENE_TIMEOUT_S = 60, SCENE_CHATS = 400, SCENE_MODELS = 3 };

/* The types of robots that stream, for MODEL("%s", ...). */
extern const char *const scene_models[SCENE_MODELS];

/* A TCase whose tests may take SCENE_TIMEOUT_S. */
TCase *scene_case(Suite *suite, const char *name);

/* A chat at the server's first door, greeting heard. */
struct peer *scene_chat(struct server *s);
/* The same at another port. */
struct peer *scene_chat_at(struct server *s, int port);
/* Two chats with different workers. */
void scene_chats_apart(struct server *s, struct peer *chats[2]);
/* A fake robot where $BOT is. */
struct fakebot *scene_bot(struct server *s);
/* Is there a ::1 here? */
bool scene_has_ipv6(void);
/* Say "TEXT\n", hear "Hello, TEXT!\n". */
void scene_hello(struct peer *p, const char *text);
/* A chat that says nothing before scene_end(), where it is answered as if nothing had happened
 * (FAULTS, part 4). One a test. */
void scene_canary(struct server *s);
/* All peers leave; server_stop(); and the robot, unless NULL. */
void scene_end(struct server *s, struct fakebot *b);

/* Ask in `json`, give the text of the answer ("ERR CODE" for an error); valid until the next. */
const char *scene_ask_json(struct peer *p, const char *text);

/* The same with "stream": the pieces, joined, into `pieces` (1 << 16 bytes); their number. The
 * whole that ends them must be equal. */
int scene_ask_stream(struct peer *p, const char *text, char *pieces);

struct scene_done {
	int status; /* exit status, or 128 + signal; -1: it was killed after limit_ms */
	char *out, *err;
	long ms;
};

/* Run a program with `input` on its stdin (NULL: none). argv[0] without `/` is one of ours or, if
 * there is none, looked for in PATH. $ADDR, $DIR and $CONF in arguments are those of the server. */
struct scene_done scene_run(struct server *s, const char *input, const char *const argv[]);
void scene_free(struct scene_done *d);
/* Run it, expect this exit status, free what it wrote. */
void scene_exits(struct server *s, int status, const char *const argv[]);

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#endif
