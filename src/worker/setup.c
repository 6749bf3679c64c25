/* setup.c - see setup.h. */
#include "worker/setup.h"

#include "base/mem.h"
#include "conf/conf_load.h"

#include <stdlib.h>

static void
on_closing(void *arg)
{
	struct setup *s = arg;

	chain_close(s->chain);
	conf_free(s->conf);
	free(s);
}

struct setup *
setup_open(int memfd, const struct robot_env *env, struct err *e)
{
	struct setup *s = mem_zalloc(sizeof *s);

	s->refs = 1;
	s->later = env->later;
	later_task_init(&s->closing, on_closing, s);
	s->conf = conf_load_memfd(memfd, e);
	if (s->conf)
		s->chain = chain_open(s->conf, env, e);
	if (s->chain)
		return s;
	if (s->conf)
		conf_free(s->conf);
	free(s);
	return NULL;
}

struct setup *
setup_keep(struct setup *s)
{
	s->refs++;
	return s;
}

void
setup_drop(struct setup *s)
{
	if (s && --s->refs == 0)
		later_add(s->later, &s->closing);
}
