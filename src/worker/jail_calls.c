/* jail_calls.c - the system calls that a worker may make, and with what.
 *
 * Who uses another one is no worker any more: the kernel ends the process with SIGSYS, writes which
 * call it was into its own log (dmesg: type=1326 ... syscall=59), and the master replaces it. With
 * XIAOTU_TRAP (flavours debug and asan) the worker says so itself, with the number, and then ends
 * in the same way.
 *
 * Two exceptions are refused instead, because honest libraries try them and do without: calls
 * younger than Linux 5.1, which are "not there" as on an older kernel (clone3 among them: its
 * arguments are out of sight, and behind it glibc uses clone, whose are not), and sockets of
 * families that no robot is reached by.
 *
 * The list: what the end-to-end tests need on Debian 12, then what the manuals of getaddrinfo(3),
 * malloc(3), OpenSSL and libev say they may use. What is called for every message has no condition:
 * the kernel keeps a map of calls that are always allowed, and does not run the filter for them.
 *
 * Not done: memory that is mapped executable must come from a file that can be read (modules of the
 * resolver), not be written. Who has the process can still send what it knows to any address:
 * robots are there, and the next reload may name others. */
#include "worker/jail.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <unistd.h>

#if defined(XIAOTU_TRAP)
#define VIOLATION SCMP_ACT_TRAP
#else
#define VIOLATION SCMP_ACT_KILL_PROCESS
#endif

/* Of argument n: its low half, for the kernel looks at an int and above it may be anything; only
 * these bits of it; all of it. */
#define IS(n, v)                                                                                   \
	{                                                                                          \
		n, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFU, (uint32_t)(v)                                  \
	}
#define BITS(n, mask, v)                                                                           \
	{                                                                                          \
		n, SCMP_CMP_MASKED_EQ, (uint32_t)(mask), (uint32_t)(v)                             \
	}
#define IS_NULL(n)                                                                                 \
	{                                                                                          \
		n, SCMP_CMP_EQ, 0, 0                                                               \
	}

enum { YOUNG = 424, YOUNGEST = 600 }; /* calls have the same number everywhere from 424 on */

/* --- without conditions ---------------------------------------------------------------------- */

static const int calls[] = {
	/* chats, robots, the loop */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(connect), SCMP_SYS(shutdown),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(bind), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(dup),
	SCMP_SYS(memfd_create), SCMP_SYS(lseek), SCMP_SYS(restart_syscall),
	/* memory and threads */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* looking at files */
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	/* who, when, what is this */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
	SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getrandom), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getcpu), SCMP_SYS(getrlimit)
};

/* --- with conditions: a call's rows are alternatives ----------------------------------------- */

enum { MOST = 2 };

struct rule {
	int call, n;
	struct scmp_arg_cmp when[MOST];
};

/* clang-format off */
static const struct rule rules[] = {
	/* to read alone */
	{ SCMP_SYS(openat), 1, { BITS(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY) } },
	{ SCMP_SYS(open), 1, { BITS(1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY) } },
	/* never to be written and run */
	{ SCMP_SYS(mmap), 1, { BITS(2, PROT_EXEC, 0) } },
	{ SCMP_SYS(mmap), 2, { BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), BITS(3, MAP_ANONYMOUS, 0) } },
	{ SCMP_SYS(mprotect), 1, { BITS(2, PROT_EXEC, 0) } },
	/* threads, no processes */
	{ SCMP_SYS(clone), 1, { BITS(0, CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS |
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		CLONE_NEWCGROUP, CLONE_THREAD) } },
	/* robots, syslog and name service daemons, addresses of our own */
	{ SCMP_SYS(socket), 1, { IS(0, AF_INET) } },
	{ SCMP_SYS(socket), 1, { IS(0, AF_INET6) } },
	{ SCMP_SYS(socket), 1, { IS(0, AF_UNIX) } },
	{ SCMP_SYS(socket), 2, { IS(0, AF_NETLINK), IS(2, 0 /* NETLINK_ROUTE */) } },
	{ SCMP_SYS(socketpair), 1, { IS(0, AF_UNIX) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_DUPFD) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_DUPFD_CLOEXEC) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_GETFD) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_SETFD) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_GETFL) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_SETFL) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_ADD_SEALS) } },
	{ SCMP_SYS(fcntl), 1, { IS(1, F_GET_SEALS) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, FIONBIO) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, FIONREAD) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, SIOCOUTQ) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, SIOCGIFCONF) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, SIOCGIFINDEX) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, SIOCGIFNAME) } },
	{ SCMP_SYS(ioctl), 1, { IS(1, TCGETS) } },
	{ SCMP_SYS(prctl), 1, { IS(0, PR_SET_NAME) } },
	/* libcap asks when it is loaded, which modules of the resolver see to (resolve, mymachines) */
	{ SCMP_SYS(prctl), 1, { IS(0, PR_CAPBSET_READ) } },
	{ SCMP_SYS(prctl), 1, { IS(0, 0x53564D41 /* PR_SET_VMA: names for memory */) } },
	/* to ask, not to set */
	{ SCMP_SYS(prlimit64), 2, { IS(0, 0), IS_NULL(2) } },
};
/* clang-format on */

