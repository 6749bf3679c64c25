/* conf_table.c - THE option table, and nothing else.
 * One row gives an option its default, parser, range check, place in the sample file, in -T and in
 * the difference of two snapshots, and its reload policy. A row whose member has another type than
 * the row says does not compile. */
#include "conf/conf.h"
#include "conf/conf_opt.h"

#include "base/log.h"

#define NUMBER(s, m) _Generic(((struct s *)0)->m, int64_t : offsetof(struct s, m))
#define TEXT(s, m)   _Generic(((struct s *)0)->m, const char * : offsetof(struct s, m))
#define FLAG(s, m)   _Generic(((struct s *)0)->m, bool : offsetof(struct s, m))
#define TEXTS(s, m)  _Generic(((struct s *)0)->m, struct conf_texts : offsetof(struct s, m))

enum { SECOND = 1000, HOUR = 3600 * SECOND, DAY = 24 * HOUR, MANY = 1000000000, KEY_BYTES = 4096 };
enum { PEM_BYTES = 1 << 20 };

static const char *const language_words[] = { "zh", "en", NULL };
static const char *const transport_words[] = { "tcp", "udp", NULL };
static const char *const sandbox_words[] = { "off", "on", NULL };
static const char *const speak_words[] = { "chat", "web", NULL };
static const char *const target_words[] = { "stderr", "syslog", NULL };
static const char *const kind_words[] = { "rules", "hello", "turing", "turing2", "openai", "ollama",
	"anthropic", NULL };
static const char *const max_tokens_words[] = { "max_tokens", "max_completion_tokens", NULL };

