/* control_command.c - see control.h: the command table, and clients who wait for something. */
#include "master/control_client.h"

#include "base/json.h"
#include "base/log.h"
#include "master/control_show.h"
#include "master/master.h"

#include <stdio.h>
#include <string.h>

/* --- the commands ---------------------------------------------------------------------------- */

static void
start_chats(struct control *c)
{
	list_each (it, &c->clients) {
		struct control_client *cl = list_item(it, struct control_client, link);

		cl->wait = cl->wait == WAIT_NEXT_CHATS ? WAIT_CHATS : cl->wait;
	}
	control_chats_start(&c->chats);
}

/* Whoever asked after the round began wants one that began after. */
void
control_on_chats(void *arg, const struct buf *document)
{
	struct control *c = arg;
	bool again = false;

	list_each (it, &c->clients) {
		struct control_client *cl = list_item(it, struct control_client, link);

		again |= cl->wait == WAIT_NEXT_CHATS;
		if (cl->wait != WAIT_CHATS)
			continue;
		cl->wait = WAIT_NOTHING;
		(void)buf_add(&cl->out, buf_head(document), document->len);
		control_answer(cl);
	}
	if (again)
		start_chats(c);
}

static void
do_chats(struct control_client *cl)
{
	control_await(cl, WAIT_NEXT_CHATS);
	if (!control_chats_runs(&cl->c->chats))
		start_chats(cl->c);
}

/* One that is under way began before the file was as it is now: the next one counts. */
static void
do_reload(struct control_client *cl)
{
	struct master *m = cl->c->m;

	if (m->stopping) {
		control_answer_error(cl, "the server is leaving");
		return;
	}
	control_await(cl, WAIT_RELOAD);
	cl->awaited = m->reload.begun + 1;
	reload_start(&m->reload);
}

static void
do_upgrade(struct control_client *cl)
{
	const char *why;

	control_await(cl, WAIT_UPGRADE);
	why = upgrade_start(&cl->c->m->upgrade);
	if (why == NULL)
		return;
	cl->wait = WAIT_NOTHING;
	control_answer_error(cl, why);
}

/* The answer comes at once, the end of the stream with our own. */
static void
do_stop(struct control_client *cl)
{
	(void)buf_adds(&cl->out, "{\"result\":\"stopping\"}\n");
	control_answer(cl);
	control_await(cl, WAIT_EXIT);
	master_stop(cl->c->m, "control");
}

static void
do_reopen(struct control_client *cl)
{
	if (master_reopen_log(cl->c->m)) {
		control_answer_error(cl, "the log could not be opened again; the old one says why");
		return;
	}
	(void)buf_adds(&cl->out, "{\"result\":\"ok\"}\n");
	control_answer(cl);
}

/* Either a document of what is known, or something that is done. */
static const struct command {
	const char *name;
	int (*show)(const struct master *m, struct buf *out);
	void (*run)(struct control_client *cl);
} commands[] = {
	{ "status", control_show_status, NULL },
	{ "workers", control_show_workers, NULL },
	{ "chats", NULL, do_chats },
	{ "robots", control_show_robots, NULL },
	{ "config", control_show_config, NULL },
	{ "metrics", control_show_metrics, NULL },
	{ "reload", NULL, do_reload },
	{ "reopen", NULL, do_reopen },
	{ "stop", NULL, do_stop },
	{ "quit", NULL, do_stop },
	{ "upgrade", NULL, do_upgrade },
};

static void
run(struct control_client *cl, const struct command *command)
{
	if (command->run) {
		if (command->run != do_chats)
			log_notice("control command=%s uid=%u", command->name, cl->uid);
		command->run(cl);
		return;
	}
	if (command->show(cl->c->m, &cl->out))
		control_answer_error(cl, "too large");
	else
		control_answer(cl);
}

void
control_run_line(struct control_client *cl, const char *line, size_t n)
{
	char why[320] = "unknown command; known are";
	size_t at = strlen(why);

	while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strlen(commands[i].name) == n && memcmp(commands[i].name, line, n) == 0) {
			run(cl, &commands[i]);
			return;
		}
		at += (size_t)snprintf(why + at, sizeof why - at, " %s", commands[i].name);
	}
	control_answer_error(cl, why);
}

/* --- what they wait for ---------------------------------------------------------------------- */

void
control_on_reload(struct control *c, int64_t number, const char *why, const struct buf *changes)
{
	if (c == NULL)
		return;
	list_each (it, &c->clients) {
		struct control_client *cl = list_item(it, struct control_client, link);

		if (cl->wait != WAIT_RELOAD || cl->awaited > number)
			continue;
		cl->wait = WAIT_NOTHING;
		(void)buf_addf(&cl->out, "{\"result\":\"%s\"", why ? "rejected" : "ok");
		if (why)
			(void)(buf_adds(&cl->out, ",\"error\":") ||
			       json_write(why, strlen(why), &cl->out));
		(void)buf_addf(&cl->out, ",\"changed\":[%.*s]}\n", (int)changes->len,
		    changes->len ? buf_head(changes) : "");
		control_answer(cl);
	}
}

void
control_on_upgrade(struct control *c, const char *why)
{
	if (c == NULL)
		return;
	list_each (it, &c->clients) {
		struct control_client *cl = list_item(it, struct control_client, link);

		if (cl->wait != WAIT_UPGRADE)
			continue;
		cl->wait = WAIT_NOTHING;
		if (why) {
			control_answer_error(cl, why);
		} else {
			(void)buf_adds(&cl->out, "{\"result\":\"ok\"}\n");
			control_answer(cl);
		}
	}
}

void
control_on_listed(struct control *c, int slot, const struct chan_msg *msg)
{
	if (c)
		control_chats_on_listed(&c->chats, slot, msg);
}
