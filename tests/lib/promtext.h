/* promtext.h - is a text Prometheus' exposition format 0.0.4, and good style?
 * For:     the metrics.     Callers: tests.
 * Holds:   a violated rule fails the running test and quotes the line. Checked: names begin with
 *          xiaotu_; each family has one HELP, then one TYPE, then its series and nothing between;
 *          labels are quoted and escaped; values are numbers; no series is there twice; counters
 *          end with _total and are not negative; histograms have growing buckets that count up, the
 *          last +Inf, then _sum and _count, which is the last bucket.
 * Memory:  none. */
#ifndef TESTS_LIB_PROMTEXT_H
#define TESTS_LIB_PROMTEXT_H

void promtext_check(const char *text);
/* It has exactly this line. */
void promtext_has(const char *text, const char *line);
/* The value of the series, as written with its labels. Fails the test without it. */
double promtext_value(const char *text, const char *series);

#endif
