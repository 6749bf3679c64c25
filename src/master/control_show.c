/* control_show.c - see control_show.h. */
#include "master/control_show.h"

#include "base/json.h"
#include "base/lapse.h"
#include "base/log.h"
#include "conf/conf_json.h"
#include "master/master.h"
#include "share/metrics.h"
#include "share/why.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static int
put_text(const char *s, struct buf *out)
{
	return json_write(s, strlen(s), out);
}

/* "NAME":{"p50":1.500,...}: milliseconds. */
static int
put_time(const char *name, const struct histogram *h, struct buf *out)
{
	return buf_addf(out,
	    ",\"%s_ms\":{\"count\":%" PRId64 ",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f}", name,
	    histogram_count(h), (double)histogram_percentile_us(h, 50) / 1e3,
	    (double)histogram_percentile_us(h, 90) / 1e3,
	    (double)histogram_percentile_us(h, 99) / 1e3);
}

/* The members of a table, each with a comma before it. */
static int
put_metrics(const struct metric *table, const void *base, struct buf *out)
{
	int bad = 0;

	for (const struct metric *m = table; m->name && !bad; m++) {
		if (m->kind == METRIC_TIME)
			bad = put_time(m->name, metric_time(m, base), out);
		else if (m->kind != METRIC_INNER)
			bad = buf_addf(out, ",\"%s\":%" PRId64, m->name, metric_number(m, base));
	}
	return bad;
}

/* --- status ---------------------------------------------------------------------------------- */

static int
put_sums(const struct score *s, struct buf *out)
{
	int bad = 0;

	for (const struct metric *m = score_metrics; m->name && !bad; m++) {
		struct histogram all = { .sum_us = 0 };

		if (m->kind == METRIC_TIME) {
			score_join(s, m, &all);
			bad = put_time(m->name, &all, out);
		} else if (m->kind != METRIC_INNER) {
			bad = buf_addf(out, ",\"%s\":%" PRId64, m->name, score_sum(s, m));
		}
	}
	for (const struct score_event *e = score_events; e->name && !bad; e++) {
		const void *at = (const char *)&s->events + e->place;

		bad = buf_addf(
		    out, ",\"%s\":%" PRId64, e->name, atomic_load((const _Atomic int64_t *)at));
	}
	return bad;
}

static int
put_doors(const struct listen_set *s, struct buf *out)
{
	int bad = buf_adds(out, ",\"listen\":[");

	for (int i = 0; i < s->n && !bad; i++)
		bad = (i && buf_adds(out, ",")) || put_text(s->urls[i], out);
	return bad || buf_adds(out, "]");
}

static int
in_state(const struct pool *p, enum slot_state state)
{
	int n = 0;

	for (int i = 0; i < SCORE_SLOTS; i++)
		n += p->slots[i].state == state;
	return n;
}

int
control_show_status(const struct master *m, struct buf *out)
{
	const struct pool *p = &m->pool;
	const char *state = m->stopping ? "leaving" : m->ready ? "serving" : "starting";
	int64_t up_s = (int64_t)time(NULL) - p->score->started_s;

	return buf_addf(out,
		   "{\"version\":\"%s\",\"pid\":%d,\"state\":\"%s\",\"started\":%" PRId64
		   ",\"uptime_seconds\":%" PRId64 ",\"reloading\":%s",
		   XIAOTU_VERSION, (int)getpid(), state, (int64_t)p->score->started_s, up_s,
		   m->reload.state == RELOAD_IDLE ? "false" : "true") ||
	       buf_addf(out,
		   ",\"workers\":{\"wanted\":%d,\"starting\":%d,\"ready\":%d,\"leaving\":%d}",
		   p->wanted, in_state(p, SLOT_STARTING), in_state(p, SLOT_READY),
		   in_state(p, SLOT_DRAINING)) ||
	       put_doors(&m->doors, out) || buf_adds(out, ",\"conf\":") ||
	       put_text(m->conf->origin, out) || put_sums(p->score, out) ||
	       buf_addf(out, ",\"log_lost\":%lu}\n", log_lost());
}

/* --- workers --------------------------------------------------------------------------------- */

static const char *const states[] = { [SLOT_EMPTY] = "empty",
	[SLOT_STARTING] = "starting",
	[SLOT_READY] = "ready",
	[SLOT_DRAINING] = "leaving" };

