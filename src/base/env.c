/* env.c - see env.h. */
#include "base/env.h"

#include <stdlib.h>
#include <string.h>

bool
env_take(const char *name, char *out, size_t size)
{
	char *value = getenv(name);
	size_t n_name = strlen(name), n = value ? strlen(value) : 0;
	bool fits = value && n < size;

	out[0] = '\0';
	if (value == NULL)
		return false;
	if (fits)
		memcpy(out, value, n + 1);
	unsetenv(name); /* which only lets go of the pointer */
	memset(value - n_name - 1, 0, n_name + 1 + n);
	return fits;
}
