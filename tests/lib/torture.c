/* torture.c - see torture.h. */
#include "lib/torture.h"

#include "base/mem.h"
#include "lib/server.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct torture {
	struct torture_page *page;
	char path[96], shim[4200];
};

/* In the child that becomes the server. */
static void
preload(void *arg)
{
	struct torture *t = arg;

	if (setenv(TORTURE_VARIABLE, t->path, 1) != 0 || setenv("LD_PRELOAD", t->shim, 1) != 0)
		_exit(126);
}

struct torture *
torture_new(struct server *s)
{
	struct torture *t = mem_zalloc(sizeof *t);
	int fd;

	snprintf(t->path, sizeof t->path, "%s/torture", s->folder);
	snprintf(t->shim, sizeof t->shim, "%s", server_program("torture.so"));
	ck_assert_msg(access(t->shim, R_OK) == 0, "%s is missing", t->shim);
	fd = open(t->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, sizeof *t->page), 0);
	t->page = mmap(NULL, sizeof *t->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(t->page, MAP_FAILED);
	close(fd);
	s->prepare = preload;
	s->prepare_arg = t;
	return t;
}

void
torture_free(struct torture *t)
{
	munmap(t->page, sizeof *t->page);
	free(t);
}

void
torture_begin(struct torture *t, enum torture_who who, pid_t pid, int64_t first, int64_t every)
{
	struct torture_page *p = t->page;

	atomic_store(&p->count, 0);
	atomic_store(&p->failed, 0);
	atomic_store(&p->first, first);
	atomic_store(&p->every, every);
	atomic_store(&p->pid, (int)pid);
	atomic_store(&p->who, who);
}

int64_t
torture_end(struct torture *t)
{
	atomic_store(&t->page->who, TORTURE_NOBODY);
	return atomic_load(&t->page->failed);
}
