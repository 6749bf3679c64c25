/* suites.h - the suites of the unit tests of share/. */
#ifndef UNIT_SHARE_SUITES_H
#define UNIT_SHARE_SUITES_H

#include <check.h>

Suite *throttle_suite(void);
Suite *chan_suite(void);
Suite *tally_suite(void);
Suite *metrics_suite(void);

#endif
