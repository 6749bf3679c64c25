/* suites.h - the suites of the codecs' unit tests. */
#ifndef UNIT_WIRE_SUITES_H
#define UNIT_WIRE_SUITES_H

#include <check.h>

Suite *proxy_suite(void);
Suite *decode_suite(void);
Suite *encode_suite(void);
Suite *frames_suite(void);
Suite *frames_said_suite(void);
Suite *head_suite(void);

#endif
