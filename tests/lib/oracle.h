/* oracle.h - what must hold after every end-to-end test.
 * For:     the end of each test with a server.     Callers: tests/lib, tests/e2e.
 * Holds:   a violated rule fails the running test, naming process or log line.
 * Memory:  struct oracle is embedded, zeroed is fresh. */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { ORACLE_SECRETS = 1024 };

struct oracle {
	int master;                  /* descriptors it had, -1: unknown */
	int worker;                  /* the most that one of its workers had */
	long master_kib, worker_kib; /* memory of their own: the same */
};

/* --- secrets: those of all configurations of this process, and what they look like in a URL and in
 * base64, wherever in a longer text --- */

/* Remember every quoted text behind `api_key =`, up to the `;`. */
void oracle_note_secrets(const char *config);
/* None of them is in these bytes; `what` says where they come from. */
void oracle_check_bytes(const char *what, const char *bytes, size_t n);
/* The longest look of one. */
size_t oracle_secret_bytes(void);

/* --- processes --- */

/* What a worker may keep above its baseline. */
struct oracle_slack {
	int descriptors;
	long kib;
};

/* Descriptors and memory of the master and its workers now. */
void oracle_baseline(struct oracle *o, pid_t master);
/* Both are back (bounded wait), but for 5 % of the memory; the secrets in no command line and no
 * environment. Sanitizers keep what was freed, so then memory is not looked at. */
void oracle_check_running(const struct oracle *o, pid_t master, struct oracle_slack slack);
/* Nobody of them spins: each uses less than 2 % of a moment (bounded wait for such a moment). */
void oracle_check_idle(pid_t master);
/* No process with the tag is left (bounded wait). */
void oracle_check_ended(const char *tag);
/* Built with AddressSanitizer, or run by XIAOTU_WRAP, so slower and larger. */
bool oracle_is_sanitized(void);

/* --- logs --- */

/* No sanitizer report, no secret; and unless the test is about that, no alert and no worker that
 * died of a signal. */
struct oracle_may {
	bool crash, alert;
};
void oracle_check_log(const char *path, struct oracle_may may);
/* No secret in any file of the folder that has `log` or `output` in its name. */
void oracle_check_folder(const char *folder);

/* Does the line hold every word of `words`, which are separated by one space? */
bool oracle_has_words(const char *line, const char *words);
/* The whole file, NUL behind it; "" when there is none. Gives. */
char *oracle_read_file(const char *path);

#endif
