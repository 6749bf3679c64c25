/* suites.h - the unit tests of client/, one suite a file.
 * For:     main.c.
 * Memory:  each gives a Suite, freed by its runner. */
#ifndef TESTS_UNIT_CLIENT_SUITES_H
#define TESTS_UNIT_CLIENT_SUITES_H

#include <check.h>

Suite *keys_suite(void);
Suite *edit_suite(void);
Suite *history_suite(void);
Suite *screen_suite(void);
Suite *wrap_suite(void);
Suite *hear_suite(void);

#endif
