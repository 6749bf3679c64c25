/* oracle.h - what must hold after every end-to-end test.
 * For:     the end of each test with a server.     Callers: tests/lib/server.c.
 * Holds:   a violated rule fails the running test, naming process or log line.
 * Memory:  struct oracle is embedded, zeroed is fresh; oracle_release() frees the secrets. */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include <stdbool.h>
#include <sys/types.h>

enum { ORACLE_SECRETS = 64 };

struct oracle {
	int master; /* descriptors it had, -1: unknown */
	int worker; /* the most that one of its workers had */
	char *secrets[ORACLE_SECRETS];
	int n_secrets;
};

void oracle_release(struct oracle *o);

/* Remember every quoted text behind `api_key =`, up to the `;`. */
void oracle_note_secrets(struct oracle *o, const char *config);

/* Descriptors of the master and its workers now. */
void oracle_baseline(struct oracle *o, pid_t master);
/* Descriptors are back (bounded wait), the secrets in no command line and no environment. */
void oracle_check_running(const struct oracle *o, pid_t master, int worker_slack);
/* Nobody of them spins: each uses less than 2 % of a moment (bounded wait for such a moment). */
void oracle_check_idle(pid_t master);
/* No process with the tag is left (bounded wait). */
void oracle_check_ended(const struct oracle *o, const char *tag);
/* No sanitizer report, no secret; and unless the test is about that, no alert and no worker that
 * died of a signal. */
struct oracle_may {
	bool crash, alert;
};
void oracle_check_log(const struct oracle *o, const char *path, struct oracle_may may);

/* Does the line hold every word of `words`, which are separated by one space? */
bool oracle_has_words(const char *line, const char *words);
/* The whole file, NUL behind it; "" when there is none. Gives. */
char *oracle_read_file(const char *path);

#endif
