/* load.c - see load.h.
 *   open N [GAP_US]          until N are open, one each GAP_US
 *   talk SECONDS             all in ping-pong
 *   each K                   K messages of each, ping-pong
 *   rate PER_SECOND SECONDS  at this rate, whatever comes back
 *   wave SECONDS             one message of each, begun within so long (0: at once)
 *   serial K                 K messages, one after the other
 *   visit N SECONDS          N at once: connect, be greeted, leave, again
 *   close */
#include "bench/load.h"

#include "base/mem.h"
#include "bench/crowd.h"
#include "bench/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 64, SPARE_FDS = 100, LIMIT_S = 30, COUNTED_LIMIT_S = 600 };

struct child {
	pid_t pid;
	int fd;
	struct outcome *out; /* shared */
};

struct load {
	int n_children, most_each, n_open;
	struct child children[CHILDREN];
	struct outcome sum;
};

static const struct word {
	const char *name;
	enum order_kind kind;
} words[] = { { "open", ORDER_OPEN }, { "talk", ORDER_TALK }, { "each", ORDER_TALK },
	{ "rate", ORDER_RATE }, { "wave", ORDER_WAVE }, { "serial", ORDER_SERIAL },
	{ "visit", ORDER_VISIT }, { "close", ORDER_CLOSE } };

static _Noreturn void
child_run(struct child *me, enum peer_speaks how, int port, unsigned part, int most)
{
	struct crowd *c = crowd_new(how, port, part, most);
	struct order o;

	tool_die_with_parent();
	while (read(me->fd, &o, sizeof o) == sizeof o) {
		crowd_obey(c, &o, me->out);
		if (write(me->fd, "", 1) != 1)
			break;
	}
	crowd_free(c);
	exit(0);
}

static void
child_start(struct load *l, int i, enum peer_speaks how, int port)
{
	struct child *child = &l->children[i];
	int pair[2];

	child->out = mmap(
	    NULL, sizeof *child->out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child->out == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		tool_die("socketpair");
	child->pid = fork();
	if (child->pid < 0)
		tool_die("fork");
	child->fd = pair[child->pid == 0];
	close(pair[child->pid != 0]);
	if (child->pid)
		return;
	for (int k = 0; k < i; k++)
		close(l->children[k].fd);
	child_run(child, how, port, (unsigned)(getpid() % 200 + 1 + i), l->most_each);
}

/* The share of child i of n. */
static int
share(const struct load *l, int n, int i)
{
	return n / l->n_children + (i < n % l->n_children);
}

static void
order_child(struct load *l, int i, const struct order *all)
{
	struct order o = *all;

	o.n = share(l, all->n, i);
	o.gap_ns *= l->n_children;
	o.begin_ns += i * all->gap_ns;
	if (write(l->children[i].fd, &o, sizeof o) != sizeof o)
		tool_die("write to a child");
}

static void
take(struct outcome *sum, const struct outcome *one)
{
	sum->n_answers += one->n_answers;
	sum->n_in_time += one->n_in_time;
	sum->n_refusals += one->n_refusals;
	sum->n_lost += one->n_lost;
	sum->n_open += one->n_open;
	if (one->last_ns > sum->last_ns)
		sum->last_ns = one->last_ns;
	spread_merge(&sum->took, &one->took);
}

static void
print(const struct outcome *o, const struct order *order)
{
	bool timed = order->length_ns && order->kind != ORDER_WAVE;
	int64_t took_ns = timed ? order->length_ns : o->last_ns - order->begin_ns;
	int64_t n = timed ? o->n_in_time : o->n_answers;

	printf("{\"open\":%lld,\"answers\":%lld,\"refusals\":%lld,\"lost\":%lld,\"seconds\":%.6f,"
	       "\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
	    (long long)o->n_open, (long long)o->n_answers, (long long)o->n_refusals,
	    (long long)o->n_lost, (double)took_ns / SECOND_NS,
	    took_ns > 0 ? (double)n * SECOND_NS / (double)took_ns : 0.0,
	    (double)spread_at(&o->took, 0.5) / 1000, (double)spread_at(&o->took, 0.99) / 1000,
	    (double)spread_at(&o->took, 0.999) / 1000, (double)o->took.most_ns / 1000);
	fflush(stdout);
}

static void
obey(struct load *l, struct order *o)
{
	char done;

	o->begin_ns = tool_now_ns() + 2000000; /* all children have heard of it by then */
	for (int i = 0; i < l->n_children; i++)
		order_child(l, i, o);
	memset(&l->sum, 0, sizeof l->sum);
	for (int i = 0; i < l->n_children; i++) {
		if (read(l->children[i].fd, &done, 1) != 1) {
			fprintf(stderr, "bench: a process of the generator ended\n");
			exit(1);
		}
		take(&l->sum, l->children[i].out);
	}
	print(&l->sum, o);
}

/* Returns false for what is no order. */
static bool
parse(const char *line, struct order *o)
{
	char name[16];
	double a = 0, b = 0;
	int n = sscanf(line, "%15s %lf %lf", name, &a, &b);
	const struct word *word = NULL;

	memset(o, 0, sizeof *o);
	for (size_t i = 0; n > 0 && i < sizeof words / sizeof *words; i++)
		if (strcmp(name, words[i].name) == 0)
			word = &words[i];
	if (word == NULL)
		return false;
	o->kind = word->kind;
	o->limit_ns = LIMIT_S * SECOND_NS;
	o->n = (int)a;
	if (o->kind == ORDER_OPEN)
		o->gap_ns = (int64_t)(b * 1000);
	else if (strcmp(name, "each") == 0)
		o->each = (int)a;
	else if (o->kind == ORDER_TALK || o->kind == ORDER_WAVE)
		o->length_ns = (int64_t)(a * SECOND_NS);
	else if (o->kind == ORDER_RATE || o->kind == ORDER_VISIT)
		o->length_ns = (int64_t)(b * SECOND_NS);
	if (o->each || o->kind == ORDER_SERIAL)
		o->limit_ns = COUNTED_LIMIT_S * SECOND_NS; /* a debugger may slow them down */
	if (o->kind == ORDER_RATE)
		o->gap_ns = a > 0 ? (int64_t)(SECOND_NS / a) : SECOND_NS;
	return true;
}

static bool
opens(const struct order *o)
{
	return o->kind == ORDER_OPEN || o->kind == ORDER_VISIT;
}

void
load_run(enum peer_speaks how, int port, int most, int n_children)
{
	struct load *l = mem_zalloc(sizeof *l);
	int room = tool_raise_limit() - SPARE_FDS;
	char line[128];
	struct order o;

	l->n_children = (most + room - 1) / room;
	if (l->n_children < n_children)
		l->n_children = n_children;
	if (l->n_children > CHILDREN) {
		fprintf(stderr, "bench: too many connections for the limit of descriptors\n");
		exit(1);
	}
	l->most_each = most / l->n_children + 1;
	for (int i = 0; i < l->n_children; i++)
		child_start(l, i, how, port);
	while (fgets(line, sizeof line, stdin)) {
		if (!parse(line, &o) || (opens(&o) && o.n > most)) {
			fprintf(stderr, "bench: no order: %s", line);
			exit(2);
		}
		obey(l, &o);
	}
	for (int i = 0; i < l->n_children; i++)
		close(l->children[i].fd);
	while (wait(NULL) > 0)
		continue;
	free(l);
}
