/* test_metrics.c - histograms, and the counters as Prometheus' text. */
#include "unit/share/suites.h"

#include "lib/promtext.h"
#include "share/metrics.h"

#include <string.h>

START_TEST(percentiles_lie_in_their_bucket)
{
	struct histogram h = { .sum_us = 0 };

	ck_assert_int_eq(histogram_percentile_us(&h, 99), 0);
	for (int i = 0; i < 98; i++)
		histogram_add(&h, 1500);
	histogram_add(&h, 30000);
	histogram_add(&h, 3000000);
	ck_assert_int_eq(histogram_count(&h), 100);
	ck_assert_int_ge(histogram_percentile_us(&h, 50), 1000);
	ck_assert_int_le(histogram_percentile_us(&h, 50), 2000);
	ck_assert_int_le(histogram_percentile_us(&h, 98), 2000);
	ck_assert_int_ge(histogram_percentile_us(&h, 99), 20000);
	ck_assert_int_le(histogram_percentile_us(&h, 99), 50000);
	ck_assert_int_ge(histogram_percentile_us(&h, 100), 2000000);
	ck_assert_int_le(histogram_percentile_us(&h, 100), 5000000);
}
END_TEST

START_TEST(everything_has_a_bucket)
{
	struct histogram h = { .sum_us = 0 }, all = { .sum_us = 0 };

	histogram_add(&h, -5);
	histogram_add(&h, 0);
	histogram_add(&h, 100);
	histogram_add(&h, 101);
	histogram_add(&h, INT64_MAX / 4);
	ck_assert_int_eq(h.n[0], 3);
	ck_assert_int_eq(h.n[1], 1);
	ck_assert_int_eq(h.n[HISTOGRAM_BUCKETS - 1], 1);
	ck_assert_int_eq(histogram_percentile_us(&h, 99), 500000000);
	histogram_join(&all, &h);
	histogram_join(&all, &h);
	ck_assert_int_eq(histogram_count(&all), 10);
	histogram_clear(&h);
	ck_assert_int_eq(histogram_count(&h), 0);
}
END_TEST

START_TEST(the_text_is_prometheus_s)
{
	struct score *s = score_new();
	struct standings *all = standings_new(NULL);
	struct metrics_robot robots[] = { { "a\"b\\c\nd", standings_find(all, 1, 0), 1 },
		{ "小图", standings_find(all, 2, 0), 0 }, { "new", NULL, 0 } };
	struct standing *one = standings_find(all, 1, 0);
	struct buf out;

	score_add(&s->slots[0].messages, 3);
	score_add(&s->slots[7].messages, 4);
	histogram_add(&s->slots[7].message_duration, 1500);
	s->events.reload_rejected = 2;
	standing_add(&one->asked, 5);
	histogram_add(&one->answer_duration, 250000);
	(void)standing_bad(one, STANDING_POINTS, 0, 1000);
	buf_init(&out, 1 << 20);
	ck_assert_int_eq(metrics_render(s, robots, 3, 1000, &out), 0);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	promtext_check(buf_head(&out));
	promtext_has(buf_head(&out), "xiaotu_messages_total 7");
	promtext_has(buf_head(&out), "xiaotu_reloads_total{result=\"rejected\"} 2");
	promtext_has(buf_head(&out), "xiaotu_reloads_total{result=\"ok\"} 0");
	promtext_has(buf_head(&out), "xiaotu_message_duration_seconds_bucket{le=\"0.001\"} 0");
	promtext_has(buf_head(&out), "xiaotu_message_duration_seconds_bucket{le=\"0.002\"} 1");
	promtext_has(buf_head(&out), "xiaotu_message_duration_seconds_count 1");
	promtext_has(buf_head(&out), "xiaotu_robot_asked_total{robot=\"a\\\"b\\\\c\\nd\"} 5");
	promtext_has(buf_head(&out), "xiaotu_robot_asked_total{robot=\"小图\"} 0");
	promtext_has(buf_head(&out), "xiaotu_robot_rests_seconds{robot=\"a\\\"b\\\\c\\nd\"} 1.000");
	ck_assert_ptr_null(strstr(buf_head(&out), "\"new\""));
	ck_assert_ptr_null(strstr(buf_head(&out), "beat_ms"));
	buf_release(&out);
}
END_TEST

START_TEST(without_robots_the_text_is_good_too)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	ck_assert_int_eq(metrics_render(score_new(), NULL, 0, 0, &out), 0);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	promtext_check(buf_head(&out));
	buf_release(&out);
}
END_TEST

/* A robot is away while its breaker is open, and while all of its keys are set aside. */
START_TEST(away_is_the_breaker_or_all_keys)
{
	struct standings *all = standings_new(NULL);
	struct standing *s = standings_find(all, 1, 0);

	ck_assert_ptr_eq(standings_look(all, 1), s);
	ck_assert_ptr_null(standings_look(all, 2));
	ck_assert_int_eq(standing_away_ms(s, 0, 1000), 0);
	(void)standing_set_aside(s, 0, 5000, 1000);
	ck_assert_int_eq(standing_away_ms(s, 2, 1000), 0);
	(void)standing_set_aside(s, 1, 3000, 1000);
	ck_assert_int_eq(standing_away_ms(s, 2, 1000), 2000);
	(void)standing_bad(s, STANDING_POINTS, 9000, 1000);
	ck_assert_int_eq(standing_away_ms(s, 2, 1000), 9000);
}
END_TEST

Suite *
metrics_suite(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, percentiles_lie_in_their_bucket);
	tcase_add_test(tc, everything_has_a_bucket);
	tcase_add_test(tc, the_text_is_prometheus_s);
	tcase_add_test(tc, without_robots_the_text_is_good_too);
	tcase_add_test(tc, away_is_the_breaker_or_all_keys);
	suite_add_tcase(suite, tc);
	return suite;
}
