/* setup.c - see setup.h. */
#include "worker/setup.h"

#include "base/mem.h"
#include "conf/conf_load.h"

#include <stdlib.h>

static void
setup_free(struct setup *s)
{
	chain_close(s->chain);
	for (int i = 0; s->conf && s->gates && i < s->conf->n_listen; i++)
		gate_drop(s->gates[i]);
	free(s->gates);
	if (s->conf)
		conf_free(s->conf);
	free(s);
}

static void
on_closing(void *arg)
{
	setup_free(arg);
}

static int
open_gates(struct setup *s, struct err *e)
{
	s->gates = mem_zalloc((size_t)s->conf->n_listen * sizeof(struct gate *));
	for (int i = 0; i < s->conf->n_listen; i++) {
		s->gates[i] = gate_new(&s->conf->listen[i], e);
		if (s->gates[i] == NULL)
			return err_add(e, "listen.[%d]", i);
	}
	return 0;
}

struct setup *
setup_open(int memfd, const struct robot_env *env, struct err *e)
{
	struct setup *s = mem_zalloc(sizeof *s);

	s->refs = 1;
	s->later = env->later;
	later_task_init(&s->closing, on_closing, s);
	s->conf = conf_load_memfd(memfd, e);
	if (s->conf && open_gates(s, e) == 0)
		s->chain = chain_open(s->conf, env, e);
	if (s->chain)
		return s;
	setup_free(s);
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
