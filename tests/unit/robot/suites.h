/* suites.h - the suites of the unit tests of robot/. */
#ifndef UNIT_ROBOT_SUITES_H
#define UNIT_ROBOT_SUITES_H

#include <check.h>

Suite *turing_suite(void);
Suite *http1_suite(void);
Suite *reply_suite(void);
Suite *request_suite(void);
Suite *rules_suite(void);
Suite *pattern_suite(void);

#endif
