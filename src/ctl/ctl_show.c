/* ctl_show.c - see ctl_show.h. */
#include "ctl/ctl_show.h"

#include "base/text.h"
#include "ctl/ctl_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_BYTES = 1 << 20 };

int64_t
ctl_number(struct json_object *o, const char *key)
{
	int64_t n = 0;

	return json_whole(o, key, &n) ? n : 0;
}

void
ctl_age(int64_t seconds, char out[32])
{
	int64_t minutes = seconds / 60, hours = minutes / 60;

	if (hours >= 24)
		snprintf(out, 32, "%" PRId64 "d%" PRId64 "h", hours / 24, hours % 24);
	else if (hours)
		snprintf(out, 32, "%" PRId64 "h%" PRId64 "m", hours, minutes % 60);
	else if (minutes)
		snprintf(out, 32, "%" PRId64 "m%" PRId64 "s", minutes, seconds % 60);
	else
		snprintf(out, 32, "%" PRId64 "s", seconds);
}

/* --- parts ----------------------------------------------------------------------------------- */

static void
cell_text(struct ctl_table *t, struct json_object *o, const char *key)
{
	size_t n = 0;
	const char *s = json_text(o, key, &n);

	if (s == NULL || n == 0)
		ctl_table_cell(t, "-");
	else
		ctl_table_text(t, s, n);
}

static void
cell_number(struct ctl_table *t, struct json_object *o, const char *key)
{
	ctl_table_cell(t, "%" PRId64, ctl_number(o, key));
}

static void
cell_age(struct ctl_table *t, struct json_object *o)
{
	char age[32];

	ctl_age(ctl_number(o, "seconds"), age);
	ctl_table_cell(t, "%s", age);
}

/* Milliseconds of a percentile; "-" when nothing was measured. */
static void
cell_ms(struct ctl_table *t, struct json_object *o, const char *key, const char *percentile)
{
	struct json_object *time = json_object_member(o, key);
	size_t n = 0;
	const char *s = json_scalar(time, percentile, &n);

	if (ctl_number(time, "count") == 0)
		ctl_table_cell(t, "-");
	else
		ctl_table_text(t, s, n > 4 && strcmp(s + n - 4, ".000") == 0 ? n - 4 : n);
}

/* Append text without what a terminal must not get. */
static void
put_clean(struct buf *out, const char *s, size_t n)
{
	struct text_clean clean = { .n_part = 0 };

	(void)(text_clean(&clean, s, n, out) || text_clean_end(&clean, out));
}

static void
put_text(struct buf *out, struct json_object *o, const char *key)
{
	size_t n = 0;
	const char *s = json_text(o, key, &n);

	put_clean(out, s ? s : "", n);
}

/* --- status ---------------------------------------------------------------------------------- */

static void
put_row(struct buf *out, const char *name, struct json_object *o, const char *const *keys)
{
	(void)buf_addf(out, "%-14s", name);
	for (int i = 0; keys[2 * i]; i++)
		(void)buf_addf(out, "%s%" PRId64 "%s%s", i ? ", " : "", ctl_number(o, keys[2 * i]),
		    *keys[2 * i + 1] ? " " : "", keys[2 * i + 1]);
	(void)buf_adds(out, "\n");
}

#define ROW(out, name, o, ...) put_row(out, name, o, (const char *const[]){ __VA_ARGS__, NULL })

static void
put_latency(struct buf *out, struct json_object *o)
{
	static const char *const percentiles[] = { "p50", "p90", "p99" };
	struct json_object *time = json_object_member(o, "message_duration_ms");
	size_t n;

	if (ctl_number(time, "count") == 0)
		return;
	(void)buf_addf(out, "%-14s", "latency");
	for (int i = 0; i < 3; i++)
		(void)buf_addf(out, "%s%s ms %s", i ? ", " : "",
		    json_scalar(time, percentiles[i], &n), percentiles[i]);
	(void)buf_adds(out, "\n");
}

static void
put_list(struct buf *out, struct json_object *list)
{
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		size_t n = 0;
		const char *s = json_item_text(list, i, &n);

		(void)buf_adds(out, i ? ", " : "");
		put_clean(out, s ? s : "", n);
	}
}

