/* suites.h - the suites of the unit tests of store/. */
#ifndef UNIT_STORE_SUITES_H
#define UNIT_STORE_SUITES_H

#include <check.h>

Suite *store_suite(void);

#endif