/* One row a line, columns as in struct opt. */
/* clang-format off */
const struct opt conf_options[] = {
	{ "workers", OPT_INT, NUMBER(conf, workers), "2", 0, 512, NULL, OPT_LIVE, OPT_PLAIN,
	  "processes in the pool; 0: one per core" },
	{ "recycle_after", OPT_INT, NUMBER(conf, recycle_after), "0", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "a worker is replaced after so many messages, its chats move on; 0: never" },
	{ "recycle_memory", OPT_INT, NUMBER(conf, recycle_memory), "0", 0, 1 << 20, NULL, OPT_LIVE, OPT_PLAIN,
	  "the same when its resident memory reaches so many MiB; 0: never" },
	{ "greeting", OPT_TEXT, TEXT(conf, greeting), "你好，欢迎来到机器人聊天器！\n", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "sent as it is when a chat begins" },
	{ "language", OPT_WORD, NUMBER(conf, language), "zh", 0, 0, language_words, OPT_LIVE, OPT_PLAIN,
	  "of errors, goodbyes and help: zh or en" },
	{ "limits.chats", OPT_INT, NUMBER(conf, limit_chats), "20000", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "chats at once over all workers; 0: no limit" },
	{ "limits.chats_per_address", OPT_INT, NUMBER(conf, limit_chats_per_address), "1000", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "chats at once from one IP address; 0: no limit" },
	{ "limits.messages_per_minute", OPT_INT, NUMBER(conf, limit_messages_per_minute), "120", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "messages of one chat; more get ERR rate; 0: no limit" },
	{ "limits.messages_per_minute_per_address", OPT_INT, NUMBER(conf, limit_messages_per_minute_per_address), "0", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "the same of all chats from one IP address together; 0: no limit" },
	{ "limits.message_bytes", OPT_INT, NUMBER(conf, limit_message_bytes), "4096", 0, 1 << 20, NULL, OPT_LIVE, OPT_PLAIN,
	  "longest text of a message; 0: no limit but 1 MiB" },
	{ "limits.answer_bytes", OPT_INT, NUMBER(conf, limit_answer_bytes), "262144", 0, 1 << 26, NULL, OPT_LIVE, OPT_PLAIN,
	  "longest answer taken from a robot; 0: no limit but 64 MiB" },
	{ "timeouts.idle", OPT_MS, NUMBER(conf, idle_ms), "30m", 0, 365LL * DAY, NULL, OPT_LIVE, OPT_PLAIN,
	  "a silent chat is closed with BYE idle; 0: never" },
	{ "timeouts.message", OPT_MS, NUMBER(conf, message_ms), "30s", 0, DAY, NULL, OPT_LIVE, OPT_PLAIN,
	  "a message must be complete, and an answer be read on; 0: never" },
	{ "timeouts.drain", OPT_MS, NUMBER(conf, drain_ms), "10s", 0, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "how long running answers may take when a worker leaves" },
	{ "timeouts.quiet", OPT_MS, NUMBER(conf, quiet_ms), "30ms", 1, 10 * SECOND, NULL, OPT_LIVE, OPT_PLAIN,
	  "silence that ends a message without newline" },
	{ "timeouts.heartbeat", OPT_MS, NUMBER(conf, heartbeat_ms), "10s", 0, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "a worker without a sign of life for so long is killed and replaced; 0: never" },
	{ "timeouts.notice_after", OPT_MS, NUMBER(conf, notice_ms), "0", 0, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "a chat that waits so long for its answer is told that it is thought about; 0: never" },
	{ "memory_turns", OPT_INT, NUMBER(conf, memory_turns), "8", 0, 100, NULL, OPT_LIVE, OPT_PLAIN,
	  "turns of a chat that robots without memory are told" },
	{ "memory_chars", OPT_INT, NUMBER(conf, memory_chars), "4000", 0, 20000, NULL, OPT_LIVE, OPT_PLAIN,
	  "and at most so many characters of them; 0: no limit but 64 KiB" },
	{ "log.target", OPT_PATH, TEXT(conf, log_target), "stderr", 1, 4096, target_words, OPT_LIVE, OPT_PLAIN,
	  "stderr, syslog or the path of a file" },
	{ "log.level", OPT_WORD, NUMBER(conf, log_level), "info", 0, 0, log_level_words, OPT_LIVE, OPT_PLAIN,
	  "debug, info, notice, warn, error or alert" },
	{ "log.messages", OPT_BOOL, FLAG(conf, log_messages), "false", 0, 0, NULL, OPT_LIVE, OPT_PLAIN,
	  "log what is said, too" },
	{ "control", OPT_PATH, TEXT(conf, control), "/run/xiaotu/control.sock", 0, 107, NULL, OPT_RESTART, OPT_PLAIN,
	  "socket for xiaotuctl; \"\": none" },
	{ "pid_file", OPT_PATH, TEXT(conf, pid_file), "", 0, 4096, NULL, OPT_RESTART, OPT_PLAIN,
	  "file with the master's process id, for -s; \"\": none" },
	{ "user", OPT_TEXT, TEXT(conf, user), "", 0, 64, NULL, OPT_RESTART, OPT_PLAIN,
	  "user the workers run as when started by root; \"\": as started" },
	{ "sandbox", OPT_WORD, NUMBER(conf, sandbox), "on", 0, 0, sandbox_words, OPT_RESTART, OPT_PLAIN,
	  "what workers may do is limited by Landlock and seccomp: on or off" },
	{ .path = NULL },
};

