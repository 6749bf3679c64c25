/* suites.h - the suites of the unit tests of conf/. */
#ifndef UNIT_CONF_SUITES_H
#define UNIT_CONF_SUITES_H

#include <check.h>

Suite *load_suite(void);
Suite *show_suite(void);

#endif
