/* fuzz_control.c - master/control_command: a line on the control socket is one command exactly, or
 * none. Everything a command would do is replaced by the functions below, which note it. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "master/control_client.h"
#include "master/control_show.h"
#include "master/master.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static struct {
	int answers, errors, awaits, actions;
} seen;

void
control_answer(struct control_client *cl)
{
	(void)cl;
	seen.answers++;
}

void
control_answer_error(struct control_client *cl, const char *why)
{
	struct json_object *o;

	buf_cut(&cl->out, 0);
	FUZZ_CHECK(buf_adds(&cl->out, "{\"error\":") == 0);
	FUZZ_CHECK(json_write(why, strlen(why), &cl->out) == 0 && buf_adds(&cl->out, "}") == 0);
	o = json_read(buf_head(&cl->out), cl->out.len);
	FUZZ_CHECK(o != NULL);
	json_drop(o);
	seen.errors++;
}

void
control_await(struct control_client *cl, enum control_wait wait)
{
	cl->wait = wait;
	seen.awaits++;
}

#define SHOW(name)                                                                                 \
	int name(const struct master *m, struct buf *out)                                          \
	{                                                                                          \
		(void)m;                                                                           \
		seen.actions++;                                                                    \
		return buf_adds(out, "{}\n");                                                      \
	}
SHOW(control_show_status)
SHOW(control_show_workers)
SHOW(control_show_robots)
SHOW(control_show_config)
SHOW(control_show_metrics)

void
reload_start(struct reload *r)
{
	(void)r;
	seen.actions++;
}

const char *
upgrade_start(struct upgrade *u)
{
	(void)u;
	seen.actions++;
	return NULL;
}

void
master_stop(struct master *m, const char *why)
{
	(void)m;
	(void)why;
	seen.actions++;
}

int
master_reopen_log(struct master *m)
{
	(void)m;
	seen.actions++;
	return 0;
}

void
control_chats_start(struct control_chats *c)
{
	(void)c;
	seen.actions++;
}

bool
control_chats_runs(const struct control_chats *c)
{
	(void)c;
	return false;
}

void
control_chats_on_listed(struct control_chats *c, int slot, const struct chan_msg *msg)
{
	(void)c;
	(void)slot;
	(void)msg;
}

static bool
is_command(const char *line, size_t n)
{
	static const char *const names[] = { "status", "workers", "chats", "robots", "config",
		"metrics", "reload", "reopen", "stop", "quit", "upgrade" };

	while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == n && memcmp(names[i], line, n) == 0)
			return true;
	return false;
}

static void
run_line(struct master *m, const char *line, size_t n)
{
	struct control c = { .m = m };
	struct control_client cl = { .c = &c };
	char *copy = mem_zalloc(n);

	memcpy(copy, line, n);
	memset(&seen, 0, sizeof seen);
	list_init(&c.clients);
	list_append(&c.clients, &cl.link);
	buf_init(&cl.out, 4096);
	control_run_line(&cl, copy, n);
	FUZZ_CHECK(seen.answers + seen.errors + seen.awaits > 0);
	FUZZ_CHECK((seen.errors > 0) == !is_command(line, n));
	FUZZ_CHECK((seen.actions == 1) == is_command(line, n));
	buf_release(&cl.out);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct master *m;
	const char *s = (const char *)data;
	char *line;
	size_t n_line;

	if (m == NULL) {
		m = mem_zalloc(sizeof *m);
		log_use(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_DEBUG_);
	}
	while ((line = fuzz_next(&s, &n, &n_line)) != NULL) {
		run_line(m, line, n_line);
		free(line);
	}
	return 0;
}
