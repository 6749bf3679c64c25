/* conf.h - the configuration as one frozen struct.
 * For:     everything that depends on xiaotud.conf.     Callers: floors 3 to 5.
 * Holds:   a snapshot never changes after conf_load_*() returned it. Durations are milliseconds,
 *          sizes bytes, texts NUL-terminated UTF-8, absent texts "". Paths are absolute.
 * Memory:  one arena per snapshot; conf_free() releases it whole. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/err.h"
#include "base/mem.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_language { CONF_ZH, CONF_EN };
enum conf_transport { CONF_TCP, CONF_UDP };
enum conf_speak { CONF_CHAT, CONF_WEB };
enum conf_kind {
	CONF_RULES,
	CONF_HELLO,
	CONF_TURING,
	CONF_TURING2,
	CONF_OPENAI,
	CONF_OLLAMA,
	CONF_ANTHROPIC
};
enum conf_max_tokens { CONF_MAX_TOKENS, CONF_MAX_COMPLETION_TOKENS };

struct conf_texts {
	const char **at;
	int n;
};

/* One door: TCP or UDP on address and port, or a Unix socket when path is not "". */
struct conf_listen {
	const char *name; /* of the socket that a service manager passes; "": none */
	const char *address;
	int64_t port;
	const char *path;
	const char *mode; /* of the socket file, octal text */
	int64_t transport;
	int64_t speak;                 /* enum conf_speak */
	struct conf_texts origins;     /* of a web door; none: the same host (wire/origin.h) */
	struct conf_texts allow, deny; /* networks */
	struct conf_texts proxy_from;  /* networks whose PROXY header is believed */
	struct conf_texts token;       /* "sha256:HEX" of secrets, one of which a chat must know */
	const char *tls_cert, *tls_key, *tls_client_ca;             /* files; "": no TLS */
	const char *tls_cert_pem, *tls_key_pem, *tls_client_ca_pem; /* what was in them */
};

/* One rule of a `rules` robot (xiaotu-robot(5)). */
struct conf_rule {
	struct conf_texts patterns; /* `*` stands for any text */
	struct conf_texts answers;  /* given in turn; {1}..{9} are the captures, pronouns turned */
	struct conf_texts remember; /* said later, when nothing matches */
	int64_t priority;           /* the greatest that matches wins; then the first in the file */
};

struct conf_pair {
	const char *from, *to;
};

struct conf_rules {
	struct conf_rule *rules;
	int n_rules;
	struct conf_pair *reflect; /* pronouns turned in captures: 我 -> 你 */
	int n_reflect;
	struct conf_texts
	    fallback; /* given in turn when nothing matches and nothing is remembered */
};

struct conf_robot {
	const char *name;
	int64_t kind; /* enum conf_kind */
	const char *url;
	struct conf_texts api_key;
	const char *api_key_file; /* read at load, into api_key; kept for -T */
	const char *api_key_env;  /* the same from a variable of the environment */
	const char *secret;       /* of Turing's sealed mode; "": plain */
	const char *ca_file;      /* who signs the server's certificate; "": the system's */
	const char *ca;           /* what ca_file holds, read at load; no worker may read it */
	const char *file;         /* rule file; "" is the built-in one */
	const char *location;     /* where the asker is, for Turing */
	const char *model, *system;
	const char *extra; /* more members of the request, a JSON object; "": none */
	int64_t max_tokens, max_tokens_name;
	bool stream, stream_usage;
	int64_t max_inflight; /* requests at once over all workers; 0: no limit */
	int64_t connect_ms, first_byte_ms, gap_ms, total_ms;
	struct conf_rules rules; /* kind CONF_RULES only */
};

struct conf_source;

struct conf {
	struct arena arena;
	const char *origin; /* the file it came from, or "built-in defaults" */
	int64_t workers;    /* as configured; conf_n_workers() resolves 0 */
	const char *greeting;
	int64_t language;
	struct conf_listen *listen;
	int n_listen;
	struct conf_robot *robots;
	int n_robots;
	int64_t limit_chats, limit_chats_per_address, limit_messages_per_minute;
	int64_t limit_messages_per_minute_per_address;
	int64_t limit_message_bytes, limit_answer_bytes;
	int64_t idle_ms, message_ms, drain_ms, quiet_ms, notice_ms, heartbeat_ms;
	int64_t recycle_after, recycle_memory;
	int64_t memory_turns, memory_chars;
	const char *log_target;
	int64_t log_level; /* enum log_level */
	bool log_messages;
	const char *control, *pid_file, *user;
	int64_t sandbox;                   /* 0: off */
	const struct conf_source *sources; /* where values were set: conf_source.h */
};

/* --- snapshots ------------------------------------------------------------------------------- */

void conf_free(struct conf *c);

/* Worker processes wanted: conf->workers, or one per core when that is 0. */
int conf_n_workers(const struct conf *c);

/* "unix:/run/x", "tcp://[::1]:9999": equal texts are the same door. */
void conf_listen_url(const struct conf_listen *l, char out[160]);
/* Bytes an answer may have: limits.answer_bytes, or what no limit comes to. */
size_t conf_answer_bytes(const struct conf *c);
bool conf_has_secret(const struct conf *c);
/* Who a robot is, never 0: one with another name, address or key is another one. */
uint64_t conf_robot_identity(const struct conf_robot *r);

#endif
