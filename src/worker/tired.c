/* tired.c - see tired.h. */
#include "worker/tired.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void
tired_init(struct worker *w)
{
	w->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	w->first_message = w->score->messages;
}

/* Resident memory in MiB, 0 when nobody tells. */
static int64_t
resident_mib(const struct worker *w)
{
	char text[128];
	ssize_t n = pread(w->statm, text, sizeof text - 1, 0);
	long pages;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%*s %ld", &pages) == 1 ? (int64_t)pages * sysconf(_SC_PAGESIZE) >> 20
						    : 0;
}

static bool
has_done_enough(const struct worker *w)
{
	const struct conf *c = w->setup->conf;
	int64_t share = 16 + w->boot->slot % 4;

	if (c->recycle_after &&
	    w->score->messages - w->first_message >= c->recycle_after * share / 16)
		return true;
	return c->recycle_memory && resident_mib(w) >= c->recycle_memory;
}

bool
tired_is(struct worker *w)
{
	return has_done_enough(w) || jail_is_stale(&w->jail);
}
