/* metrics.c - see metrics.h. */
#include "share/metrics.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "xiaotu_"

enum { LABEL_BYTES = 512 };

static const char *const types[] = { [METRIC_INNER] = "untyped",
	[METRIC_GAUGE] = "gauge",
	[METRIC_COUNTER] = "counter",
	[METRIC_TIME] = "histogram" };
static const char *const units[] = { [METRIC_INNER] = "",
	[METRIC_GAUGE] = "",
	[METRIC_COUNTER] = "_total",
	[METRIC_TIME] = "_seconds" };

static int
put_head(
    enum metric_kind kind, const char *group, const char *name, const char *help, struct buf *out)
{
	return buf_addf(out, "# HELP " PREFIX "%s%s%s %s\n# TYPE " PREFIX "%s%s%s %s\n", group,
	    name, units[kind], help, group, name, units[kind], types[kind]);
}

static int
put_number(enum metric_kind kind, const char *group, const char *name, const char *label,
    int64_t value, struct buf *out)
{
	return buf_addf(out, PREFIX "%s%s%s%s%s%s %" PRId64 "\n", group, name, units[kind],
	    *label ? "{" : "", label, *label ? "}" : "", value);
}

/* A family of one series. */
static int
put_gauge(const char *name, const char *help, int64_t value, struct buf *out)
{
	return put_head(METRIC_GAUGE, "", name, help, out) ||
	       put_number(METRIC_GAUGE, "", name, "", value, out);
}

/* The count is the last bucket as it was read here: a reader may rely on that. */
static int
put_time(const char *group, const char *name, const char *label, const struct histogram *h,
    struct buf *out)
{
	const char *comma = *label ? "," : "", *open = *label ? "{" : "",
		   *close = *label ? "}" : "";
	int64_t n = 0;
	int bad = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS && !bad; i++) {
		char bound[32] = "+Inf";

		if (i < HISTOGRAM_BUCKETS - 1)
			snprintf(bound, sizeof bound, "%g", (double)histogram_bounds_us[i] / 1e6);
		n += atomic_load_explicit(&h->n[i], memory_order_relaxed);
		bad = buf_addf(out, PREFIX "%s%s_seconds_bucket{%s%sle=\"%s\"} %" PRId64 "\n",
		    group, name, label, comma, bound, n);
	}
	return bad ||
	       buf_addf(out, PREFIX "%s%s_seconds_sum%s%s%s %.6f\n", group, name, open, label,
		   close, (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / 1e6) ||
	       buf_addf(out, PREFIX "%s%s_seconds_count%s%s%s %" PRId64 "\n", group, name, open,
		   label, close, n);
}

static int
put_score(const struct score *s, struct buf *out)
{
	int bad = 0;

	for (const struct metric *m = score_metrics; m->name && !bad; m++) {
		struct histogram all = { .sum_us = 0 };

		if (m->kind == METRIC_INNER)
			continue;
		bad = put_head(m->kind, "", m->name, m->help, out);
		if (m->kind == METRIC_TIME)
			score_join(s, m, &all);
		bad = bad || (m->kind == METRIC_TIME
				     ? put_time("", m->name, "", &all, out)
				     : put_number(m->kind, "", m->name, "", score_sum(s, m), out));
	}
	return bad;
}

static int
put_events(const struct score *s, struct buf *out)
{
	const char *family = "";
	int bad = 0;

	for (const struct score_event *e = score_events; e->name && !bad; e++) {
		const void *at = (const char *)&s->events + e->place;

		if (strcmp(family, e->family) != 0)
			bad = put_head(METRIC_COUNTER, "", e->family, e->help, out);
		family = e->family;
		bad = bad || put_number(METRIC_COUNTER, "", family, e->label,
				 atomic_load((const _Atomic int64_t *)at), out);
	}
	return bad;
}

/* Counted by the log itself, over all processes. */
static int
put_lost(struct buf *out)
{
	return put_head(
		   METRIC_COUNTER, "", "log_lost", "Log lines that could not be written.", out) ||
	       put_number(METRIC_COUNTER, "", "log_lost", "", (int64_t)log_lost(), out);
}

/* --- robots ---------------------------------------------------------------------------------- */

/* robot="NAME", escaped as the format wants it. */
static void
label_of(const struct metrics_robot *r, char out[LABEL_BYTES])
{
	size_t n = (size_t)snprintf(out, LABEL_BYTES, "robot=\"");

	for (const char *p = r->name; *p && n < LABEL_BYTES - 4; p++) {
		if (*p == '\\' || *p == '"' || *p == '\n')
			out[n++] = '\\';
		out[n++] = *p == '\n' ? 'n' : *p;
	}
	memcpy(out + n, "\"", 2);
}

static int
put_robot_metric(
    const struct metric *m, const struct metrics_robot *robots, int n_robots, struct buf *out)
{
	int bad = put_head(m->kind, "robot_", m->name, m->help, out);

	for (int i = 0; i < n_robots && !bad; i++) {
		const struct standing *s = robots[i].standing;
		char label[LABEL_BYTES];

		if (s == NULL)
			continue;
		label_of(&robots[i], label);
		bad = m->kind == METRIC_TIME
			  ? put_time("robot_", m->name, label, metric_time(m, s), out)
			  : put_number(m->kind, "robot_", m->name, label, metric_number(m, s), out);
	}
	return bad;
}

static int
put_rests(const struct metrics_robot *robots, int n_robots, int64_t now_ms, struct buf *out)
{
	int bad = put_head(
	    METRIC_GAUGE, "robot_", "rests_seconds", "How long it is not asked; 0: it is.", out);

	for (int i = 0; i < n_robots && !bad; i++) {
		char label[LABEL_BYTES];

		if (robots[i].standing == NULL)
			continue;
		label_of(&robots[i], label);
		bad = buf_addf(out, PREFIX "robot_rests_seconds{%s} %.3f\n", label,
		    (double)standing_away_ms(robots[i].standing, robots[i].n_keys, now_ms) / 1e3);
	}
	return bad;
}

int
metrics_render(const struct score *s, const struct metrics_robot *robots, int n_robots,
    int64_t now_ms, struct buf *out)
{
	int bad =
	    put_head(METRIC_GAUGE, "", "build_info", "The version that runs.", out) ||
	    put_number(METRIC_GAUGE, "", "build_info", "version=\"" XIAOTU_VERSION "\"", 1, out) ||
	    put_gauge(
		"start_time_seconds", "When it started, seconds since 1970.", s->started_s, out) ||
	    put_gauge("workers_wanted", "Workers there should be.", s->workers_wanted, out) ||
	    put_score(s, out) || put_events(s, out) || put_lost(out);

	for (const struct metric *m = standing_metrics; n_robots && m->name && !bad; m++)
		if (m->kind != METRIC_INNER)
			bad = put_robot_metric(m, robots, n_robots, out);
	return bad || (n_robots && put_rests(robots, n_robots, now_ms, out)) ? -1 : 0;
}