static int
put_worker(const struct master *m, int i, struct buf *out)
{
	const struct slot *s = &m->pool.slots[i];
	const struct score_slot *score = &m->pool.score->slots[i];
	int64_t now_ms = lapse_now_ms(), beat_ms = score->beat_ms;
	int64_t seconds = (now_ms - s->since_ms) / 1000;

	return buf_addf(out,
		   "{\"slot\":%d,\"pid\":%d,\"state\":\"%s\",\"since\":%" PRId64
		   ",\"seconds\":%" PRId64 ",\"beat_ms\":%" PRId64 ",\"tired\":%s",
		   i, (int)s->pid, states[s->state], (int64_t)time(NULL) - seconds, seconds,
		   beat_ms ? now_ms - beat_ms : -1, s->tired ? "true" : "false") ||
	       put_metrics(score_metrics, score, out) || buf_adds(out, "}");
}

int
control_show_workers(const struct master *m, struct buf *out)
{
	int bad = buf_adds(out, "{\"workers\":["), n = 0;

	for (int i = 0; i < SCORE_SLOTS && !bad; i++)
		if (m->pool.slots[i].state != SLOT_EMPTY)
			bad = buf_adds(out, n++ ? ",\n" : "\n") || put_worker(m, i, out);
	return bad || buf_adds(out, "]}\n");
}

/* --- robots ---------------------------------------------------------------------------------- */

static const struct opt *
type_row(void)
{
	const struct opt *o = conf_robot_options;

	while (strcmp(o->path, "type") != 0)
		o++;
	return o;
}

static int
put_keys(const struct conf_robot *r, const struct standing *s, int64_t now_ms, struct buf *out)
{
	int bad = buf_adds(out, ",\"keys\":[");

	for (int i = 0; i < r->api_key.n && !bad; i++)
		bad = buf_addf(out, "%s{\"key\":\"***\",\"aside_seconds\":%" PRId64 "}",
		    i ? "," : "", (standing_aside_ms(s, i, now_ms) + 999) / 1000);
	return bad || buf_adds(out, "]");
}

/* "probing": it has rested, and the next message tries it. */
static int
put_state(const struct conf_robot *r, const struct standing *s, int64_t now_ms, struct buf *out)
{
	int64_t away_ms = standing_away_ms(s, r->api_key.n, now_ms);
	const char *state = away_ms ? "resting" : s->open_until_ms ? "probing" : "answering";

	return buf_addf(out, ",\"state\":\"%s\",\"why\":\"%s\",\"seconds\":%" PRId64, state,
	    strcmp(state, "answering") != 0 ? why_words[s->why] : "", (away_ms + 999) / 1000);
}

static int
put_robot(const struct master *m, const struct conf_robot *r, struct buf *out)
{
	static const struct standing unknown;
	const struct standing *s = standings_look(m->pool.standings, conf_robot_identity(r));
	int64_t now_ms = lapse_now_ms();

	s = s ? s : &unknown;
	return buf_adds(out, "{\"name\":") || put_text(r->name, out) ||
	       buf_adds(out, ",\"type\":") || conf_json_value(type_row(), r, out) ||
	       put_state(r, s, now_ms, out) || put_keys(r, s, now_ms, out) ||
	       put_metrics(standing_metrics, s, out) || buf_adds(out, "}");
}

int
control_show_robots(const struct master *m, struct buf *out)
{
	int bad = buf_adds(out, "{\"robots\":[");

	for (int i = 0; i < m->conf->n_robots && !bad; i++)
		bad = buf_adds(out, i ? ",\n" : "\n") || put_robot(m, &m->conf->robots[i], out);
	return bad || buf_adds(out, "]}\n");
}

/* --- the others ------------------------------------------------------------------------------ */

int
control_show_config(const struct master *m, struct buf *out)
{
	return conf_json(m->conf, out);
}

int
control_show_metrics(const struct master *m, struct buf *out)
{
	struct metrics_robot robots[64];
	int n = 0;

	for (; n < m->conf->n_robots && n < 64; n++) {
		const struct conf_robot *r = &m->conf->robots[n];

		robots[n] = (struct metrics_robot){ r->name,
			standings_look(m->pool.standings, conf_robot_identity(r)), r->api_key.n };
	}
	return metrics_render(m->pool.score, robots, n, lapse_now_ms(), out);
}
