/* wrap.c - see wrap.h. */
#include "lib/wrap.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 16 };

void
wrap_exec(const char *program, const char *config)
{
	const char *wrap = getenv("XIAOTU_WRAP"), *argv[WORDS + 4];
	char *rest = wrap ? mem_dup(wrap) : NULL;
	int n = 0;

	if (wrap == NULL) {
		execl(program, "xiaotud", "-c", config, (char *)NULL);
		_exit(127);
	}
	while (n < WORDS && (argv[n] = strsep(&rest, " ")) != NULL)
		n++;
	argv[n++] = program;
	argv[n++] = "-c";
	argv[n++] = config;
	argv[n] = NULL;
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}
