/* suites.h - the suites of the unit tests of base/. */
#ifndef UNIT_BASE_SUITES_H
#define UNIT_BASE_SUITES_H

#include <check.h>

Suite *net_suite(void);
Suite *text_suite(void);
Suite *buf_suite(void);
Suite *loop_suite(void);
Suite *json_suite(void);
Suite *log_suite(void);
Suite *width_suite(void);

#endif