void
ctl_show_status(struct json_object *o, struct buf *out)
{
	struct json_object *workers = json_object_member(o, "workers");
	char age[32];

	ctl_age(ctl_number(o, "uptime_seconds"), age);
	(void)buf_adds(out, "xiaotud ");
	put_text(out, o, "version");
	(void)buf_addf(out, ", pid %" PRId64 ", ", ctl_number(o, "pid"));
	put_text(out, o, "state");
	(void)buf_addf(out, " for %s%s\n", age, json_true(o, "reloading") ? ", reloading" : "");
	(void)buf_addf(out, "%-14s", "configuration");
	put_text(out, o, "conf");
	(void)buf_addf(out, "\n%-14s", "doors");
	put_list(out, json_list(o, "listen"));
	(void)buf_adds(out, "\n");
	ROW(out, "workers", workers, "wanted", "wanted", "ready", "ready", "starting", "starting",
	    "leaving", "leaving");
	ROW(out, "chats", o, "chats", "now", "accepted", "accepted", "accept_failures",
	    "failed accepts");
	ROW(out, "messages", o, "messages", "taken", "answers", "answered", "failures", "failed",
	    "rejected", "rejected");
	put_latency(out, o);
	ROW(out, "tokens", o, "tokens_in", "in", "tokens_out", "out");
	ROW(out, "moves", o, "moved_out", "out", "moved_in", "in", "moves_failed", "failed");
	ROW(out, "reloads", o, "reload_ok", "ok", "reload_rejected", "rejected");
	ROW(out, "worker deaths", o, "death_signal", "by a signal", "death_exit", "by themselves",
	    "death_hang", "hung", "death_start", "late to start", "death_drain", "late to leave");
	(void)buf_addf(out, "%-14s%" PRId64 " lines lost\n", "log", ctl_number(o, "log_lost"));
}

/* --- tables ---------------------------------------------------------------------------------- */

void
ctl_show_workers(struct json_object *o, struct buf *out)
{
	static const char *const heads[] = { ">SLOT", ">PID", "STATE", ">FOR", ">CHATS",
		">ACCEPTED", ">MESSAGES", ">FAILED", ">P50 MS", ">P99 MS", ">BEAT MS", NULL };
	struct json_object *list = json_list(o, "workers");
	struct ctl_table t;

	ctl_table_begin(&t, heads);
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		struct json_object *w = json_list_at(list, i);

		cell_number(&t, w, "slot");
		cell_number(&t, w, "pid");
		if (json_true(w, "tired"))
			ctl_table_cell(&t, "tired");
		else
			cell_text(&t, w, "state");
		cell_age(&t, w);
		cell_number(&t, w, "chats");
		cell_number(&t, w, "accepted");
		cell_number(&t, w, "messages");
		cell_number(&t, w, "failures");
		cell_ms(&t, w, "message_duration_ms", "p50");
		cell_ms(&t, w, "message_duration_ms", "p99");
		cell_number(&t, w, "beat_ms");
	}
	ctl_table_put(&t, out);
}

static void
show_chats(struct json_object *o, struct buf *out)
{
	static const char *const heads[] = { ">CHAT", "USER", "FROM", ">FOR", "DIALECT", "ROBOT",
		"ANSWERING", ">WAITING", ">WORKER", NULL };
	struct json_object *list = json_list(o, "chats"), *missing = json_list(o, "missing");
	struct ctl_table t;

	ctl_table_begin(&t, heads);
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		struct json_object *c = json_list_at(list, i);

		cell_number(&t, c, "chat");
		cell_text(&t, c, "user");
		cell_text(&t, c, "from");
		cell_age(&t, c);
		cell_text(&t, c, "dialect");
		cell_text(&t, c, "robot");
		ctl_table_cell(&t, "%s", json_true(c, "answering") ? "yes" : "-");
		cell_number(&t, c, "waiting");
		cell_number(&t, c, "worker");
	}
	ctl_table_put(&t, out);
	for (size_t i = 0; missing && i < json_list_size(missing); i++)
		(void)buf_addf(out, "worker %" PRId64 " did not answer: its chats are missing\n",
		    json_item_whole(missing, i));
}

/* "2 of 3 aside, 59m0s" */
static void
cell_keys(struct ctl_table *t, struct json_object *robot)
{
	struct json_object *keys = json_list(robot, "keys");
	size_t n = keys ? json_list_size(keys) : 0, n_aside = 0;
	int64_t first_s = 0;
	char age[32];

	for (size_t i = 0; i < n; i++) {
		int64_t aside_s = ctl_number(json_list_at(keys, i), "aside_seconds");

		n_aside += aside_s > 0;
		if (aside_s && (first_s == 0 || aside_s < first_s))
			first_s = aside_s;
	}
	ctl_age(first_s, age);
	if (n_aside)
		ctl_table_cell(t, "%zu of %zu aside, %s", n_aside, n, age);
	else if (n)
		ctl_table_cell(t, "%zu", n);
	else
		ctl_table_cell(t, "-");
}

