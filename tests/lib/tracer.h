/* tracer.h - system calls that fail or take long, by strace's fault injection.
 * For:     faults that nothing else can bring about (FAULTS D4, E5, E8, E10).
 * Callers: tests/e2e.
 * Holds:   where strace is missing or may not trace, the test says so on stderr and does without.
 * Memory:  struct tracer is the caller's. */
#ifndef TESTS_LIB_TRACER_H
#define TESTS_LIB_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

struct tracer {
	pid_t pid; /* of strace; 0: there is none */
	pid_t of;
};

/* Attach to a process, and with `follow` to the children it forks from now on. `inject` is what
 * strace calls an inject expression: "accept4:error=EINTR:when=1..3"; `path` (NULL: any) limits it
 * to system calls on that file. Waits until it is in force. Returns false when it cannot be done,
 * which was told. */
bool tracer_attach(struct tracer *t, pid_t of, bool follow, const char *inject, const char *path);
/* Let go. */
void tracer_detach(struct tracer *t);

#endif
