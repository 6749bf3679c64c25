/* server.h - a real xiaotud under test, in a folder and on a loopback address of its own.
 * For:     end-to-end tests.     Callers: tests/e2e.
 * Holds:   programs come from the folder XIAOTU_BIN. Every wait is bounded; what does not come
 *          fails the test. server_stop() is the oracle of each test: exit status, log, workers,
 *          descriptors, leftovers, secrets. Should the test die first, a keeper process ends the
 *          server, prints the end of its log and removes the folder.
 *          XIAOTU_WRAP is a program with options to run xiaotud by (valgrind).
 *          In configurations $ADDR is the server's address, $DIR its folder, $BOT the URL of the
 *          fake robot at port SERVER_BOT_PORT of that address. Every `api_key` is a secret, and
 *          with one the log tells all there is to tell, unless the configuration says otherwise.
 * Memory:  server_new() gives a server, freed by server_stop() or server_end(). */
#ifndef TESTS_LIB_SERVER_H
#define TESTS_LIB_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SERVER_MS = 10000, SERVER_STOP_MS = 15000, SERVER_PORT = 9999, SERVER_BOT_PORT = 8000 };
enum { SERVER_WORKERS_MAX = 64, SERVER_LINE_BYTES = 2100 };
/* What a worker has once it has served: its share of libraries, heaps and connections kept. */
enum { SERVER_SLACK_KIB = 4096 };

struct server {
	pid_t pid; /* the master */
	char address[32];
	char folder[64];
	char config[96];       /* path of the configuration */
	char output[96];       /* path of what it writes to stderr and stdout */
	char log[160];         /* path of its log: the same unless log.target is a file in $DIR */
	int workers;           /* how many there should be, as configured */
	int worker_slack;      /* descriptors a worker may keep above its baseline */
	long memory_slack_kib; /* and memory */
	bool may_crash;        /* a worker may die of a signal */
	bool may_alert;        /* the log may hold an alert */
	/* In the child, as the last thing before it becomes xiaotud; NULL: nothing. */
	void (*prepare)(void *arg);
	void *prepare_arg;
	struct server_own *own;
};

/* The loopback address of this test: every process has another one. */
const char *server_address(void);
/* The path of a program in XIAOTU_BIN. */
const char *server_program(const char *name);

/* Folder and configuration alone; nothing runs yet. */
struct server *server_new(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Start `xiaotud -c CONFIG` and wait until it serves. */
struct server *server_start(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Start it without waiting; and wait for the line that says it serves. */
void server_run(struct server *s);
void server_wait_ready(struct server *s);
/* The same for one whose log says nothing: its door at SERVER_PORT opens. */
void server_wait_open(struct server *s);
/* A daemon that somebody else started: it is our child by PR_SET_CHILD_SUBREAPER. */
void server_adopt(struct server *s, pid_t pid);

/* Replace the configuration, by rename, mode 0600. The server is not told. */
void server_config(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void server_signal(struct server *s, int signal);
void server_hup(struct server *s);
/* HUP, and wait for the outcome; `words` are about the reason. */
void server_reload_ok(struct server *s);
void server_reload_rejected(struct server *s, const char *words);

/* Wait for a log line, behind the last one waited for, that holds all of the words (one space
 * between them). Returns it, valid until the next wait. */
const char *server_wait_log(struct server *s, const char *words);
/* Lines of the whole log that hold all of the words. */
int server_count_log(struct server *s, const char *words);
/* The whole log; valid until the next call. */
const char *server_read_log(struct server *s);
/* The number behind `key=` in a line, -1 without one. */
long server_log_number(const char *line, const char *key);

/* The workers now; and after waiting until there are so many (bounded by limit_ms). */
int server_pids(struct server *s, pid_t *pids);
void server_wait_workers(struct server *s, int n, int limit_ms);
/* The worker that serves the chat whose peer has this port. */
pid_t server_worker_of(struct server *s, int peer_port);

/* Take the number of descriptors now as the one that must be found at the end. */
void server_baseline(struct server *s);
/* Right number of workers, no zombie, descriptors at the baseline, nobody spins, no secret to be
 * seen. All peers must have left. */
void server_check(struct server *s);

/* Wait for its end (bounded). Returns the exit status, or 128 + signal. */
int server_wait_exit(struct server *s);
/* server_check(), TERM, exit status 0, server_end(). */
void server_stop(struct server *s);
/* After its end: nobody left, nothing bad and no secret in the log. Frees the server. */
void server_end(struct server *s);

#endif