static void
cell_state(struct ctl_table *t, struct json_object *robot)
{
	size_t n_state = 0, n_why = 0;
	const char *state = json_text(robot, "state", &n_state);
	const char *why = json_text(robot, "why", &n_why);
	char age[32];

	if (state == NULL || n_why == 0) {
		cell_text(t, robot, "state");
		return;
	}
	ctl_age(ctl_number(robot, "seconds"), age);
	ctl_table_cell(t, "%.*s %s (%.*s)", (int)n_state, state, age, (int)n_why, why);
}

void
ctl_show_robots(struct json_object *o, struct buf *out)
{
	static const char *const heads[] = { "ROBOT", "TYPE", "STATE", "KEYS", ">NOW", ">ASKED",
		">ANSWERED", ">FAILED", ">PASSED", ">RETRIES", ">TOKENS IN", ">OUT", ">P50 MS",
		">P90 MS", ">P99 MS", NULL };
	static const char *const numbers[] = { "in_flight", "asked", "answered", "failed", "passed",
		"retries", "tokens_in", "tokens_out" };
	struct json_object *list = json_list(o, "robots");
	struct ctl_table t;

	ctl_table_begin(&t, heads);
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		struct json_object *r = json_list_at(list, i);

		cell_text(&t, r, "name");
		cell_text(&t, r, "type");
		cell_state(&t, r);
		cell_keys(&t, r);
		for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
			cell_number(&t, r, numbers[k]);
		cell_ms(&t, r, "answer_duration_ms", "p50");
		cell_ms(&t, r, "answer_duration_ms", "p90");
		cell_ms(&t, r, "answer_duration_ms", "p99");
	}
	ctl_table_put(&t, out);
}

/* Any value as it would stand in the file, more or less. */
static void
cell_value(struct ctl_table *t, struct json_object *o, const char *key)
{
	struct json_object *list = json_list(o, key);
	size_t n = 0;
	const char *s = json_scalar(o, key, &n);
	struct buf text;

	if (list == NULL) {
		ctl_table_text(t, s, n);
		return;
	}
	buf_init(&text, VALUE_BYTES);
	put_list(&text, list);
	ctl_table_text(t, text.len ? buf_head(&text) : "", text.len);
	buf_release(&text);
}

static void
show_config(struct json_object *o, struct buf *out)
{
	static const char *const heads[] = { "KEY", "VALUE", "SOURCE", NULL };
	struct json_object *list = json_list(o, "values");
	struct ctl_table t;

	ctl_table_begin(&t, heads);
	for (size_t i = 0; list && i < json_list_size(list); i++) {
		struct json_object *v = json_list_at(list, i);

		cell_text(&t, v, "key");
		cell_value(&t, v, "value");
		cell_text(&t, v, "source");
	}
	ctl_table_put(&t, out);
}

static void
show_reload(struct json_object *o, struct buf *out)
{
	static const char *const heads[] = { "KEY", "FROM", "TO", NULL };
	struct json_object *list = json_list(o, "changed");
	struct ctl_table t;

	if (list == NULL || json_list_size(list) == 0) {
		(void)buf_adds(out, "reloaded; nothing changed\n");
		return;
	}
	(void)buf_addf(out, "reloaded; %zu changed\n", json_list_size(list));
	ctl_table_begin(&t, heads);
	for (size_t i = 0; i < json_list_size(list); i++) {
		struct json_object *c = json_list_at(list, i);

		cell_text(&t, c, "key");
		cell_value(&t, c, "from");
		cell_value(&t, c, "to");
	}
	ctl_table_put(&t, out);
}

/* The answer to a stop is over when the server is. */
static void
show_stop(struct json_object *o, struct buf *out)
{
	(void)o;
	(void)buf_adds(out, "stopped\n");
}

static void
show_result(struct json_object *o, struct buf *out)
{
	put_text(out, o, "result");
	(void)buf_adds(out, "\n");
}

void
ctl_show(const char *command, struct json_object *document, struct buf *out)
{
	static const struct {
		const char *command;
		void (*show)(struct json_object *o, struct buf *out);
	} shows[] = { { "status", ctl_show_status }, { "workers", ctl_show_workers },
		{ "chats", show_chats }, { "robots", ctl_show_robots }, { "config", show_config },
		{ "reload", show_reload }, { "stop", show_stop }, { "quit", show_stop } };

	for (size_t i = 0; i < sizeof shows / sizeof *shows; i++) {
		if (strcmp(shows[i].command, command) == 0) {
			shows[i].show(document, out);
			return;
		}
	}
	show_result(document, out);
}
