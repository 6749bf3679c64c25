/* wrap.h - the server itself, or a program that runs it: valgrind.
 * For:     the variable XIAOTU_WRAP, which holds such a program and its options, one blank between
 *          them.     Callers: tests/lib/server.c.
 * Memory:  none that matters: it is another program then. */
#ifndef TESTS_LIB_WRAP_H
#define TESTS_LIB_WRAP_H

/* Become `program -c config`. */
_Noreturn void wrap_exec(const char *program, const char *config);

#endif
