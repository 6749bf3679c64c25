/* server.c - xiaotud: options, and which of its lives it leads. */
#include "base/log.h"
#include "conf/conf_child.h"
#include "conf/conf_scan.h"
#include "conf/conf_show.h"
#include "master/master.h"
#include "master/pidfile.h"
#include "worker/worker.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_NOBODY = 7 };

static const char usage[] =
    "usage: xiaotud [-c FILE] [-t | -T] [-q] [-d] [-s reload|stop|quit|reopen|upgrade]\n"
    "  -c, --config FILE   the configuration (" XIAOTU_CONF ")\n"
    "  -t, --test          check the configuration, then exit\n"
    "  -T, --show          the same, and print what is in effect\n"
    "  -q, --quiet         with -t: say nothing when it is good\n"
    "  -d, --daemon        go into the background once it serves\n"
    "  -s, --signal WORD   tell the running master: reload, stop, quit, reopen,\n"
    "                      upgrade\n"
    "  -V, --version       -h, --help\n";

static const struct word {
	const char *word;
	int signal;
} words[] = { { "reload", SIGHUP }, { "stop", SIGTERM }, { "quit", SIGQUIT }, { "reopen", SIGUSR1 },
	{ "upgrade", SIGUSR2 }, { NULL, 0 } };

struct wish {
	struct master_options master;
	bool test, show;
	int signal;
};

static void __attribute__((noreturn)) die_usage(const char *what, const char *which)
{
	fprintf(stderr, "xiaotud: %s%s\n%s", what, which, usage);
	exit(EXIT_USAGE);
}

static int
signal_of(const char *word)
{
	for (const struct word *w = words; w->word; w++)
		if (strcmp(w->word, word) == 0)
			return w->signal;
	die_usage("-s knows no ", word);
}

static void
set(struct wish *w, int option)
{
	switch (option) {
	case 'c':
		w->master.path = optarg;
		w->master.optional = false;
		break;
	case 't':
		w->test = true;
		break;
	case 'T':
		w->test = w->show = true;
		break;
	case 'q':
		w->master.quiet = true;
		break;
	case 'd':
		w->master.daemon = true;
		break;
	case 's':
		w->signal = signal_of(optarg);
		break;
	case 'V':
		puts("xiaotud " XIAOTU_VERSION);
		exit(0);
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		exit(EXIT_USAGE);
	}
}

/* A relative path would mean another file once -d changed the directory. */
static const char *
absolute(const char *path)
{
	static char out[8192];
	char *here;

	if (path[0] == '/')
		return path;
	here = getcwd(NULL, 0);
	snprintf(out, sizeof out, "%s/%s", here ? here : "", path);
	free(here);
	return out;
}

/* Where this program is on disk, for an upgrade; the file may be replaced later. */
static const char *
own_path(void)
{
	static char out[4096];
	ssize_t n = readlink("/proc/self/exe", out, sizeof out - 1);

	out[n > 0 ? n : 0] = '\0';
	return out;
}

static int
fail(const struct err *e)
{
	fprintf(stderr, "xiaotud: %s\n", e->text);
	return 1;
}

static int
show(const struct conf *c)
{
	struct buf out;
	int bad;

	buf_init(&out, 64 << 20);
	bad = conf_dump(c, CONF_MASKED, &out);
	bad = bad || fwrite(buf_head(&out), 1, out.len, stdout) != out.len || fflush(stdout);
	buf_release(&out);
	return bad ? 1 : 0;
}

static int
test(const struct wish *w)
{
	struct err e = { "" };
	int memfd = -1, status = 0;
	struct conf *c = conf_load_apart(w->master.path, w->master.optional, &memfd, &e);

	if (c == NULL)
		return fail(&e);
	if (w->show)
		status = show(c);
	else if (!w->master.quiet)
		printf("xiaotud: %s: good\n", c->origin);
	conf_free(c);
	close(memfd);
	return status;
}

/* Of the file that says who runs. Returns 0, or -1: the configuration is no good. To stop and to
 * reopen the log it need not be. */
static int
find_pid_file(const struct wish *w, char *path, size_t size, struct err *e)
{
	int memfd = -1;
	struct conf *c = conf_load_apart(w->master.path, w->master.optional, &memfd, e);

	if (c != NULL) {
		snprintf(path, size, "%s", c->pid_file);
		close(memfd);
		conf_free(c);
		return 0;
	}
	if (w->signal == SIGHUP || w->signal == SIGUSR2 ||
	    conf_scan_path(w->master.path, "pid_file", path, size))
		return -1;
	fprintf(stderr, "xiaotud: %s (by %s all the same)\n", e->text, path);
	return 0;
}

static int
send_signal(const struct wish *w)
{
	char path[4097];
	struct err e = { "" };
	pid_t pid;

	if (find_pid_file(w, path, sizeof path, &e))
		return fail(&e);
	if (*path == '\0') {
		fprintf(stderr,
		    "xiaotud: %s: pid_file is not set, so nobody is known to run "
		    "(set it and start again; or use xiaotuctl, or kill)\n",
		    w->master.path);
		return EXIT_NOBODY;
	}
	pid = pidfile_owner(path, &e);
	if (pid == 0 || (pid > 0 && kill(pid, w->signal) < 0 && errno == ESRCH)) {
		fprintf(stderr, "xiaotud: nobody runs (%s)\n", path);
		return EXIT_NOBODY;
	}
	return pid < 0 ? fail(&e) : 0;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' }, { "show", no_argument, NULL, 'T' },
		{ "quiet", no_argument, NULL, 'q' }, { "daemon", no_argument, NULL, 'd' },
		{ "signal", required_argument, NULL, 's' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct wish w = { .master = { .path = XIAOTU_CONF, .optional = true } };
	int option;

	while ((option = getopt_long(argc, argv, "c:tTqds:Vh", longs, NULL)) != -1)
		set(&w, option);
	if (optind < argc)
		die_usage("too much: ", argv[optind]);
	w.master.path = absolute(w.master.path);
	if (w.test)
		return test(&w);
	if (w.signal)
		return send_signal(&w);
	w.master.program = own_path();
	return master_run(&w.master, worker_run);
}
