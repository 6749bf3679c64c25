/* names.h - a name server of the test's own, which may say nothing (FAULTS, row C4).
 * For:     robots whose address is a name.     Callers: tests/e2e.
 * Holds:   names_begin() moves the test's process, and all it starts from then on, into namespaces
 *          of their own for network and mounts, where only loopback is and /etc/resolv.conf names
 *          our server alone. Nothing outside is touched.
 * Memory:  ends with the test's process. */
#ifndef TESTS_LIB_NAMES_H
#define TESTS_LIB_NAMES_H

#include <stdbool.h>

/* The server takes questions and answers none. Returns false, having said why, when the system lets
 * us have no namespaces. Call it first in a test. */
bool names_begin(void);
/* From now on it answers: every name has this IPv4 address. */
void names_answer(const char *address);

#endif
