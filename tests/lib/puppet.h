/* puppet.h - a living process is made to call the kernel, as if somebody had taken it over.
 * For:     what a sandboxed process may do, tried on the program as it is shipped: no hook in it.
 * Callers: tests/e2e.
 * Holds:   the process waits in a system call; x86-64 and arm64. Where it may not be traced, that
 *          is told on stderr and the test does without.
 * Memory:  none. */
#ifndef TESTS_LIB_PUPPET_H
#define TESTS_LIB_PUPPET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* In `args`: the address of `bytes`, which are put on its stack. */
#define PUPPET_BYTES (-0x7E57L)

struct puppet_call {
	long number; /* SYS_... */
	long args[6];
	const void *bytes;
	size_t n;
};

enum puppet { PUPPET_RETURNED, PUPPET_DIED, PUPPET_UNTRACED };

/* Blocks until the call returned (*result: as the kernel gave it, -EPERM) or the process died of it
 * (*result: the signal). */
enum puppet puppet_call(pid_t pid, const struct puppet_call *call, long *result);

#endif
