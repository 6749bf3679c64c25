/* env.h - variables of the environment that are for us alone.
 * For:     what a service manager tells its service.     Callers: master/, before the first fork.
 * Holds:   a variable that was taken is in no child's environment, nor in /proc/PID/environ, which
 *          shows the bytes the process was started with.
 * Memory:  none; the caller's buffer. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>

/* Copy the value and wipe it out, name and all. Returns whether it was there and fitted; wiped out
 * it is anyway. Only for variables that this process has not set itself. */
bool env_take(const char *name, char *out, size_t size);

#endif
