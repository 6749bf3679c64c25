/* puppet.c - see puppet.h. The process is stopped, its next instruction is made "call the kernel",
 * its registers are what the call wants, and after one step all is put back. */
#include "lib/puppet.h"

#include <check.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { BELOW_STACK = 4096 }; /* out of the way of whatever the function that waits has there */

#if defined(__x86_64__)
enum { INSTRUCTION_BYTES = 2 };
static const unsigned long instruction = 0x050F;
#define PC(r)     ((r)->rip)
#define SP(r)     ((r)->rsp)
#define RESULT(r) ((r)->rax)

static void
set_call(struct user_regs_struct *r, long number, const long *args)
{
	r->orig_rax = ~0ULL; /* the call that was interrupted is not to be made again now */
	r->rax = (unsigned long)number;
	r->rdi = (unsigned long)args[0];
	r->rsi = (unsigned long)args[1];
	r->rdx = (unsigned long)args[2];
	r->r10 = (unsigned long)args[3];
	r->r8 = (unsigned long)args[4];
	r->r9 = (unsigned long)args[5];
}
#elif defined(__aarch64__)
enum { INSTRUCTION_BYTES = 4 };
static const unsigned long instruction = 0xD4000001;
#define PC(r)     ((r)->pc)
#define SP(r)     ((r)->sp)
#define RESULT(r) ((r)->regs[0])

static void
set_call(struct user_regs_struct *r, long number, const long *args)
{
	r->regs[8] = (unsigned long)number;
	for (int i = 0; i < 6; i++)
		r->regs[i] = (unsigned long)args[i];
}
#endif

static void
registers(pid_t pid, bool set, struct user_regs_struct *r)
{
	struct iovec io = { r, sizeof *r };

	ck_assert_int_eq(ptrace(set ? PTRACE_SETREGSET : PTRACE_GETREGSET, pid,
			     (void *)(uintptr_t)NT_PRSTATUS, &io),
	    0);
}

static void
poke(pid_t pid, unsigned long at, unsigned long word)
{
	ck_assert_int_eq(ptrace(PTRACE_POKETEXT, pid, (void *)at, (void *)word), 0);
}

static bool
attach(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0) {
		fprintf(stderr, "SKIPPED, may not trace %d: %s\n", (int)pid, strerror(errno));
		return false;
	}
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert(WIFSTOPPED(status));
	return true;
}

/* Where the bytes are put. */
static unsigned long
put_bytes(pid_t pid, const struct puppet_call *call, const struct user_regs_struct *r)
{
	unsigned long at = (SP(r) - BELOW_STACK - call->n) & ~15UL;
	struct iovec from = { (void *)(uintptr_t)call->bytes, call->n };
	struct iovec to = { (void *)at, call->n };

	if (call->n > 0)
		ck_assert_int_eq(process_vm_writev(pid, &from, 1, &to, 1, 0), call->n);
	return at;
}

/* A signal that the step brought about and that was not delivered yet. */
static bool
is_pending(pid_t pid, int number)
{
	unsigned long long pending = 0;
	char path[40], line[128];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL && sscanf(line, "SigPnd: %llx", &pending) != 1)
		continue;
	fclose(f);
	return pending >> (number - 1) & 1;
}

/* One step; signals that come of it are delivered. Returns true when it came back from the call,
 * false when it died: *signal. */
static bool
step(pid_t pid, int *signal)
{
	enum __ptrace_request how = PTRACE_SINGLESTEP;
	int status, deliver = 0;
	bool trapped = false;

	for (;;) {
		ck_assert_int_eq(ptrace(how, pid, NULL, (void *)(uintptr_t)deliver), 0);
		ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
		if (WIFSIGNALED(status)) {
			*signal = WTERMSIG(status);
			return false;
		}
		ck_assert(WIFSTOPPED(status));
		deliver = WSTOPSIG(status);
		trapped = trapped || deliver == SIGSYS || is_pending(pid, SIGSYS);
		if (deliver == SIGTRAP && !trapped)
			return true;
		if (deliver == SIGTRAP)
			deliver = 0;
		how = PTRACE_CONT; /* a handler of its own says so, and ends it */
	}
}

enum puppet
puppet_call(pid_t pid, const struct puppet_call *call, long *result)
{
	struct user_regs_struct before, now;
	unsigned long word;
	long args[6];
	int signal;

	if (!attach(pid))
		return PUPPET_UNTRACED;
	registers(pid, false, &before);
	now = before;
	for (int i = 0; i < 6; i++)
		args[i] = call->args[i] == PUPPET_BYTES ? (long)put_bytes(pid, call, &before)
							: call->args[i];
	set_call(&now, call->number, args);
	errno = 0;
	word = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, (void *)PC(&before), NULL);
	ck_assert_int_eq(errno, 0);
	poke(pid, PC(&before), (word & ~0UL << INSTRUCTION_BYTES * 8) | instruction);
	registers(pid, true, &now);
	if (!step(pid, &signal)) {
		*result = signal;
		return PUPPET_DIED;
	}
	registers(pid, false, &now);
	*result = (long)RESULT(&now);
	poke(pid, PC(&before), word);
	registers(pid, true, &before);
	ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
	return PUPPET_RETURNED;
}
