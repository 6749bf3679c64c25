/* suites.h - the suites of the unit tests of worker/. */
#ifndef UNIT_WORKER_SUITES_H
#define UNIT_WORKER_SUITES_H

#include <check.h>

Suite *move_suite(void);
Suite *move_socket_suite(void);

#endif
