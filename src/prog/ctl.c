/* ctl.c - xiaotuctl: a command to the running server. See xiaotuctl(8). */
#include "base/text.h"
#include "conf/conf_child.h"
#include "conf/conf_scan.h"
#include "ctl/ctl_ask.h"
#include "ctl/ctl_show.h"
#include "ctl/ctl_top.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/xiaotu/control.sock"

enum { OPT_JSON = 256, OPT_PROMETHEUS, ANSWER_MS = 10000, FOREVER = -1 };

static const char usage[] =
    "usage: xiaotuctl [-s SOCKET | -c FILE] COMMAND [--json | --prometheus]\n"
    "  status    what runs, and its counters (--prometheus: metrics for Prometheus)\n"
    "  workers   the processes of the pool\n"
    "  chats     who is there\n"
    "  robots    who answers, who rests and why\n"
    "  config    what is in effect, and where it was set\n"
    "  reload    take the configuration as it is now; tells what changed, or why nothing did\n"
    "  reopen    open the log again\n"
    "  stop      finish the answers under way, then end; quit is the same, twice is at once\n"
    "  upgrade   go on with the program that is on disk now\n"
    "  top       the server on one screen; q leaves\n"
    "\n"
    "  -s, --socket SOCKET   of the server (" DEFAULT_SOCKET ")\n"
    "  -c, --config FILE     the socket that this configuration names\n"
    "      --json            the document as it comes\n"
    "  -V, --version         -h, --help\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 usage, 7 nobody runs.\n";

/* How long its answer may take. */
static const struct command {
	const char *name;
	int limit_ms;
} commands[] = { { "status", ANSWER_MS }, { "workers", ANSWER_MS }, { "chats", ANSWER_MS },
	{ "robots", ANSWER_MS }, { "config", ANSWER_MS }, { "metrics", ANSWER_MS },
	{ "reload", FOREVER }, { "reopen", ANSWER_MS }, { "stop", FOREVER }, { "quit", FOREVER },
	{ "upgrade", FOREVER }, { "top", ANSWER_MS } };

struct wish {
	const struct command *command;
	const char *socket, *config;
	char found[128]; /* the socket that the configuration names */
	bool json, prometheus;
};

static _Noreturn void
die_usage(const char *what, const char *which)
{
	fprintf(stderr, "xiaotuctl: %s%s\n%s", what, which, usage);
	exit(CTL_USAGE);
}

static const struct command *
command_of(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	die_usage("unknown command: ", name);
}

static _Noreturn void
print_and_exit(const char *text)
{
	exit(fputs(text, stdout) < 0 || fflush(stdout) ? CTL_FAILED : CTL_DONE);
}

static void
set(struct wish *w, int option)
{
	switch (option) {
	case 's':
		w->socket = optarg;
		break;
	case 'c':
		w->config = optarg;
		break;
	case OPT_JSON:
		w->json = true;
		break;
	case OPT_PROMETHEUS:
		w->prometheus = true;
		break;
	case 'V':
		print_and_exit("xiaotuctl " XIAOTU_VERSION "\n");
	case 'h':
		print_and_exit(usage);
	default:
		fputs(usage, stderr);
		exit(CTL_USAGE);
	}
}

static void
read_options(struct wish *w, int argc, char **argv)
{
	static const struct option longs[] = { { "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, OPT_JSON },
		{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "s:c:Vh", longs, NULL)) != -1)
		set(w, option);
	if (optind == argc)
		die_usage("which command?", "");
	if (argc - optind > 1)
		die_usage("too much: ", argv[optind + 1]);
	w->command = command_of(argv[optind]);
	if (w->socket && w->config)
		die_usage("-s and -c do not go together", "");
	if (w->json && (w->prometheus || strcmp(w->command->name, "top") == 0))
		die_usage(
		    "--json does not go together with ", w->prometheus ? "--prometheus" : "top");
	if (w->prometheus && strcmp(w->command->name, "status") != 0)
		die_usage("--prometheus is for status", "");
	if (w->prometheus)
		w->command = command_of("metrics");
}

static int
fail(const struct err *e, enum ctl_exit status)
{
	fprintf(stderr, "xiaotuctl: %s\n", e->text);
	return (int)status;
}

/* A file that is no good just now is no reason not to ask the server. */
static enum ctl_exit
find_in_bad_file(struct wish *w, struct err *e)
{
	if (conf_scan_path(w->config, "control", w->found, sizeof w->found))
		return CTL_FAILED;
	fprintf(stderr, "xiaotuctl: %s (%s is asked all the same)\n", e->text, w->found);
	w->socket = w->found;
	return CTL_DONE;
}

/* The socket that the file names. Returns CTL_DONE with w->socket set. */
static enum ctl_exit
find_socket(struct wish *w, struct err *e)
{
	int memfd = -1;
	struct conf *c = conf_load_apart(w->config, false, &memfd, e);

	if (c == NULL)
		return find_in_bad_file(w, e);
	close(memfd);
	snprintf(w->found, sizeof w->found, "%s", c->control);
	w->socket = w->found;
	conf_free(c);
	if (*w->socket)
		return CTL_DONE;
	err_set(e, "%s: control is \"\", so nobody can be asked", w->config);
	return CTL_NOBODY;
}

/* Errors are for people, whatever the document is for. */
static void
print_error(const char *command, struct json_object *document)
{
	size_t n = 0;
	const char *why = json_text(document, "error", &n);
	struct text_clean clean = { .n_part = 0 };
	struct buf text;

	buf_init(&text, 1 << 16);
	(void)text_clean(&clean, why, n, &text);
	fprintf(stderr, "xiaotuctl: %s: %.*s\n", command, (int)text.len,
	    text.len ? buf_head(&text) : "");
	buf_release(&text);
}

static bool
put(const char *s, size_t n)
{
	return fwrite(s, 1, n, stdout) == n && fflush(stdout) == 0;
}

static enum ctl_exit
show(const struct wish *w, const struct buf *answer)
{
	struct json_object *document = json_read(buf_head(answer), answer->len);
	bool failed = json_has(document, "error"), written = true;
	struct buf text;

	buf_init(&text, CTL_BYTES);
	if (w->json || document == NULL)
		written = put(buf_head(answer), answer->len);
	else if (!failed)
		ctl_show(w->command->name, document, &text);
	if (text.len)
		written = put(buf_head(&text), text.len);
	if (failed)
		print_error(w->command->name, document);
	buf_release(&text);
	json_drop(document);
	return failed || !written ? CTL_FAILED : CTL_DONE;
}

int
main(int argc, char **argv)
{
	struct wish w = { .command = NULL };
	struct err e = { "" };
	enum ctl_exit status = CTL_DONE;
	struct buf answer;

	read_options(&w, argc, argv);
	if (w.config)
		status = find_socket(&w, &e);
	else if (w.socket == NULL)
		w.socket = DEFAULT_SOCKET;
	if (status != CTL_DONE)
		return fail(&e, status);
	if (strcmp(w.command->name, "top") == 0) {
		status = ctl_top(w.socket, &e);
		return status == CTL_DONE ? 0 : fail(&e, status);
	}
	buf_init(&answer, CTL_BYTES);
	status = ctl_ask(w.socket, w.command->name, w.command->limit_ms, &answer, &e);
	status = status == CTL_DONE ? show(&w, &answer) : (enum ctl_exit)fail(&e, status);
	buf_release(&answer);
	return (int)status;
}