const struct opt conf_listen_options[] = {
	{ "name", OPT_TEXT, TEXT(conf_listen, name), "", 0, 255, NULL, OPT_LIVE, OPT_PLAIN,
	  "take the socket that the service manager passes by this name (xiaotud.socket)" },
	{ "address", OPT_TEXT, TEXT(conf_listen, address), "127.0.0.1", 1, 64, NULL, OPT_LIVE, OPT_PLAIN,
	  "numeric IPv4 or IPv6 address" },
	{ "port", OPT_INT, NUMBER(conf_listen, port), "9999", 1, 65535, NULL, OPT_LIVE, OPT_PLAIN,
	  "TCP or UDP port" },
	{ "path", OPT_PATH, TEXT(conf_listen, path), "", 0, 107, NULL, OPT_LIVE, OPT_PLAIN,
	  "a Unix socket instead of address and port" },
	{ "mode", OPT_TEXT, TEXT(conf_listen, mode), "0666", 3, 4, NULL, OPT_LIVE, OPT_PLAIN,
	  "permissions of the socket file, octal" },
	{ "transport", OPT_WORD, NUMBER(conf_listen, transport), "tcp", 0, 0, transport_words, OPT_LIVE, OPT_PLAIN,
	  "tcp or udp" },
	{ "speak", OPT_WORD, NUMBER(conf_listen, speak), "chat", 0, 0, speak_words, OPT_LIVE, OPT_PLAIN,
	  "what the door speaks: chat or web" },
	{ "allow", OPT_TEXTS, TEXTS(conf_listen, allow), "", 1, 64, NULL, OPT_LIVE, OPT_PLAIN,
	  "networks that may connect, such as 10.0.0.0/8; none: all" },
	{ "deny", OPT_TEXTS, TEXTS(conf_listen, deny), "", 1, 64, NULL, OPT_LIVE, OPT_PLAIN,
	  "networks that may not, whatever allow says" },
	{ "proxy_from", OPT_TEXTS, TEXTS(conf_listen, proxy_from), "", 1, 64, NULL, OPT_LIVE, OPT_PLAIN,
	  "networks of proxies, which must begin with a PROXY header (v1 or v2) and are believed" },
	{ "token", OPT_TEXTS, TEXTS(conf_listen, token), "", 1, 128, NULL, OPT_LIVE, OPT_SECRET,
	  "a chat must begin with the line TOKEN SECRET; here \"sha256:\" and what sha256sum says of the secret" },
	{ "tls.cert", OPT_PATH, TEXT(conf_listen, tls_cert), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "certificate of the door with its chain (PEM); read again at a reload; \"\": no TLS" },
	{ "tls.cert_pem", OPT_TEXT, TEXT(conf_listen, tls_cert_pem), "", 0, PEM_BYTES, NULL, OPT_LIVE, OPT_LOADED, "" },
	{ "tls.key", OPT_PATH, TEXT(conf_listen, tls_key), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "its key (PEM), readable by nobody else" },
	{ "tls.key_pem", OPT_TEXT, TEXT(conf_listen, tls_key_pem), "", 0, PEM_BYTES, NULL, OPT_LIVE, OPT_LOADED, "" },
	{ "tls.client_ca", OPT_PATH, TEXT(conf_listen, tls_client_ca), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "clients must show a certificate that one of these signed (PEM); \"\": none" },
	{ "tls.client_ca_pem", OPT_TEXT, TEXT(conf_listen, tls_client_ca_pem), "", 0, PEM_BYTES, NULL, OPT_LIVE, OPT_LOADED, "" },
	{ "origins", OPT_TEXTS, TEXTS(conf_listen, origins), "", 1, 255, NULL, OPT_LIVE, OPT_PLAIN,
	  "pages that may chat at a web door: \"https://chat.example.com\"; none: its own" },
	{ .path = NULL },
};

