/* suites.h - the unit tests of ctl/, one suite a file.
 * For:     main.c.
 * Memory:  each gives a Suite, freed by its runner. */
#ifndef TESTS_UNIT_CTL_SUITES_H
#define TESTS_UNIT_CTL_SUITES_H

#include <check.h>

Suite *table_suite(void);

#endif