#if defined(XIAOTU_SANITIZED)
/* What the sanitizers do besides, LeakSanitizer most of all: at the end it makes a process that
 * traces this one, with calls of its own. */
static const int sanitizer_calls[] = { SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(wait4),
	SCMP_SYS(prctl), SCMP_SYS(mprotect), SCMP_SYS(mmap), SCMP_SYS(kill), SCMP_SYS(prlimit64),
	SCMP_SYS(process_vm_readv), SCMP_SYS(getdents), SCMP_SYS(pipe), SCMP_SYS(dup2),
	SCMP_SYS(tkill), SCMP_SYS(capget) };
#endif

/* --- the filter ------------------------------------------------------------------------------ */

/* A call that this machine does not have has a negative number. */
static int
allow(scmp_filter_ctx f, int call, unsigned n, const struct scmp_arg_cmp *when)
{
	return call < 0 ? 0 : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, n, when);
}

static bool
is_allowed(int call)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i] == call)
			return true;
	return false;
}

static int
add_calls(scmp_filter_ctx f)
{
	struct scmp_arg_cmp self = IS(0, getpid());
	int bad = allow(f, SCMP_SYS(tgkill), 1, &self); /* abort() */

	for (size_t i = 0; i < sizeof calls / sizeof *calls && !bad; i++)
		bad = allow(f, calls[i], 0, NULL);
	for (size_t i = 0; i < sizeof rules / sizeof *rules && !bad; i++)
		bad = allow(f, rules[i].call, (unsigned)rules[i].n, rules[i].when);
#if defined(XIAOTU_SANITIZED)
	for (size_t i = 0; i < sizeof sanitizer_calls / sizeof *sanitizer_calls && !bad; i++)
		bad = allow(f, sanitizer_calls[i], 0, NULL);
#endif
	return bad;
}

static int
add_refusals(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_route[] = { IS(0, AF_NETLINK), { 2, SCMP_CMP_GT, 0, 0 } };
	int bad =
	    seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 2, no_route);

	for (int family = AF_INET6 + 1; family < AF_MAX && !bad; family++) {
		const struct scmp_arg_cmp is = IS(0, family);

		if (family != AF_NETLINK)
			bad = seccomp_rule_add_array(
			    f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, &is);
	}
	for (int call = YOUNG; call < YOUNGEST && !bad; call++)
		if (!is_allowed(call))
			bad = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), call, 0);
	return bad;
}

#if defined(XIAOTU_TRAP)
/* Not fit for a signal handler, but nothing else goes on in this process. */
static void
on_violation(int number, siginfo_t *info, void *context)
{
	(void)context;
	log_alert("sandbox_violation call=%d", info->si_syscall);
	signal(number, SIG_DFL);
	raise(number);
}

static void
set_trap(void)
{
	struct sigaction a = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSYS, &a, NULL);
}
#else
static void
set_trap(void)
{
	signal(SIGSYS, SIG_DFL);
}
#endif

int
jail_calls_close(struct err *why)
{
	scmp_filter_ctx f = seccomp_init(VIOLATION);
	int bad;

	/* Older than 4.14, or a service manager that forbids it. */
	if (f == NULL) {
		err_set(why, "seccomp: not allowed here");
		return 0;
	}
	bad = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!bad)
		bad = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* No code of strangers runs here: older kernels would make every load slower. */
	if (!bad)
		bad = seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
	if (!bad)
		bad = add_calls(f);
	if (!bad)
		bad = add_refusals(f);
	if (bad) {
		seccomp_release(f);
		return err_set(why, "seccomp: filter: %s", strerror(-bad));
	}
	set_trap();
	bad = seccomp_load(f);
	seccomp_release(f);
	if (bad == 0)
		return 1;
	/* A kernel without it, or a container that forbids it. */
	err_set(why, "seccomp: %s", strerror(-bad));
	return 0;
}