const struct opt conf_robot_options[] = {
	{ "name", OPT_TEXT, TEXT(conf_robot, name), "", 1, 64, NULL, OPT_LIVE, OPT_PLAIN,
	  "how log and /robot call it" },
	{ "type", OPT_WORD, NUMBER(conf_robot, kind), "rules", 0, 0, kind_words, OPT_LIVE, OPT_PLAIN,
	  "rules, hello, turing, turing2, openai, ollama or anthropic" },
	{ "url", OPT_TEXT, TEXT(conf_robot, url), "", 0, 2048, NULL, OPT_LIVE, OPT_PLAIN,
	  "address of the robot's API; \"\": the vendor's" },
	{ "api_key", OPT_TEXTS, TEXTS(conf_robot, api_key), "", 1, KEY_BYTES, NULL, OPT_LIVE, OPT_SECRET,
	  "the key, or a list of keys" },
	{ "api_key_file", OPT_PATH, TEXT(conf_robot, api_key_file), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "file that holds the key, one a line" },
	{ "api_key_env", OPT_TEXT, TEXT(conf_robot, api_key_env), "", 0, 128, NULL, OPT_LIVE, OPT_PLAIN,
	  "variable of the master's environment that holds the key" },
	{ "secret", OPT_TEXT, TEXT(conf_robot, secret), "", 0, 16, NULL, OPT_LIVE, OPT_SECRET,
	  "of a Turing robot whose encryption is switched on: 16 characters" },
	{ "ca_file", OPT_PATH, TEXT(conf_robot, ca_file), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "certificates (PEM) that sign an https server's; \"\": the system's" },
	{ "ca_file_pem", OPT_TEXT, TEXT(conf_robot, ca), "", 0, PEM_BYTES, NULL, OPT_LIVE, OPT_LOADED, "" },
	{ "model", OPT_TEXT, TEXT(conf_robot, model), "", 0, 256, NULL, OPT_LIVE, OPT_PLAIN,
	  "model that a model server is to use" },
	{ "system", OPT_TEXT, TEXT(conf_robot, system), "", 0, 65536, NULL, OPT_LIVE, OPT_PLAIN,
	  "system prompt: what a model is told before every chat" },
	{ "max_tokens", OPT_INT, NUMBER(conf_robot, max_tokens), "0", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "longest answer of a model in tokens; 0: as the server likes" },
	{ "max_tokens_name", OPT_WORD, NUMBER(conf_robot, max_tokens_name), "max_tokens", 0, 0, max_tokens_words, OPT_LIVE, OPT_PLAIN,
	  "how type openai sends it: max_tokens or max_completion_tokens" },
	{ "stream", OPT_BOOL, FLAG(conf_robot, stream), "true", 0, 0, NULL, OPT_LIVE, OPT_PLAIN,
	  "ask a model for its answer as it is written" },
	{ "stream_usage", OPT_BOOL, FLAG(conf_robot, stream_usage), "true", 0, 0, NULL, OPT_LIVE, OPT_PLAIN,
	  "type openai: ask for an account of tokens (stream_options), which old servers refuse" },
	{ "extra", OPT_TEXT, TEXT(conf_robot, extra), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "more members of a model's request, a JSON object: {\"temperature\":0.7}" },
	{ "max_inflight", OPT_INT, NUMBER(conf_robot, max_inflight), "0", 0, MANY, NULL, OPT_LIVE, OPT_PLAIN,
	  "requests at once over all workers, the others wait in line; 0: no limit" },
	{ "file", OPT_PATH, TEXT(conf_robot, file), "", 0, 4096, NULL, OPT_LIVE, OPT_PLAIN,
	  "rule file of type rules; \"\": the built-in rules" },
	{ "location", OPT_TEXT, TEXT(conf_robot, location), "", 0, 90, NULL, OPT_LIVE, OPT_PLAIN,
	  "where the askers are, for Turing's weather and the like" },
	{ "connect_timeout", OPT_MS, NUMBER(conf_robot, connect_ms), "3s", 1, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "until the connection stands" },
	{ "first_byte_timeout", OPT_MS, NUMBER(conf_robot, first_byte_ms), "20s", 1, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "until the reply begins, and in line for max_inflight" },
	{ "gap_timeout", OPT_MS, NUMBER(conf_robot, gap_ms), "20s", 1, HOUR, NULL, OPT_LIVE, OPT_PLAIN,
	  "from then on without progress: a heartbeat is none, text is" },
	{ "total_timeout", OPT_MS, NUMBER(conf_robot, total_ms), "5m", 1, DAY, NULL, OPT_LIVE, OPT_PLAIN,
	  "for the whole answer, retries included" },
	{ .path = NULL },
};
