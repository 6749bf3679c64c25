/* test_sandbox.c - what a worker that somebody took over can do: nothing (FAULTS, rows I2 and I3).
 * Another process makes it call the kernel (lib/puppet.h), so it is the program as it is shipped
 * that is tried. */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "lib/certs.h"
#include "lib/names.h"
#include "lib/procfs.h"
#include "lib/puppet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534 };

#define B        PUPPET_BYTES
#define TEXT(s)  s, sizeof s
#define OFF      "sandbox = \"off\";\n"
#define AS_OTHER "user = \"nobody\";\n"

static bool
has_landlock(struct server *s, int abi)
{
	for (; abi < 20; abi++) {
		char words[40];

		snprintf(words, sizeof words, "ev=sandbox landlock=%d ", abi);
		if (server_count_log(s, words) > 0)
			return true;
	}
	fprintf(stderr, "SKIPPED for want of Landlock\n");
	return false;
}

/* --- calls that end the worker --------------------------------------------------------------- */

/* The sanitizers need some of them: they come last. */
static const struct puppet_call deadly[] = {
	{ SYS_setuid, { 0 }, NULL, 0 },
	{ SYS_setgroups, { 0 }, NULL, 0 },
	{ SYS_chroot, { B }, TEXT("/") },
	{ SYS_execve, { B }, TEXT("/bin/sh") },
	{ SYS_execveat, { AT_FDCWD, B }, TEXT("/bin/sh") },
	{ SYS_openat, { AT_FDCWD, B, O_WRONLY }, TEXT("/dev/null") },
	{ SYS_openat, { AT_FDCWD, B, O_RDWR }, TEXT("/dev/null") },
	{ SYS_openat, { AT_FDCWD, B, O_RDONLY | O_CREAT, 0600 }, TEXT("made") },
	{ SYS_unlinkat, { AT_FDCWD, B }, TEXT("xiaotud.conf") },
	{ SYS_renameat2, { AT_FDCWD, B, AT_FDCWD, B }, TEXT("output") },
	{ SYS_mount, { B, B, 0, MS_BIND }, TEXT("/") },
	{ SYS_unshare, { CLONE_NEWUSER }, NULL, 0 },
	{ SYS_listen, { 0, 1 }, NULL, 0 },
	{ SYS_setsid, { 0 }, NULL, 0 },
	{ SYS_bpf, { 0 }, NULL, 0 },
	{ SYS_keyctl, { 0 }, NULL, 0 },
	{ SYS_ioctl, { 2, 0x5412 /* TIOCSTI */ }, NULL, 0 },
	{ SYS_fcntl, { 2, F_SETOWN, 1 }, NULL, 0 },
#if !defined(__SANITIZE_ADDRESS__)
	{ SYS_ptrace, { PTRACE_TRACEME }, NULL, 0 },
	{ SYS_kill, { 1, SIGTERM }, NULL, 0 },
	{ SYS_clone, { SIGCHLD }, NULL, 0 },
	{ SYS_clone, { SIGCHLD | CLONE_NEWUSER }, NULL, 0 },
	{ SYS_process_vm_readv, { 1 }, NULL, 0 },
	{ SYS_mmap, { 0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 }, NULL, 0 },
	{ SYS_mmap, { 0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 }, NULL, 0 },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_EXEC }, NULL, 0 },
	{ SYS_prctl, { PR_SET_DUMPABLE, 1 }, NULL, 0 },
	{ SYS_prlimit64, { 1, 0, 0, 0 }, NULL, 0 },
#endif
};

enum { DEADLY = sizeof deadly / sizeof *deadly };

/* The worker of this chat makes the call; the chat of the other goes on, and there are two. */
START_TEST(i2_i3_worker_that_makes_a_forbidden_call_is_killed_and_replaced)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *chats[2];
	pid_t victim;
	long result = 0;
#if defined(XIAOTU_TRAP)
	char words[64];
#endif

	s->may_crash = s->may_alert = true;
	scene_chats_apart(s, chats);
	scene_hello(chats[0], "me::hi");
	scene_hello(chats[1], "me::hi");
	victim = server_worker_of(s, peer_port(chats[0]));
	switch (puppet_call(victim, &deadly[_i], &result)) {
	case PUPPET_UNTRACED:
		break;
	case PUPPET_RETURNED:
		ck_abort_msg("call %ld gave %ld", deadly[_i].number, result);
	case PUPPET_DIED:
		ck_assert_int_eq(result, SIGSYS);
#if defined(XIAOTU_TRAP)
		snprintf(words, sizeof words, "ev=sandbox_violation call=%ld", deadly[_i].number);
		(void)server_wait_log(s, words);
#endif
		(void)server_wait_log(s, "ev=worker_exit sig=31");
		(void)server_wait_log(s, "ev=worker_ready");
		server_wait_workers(s, 2, SERVER_MS);
		peer_drop(chats[0]);
		scene_hello(chats[1], "still here");
		scene_hello(scene_chat(s), "me::new");
	}
	scene_end(s, NULL);
}
END_TEST

/* --- calls that are refused ------------------------------------------------------------------ */

static const struct refused {
	struct puppet_call call;
	int number;   /* errno; 0: it works */
	int landlock; /* the ABI that it takes, 0: none */
} refused[] = {
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("/etc/shadow") }, EACCES, 1 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("/etc/passwd") }, EACCES, 1 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("xiaotud.conf") }, EACCES, 1 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("output") }, EACCES, 1 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY | O_DIRECTORY }, TEXT("/etc") }, EACCES, 1 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("/etc/hosts") }, 0, 0 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY }, TEXT("/etc/nsswitch.conf") }, 0, 0 },
	{ { SYS_openat, { AT_FDCWD, B, O_RDONLY | O_DIRECTORY }, TEXT("/usr/lib") }, 0, 0 },
	{ { SYS_prctl, { PR_CAPBSET_READ, 0 }, NULL, 0 }, 0, 0 },
	{ { SYS_socket, { AF_PACKET, SOCK_DGRAM }, NULL, 0 }, EAFNOSUPPORT, 0 },
	{ { SYS_socket, { AF_ALG, SOCK_SEQPACKET }, NULL, 0 }, EAFNOSUPPORT, 0 },
	{ { SYS_socket, { AF_NETLINK, SOCK_RAW, 12 }, NULL, 0 }, EAFNOSUPPORT, 0 },
	{ { SYS_clone3, { 0 }, NULL, 0 }, ENOSYS, 0 },
	{ { SYS_io_uring_setup, { 1 }, NULL, 0 }, ENOSYS, 0 },
	{ { SYS_pidfd_open, { 1 }, NULL, 0 }, ENOSYS, 0 },
	{ { 460, { 0 }, NULL, 0 }, ENOSYS, 0 },
};

enum { REFUSED = sizeof refused / sizeof *refused };

/* It is root, so what hinders it is not the owner of the file. The sanitizers may read any. */
START_TEST(i3_worker_that_asks_for_what_is_not_its_own_is_refused)
{
	struct server *s = server_start(ONE_WORKER HELLO);
	const struct refused *r = &refused[_i];
	struct peer *p = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));
	long result = 0;

#if defined(__SANITIZE_ADDRESS__)
	bool wanted = r->landlock == 0;
#else
	bool wanted = r->landlock == 0 || has_landlock(s, r->landlock);
#endif
	if (wanted && puppet_call(worker, &r->call, &result) == PUPPET_RETURNED) {
		if (r->number)
			ck_assert_int_eq(result, -r->number);
		else
			ck_assert(result >= 0 || result == -ENOENT); /* not all are everywhere */
	}
	scene_hello(p, "me::still here");
	s->worker_slack++;
	scene_end(s, NULL);
}
END_TEST

START_TEST(i3_worker_cannot_open_a_door_of_its_own)
{
	struct server *s = server_start(ONE_WORKER HELLO);
	struct peer *p = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9901) };
	struct puppet_call make = { SYS_socket, { AF_INET, SOCK_STREAM }, NULL, 0 };
	struct puppet_call bind = { SYS_bind, { 0, B, sizeof a }, &a, sizeof a };
	long fd, result;

	ck_assert_int_eq(inet_pton(AF_INET, s->address, &a.sin_addr), 1);
	if (has_landlock(s, 4) && puppet_call(worker, &make, &fd) == PUPPET_RETURNED) {
		ck_assert_int_ge(fd, 0);
		bind.args[0] = fd;
		ck_assert_int_eq(puppet_call(worker, &bind, &result), PUPPET_RETURNED);
		ck_assert_int_eq(result, -EACCES);
	}
	scene_hello(p, "me::still here");
	scene_end(s, NULL);
}
END_TEST

/* --- on and off ------------------------------------------------------------------------------ */

/* One line for all workers and all that come later. */
START_TEST(log_says_once_what_the_sandbox_is)
{
	struct server *s = server_start(HELLO_SERVER);

	ck_assert_int_eq(server_count_log(s, "ev=sandbox landlock="), 1);
	ck_assert_int_eq(server_count_log(s, "ev=sandbox seccomp=on"), 1);
	server_signal(s, SIGTTIN);
	server_wait_workers(s, 3, SERVER_MS);
	(void)server_wait_log(s, "ev=worker_ready slot=2");
	ck_assert_int_eq(server_count_log(s, "ev=sandbox "), 1);
	server_signal(s, SIGTTOU);
	server_wait_workers(s, 2, SERVER_MS);
	scene_end(s, NULL);
}
END_TEST

/* Then it is the kernel alone that says no: this user may not. */
START_TEST(i2_without_the_sandbox_the_user_still_has_no_rights)
{
	static const struct puppet_call calls[] = { { SYS_setuid, { 0 }, NULL, 0 },
		{ SYS_chroot, { B }, TEXT("/") }, { SYS_setgroups, { 0 }, NULL, 0 } };
	struct server *s = server_start(OFF AS_OTHER ONE_WORKER HELLO);
	struct peer *p = scene_chat(s);
	pid_t worker = server_worker_of(s, peer_port(p));
	long result;

	ck_assert_int_eq(server_count_log(s, "ev=sandbox landlock=off seccomp=off"), 1);
	ck_assert(procfs_holds(worker, "status", "Seccomp:\t0\n"));
	ck_assert(procfs_holds(worker, "status", "NoNewPrivs:\t1\n"));
	for (size_t i = 0; i < sizeof calls / sizeof *calls && geteuid() == 0; i++)
		if (puppet_call(worker, &calls[i], &result) == PUPPET_RETURNED)
			ck_assert_int_eq(result, -EPERM);
	scene_hello(p, "me::still here");
	scene_end(s, NULL);
}
END_TEST

START_TEST(sandbox_takes_a_restart_to_change)
{
	struct server *s = server_start(ONE_WORKER HELLO);

	server_config(s, "%s", OFF ONE_WORKER HELLO);
	server_reload_rejected(s, "sandbox restart");
	server_config(s, "%s", "sandbox = \"maybe\";\n" ONE_WORKER HELLO);
	server_reload_rejected(s, "sandbox");
	scene_end(s, NULL);
}
END_TEST

/* --- files that change ----------------------------------------------------------------------- */

#define OTHER_CA                                                                                   \
	ONE_WORKER                                                                                 \
	"robots = ( { name = \"model\"; type = \"openai\"; url = \"https://%s:8000\"; "            \
	"api_key = \"" KEY "\"; ca_file = \"$DIR/%s.pem\"; } );\n"

/* The worker may not read it, and need not: it comes with the settings. */
START_TEST(ca_file_named_at_a_reload_is_used)
{
	struct server *s = server_new(OTHER_CA, server_address(), "other");
	char cert[128], key[128];
	struct fakebot *b;
	struct peer *p;

	certs_make(s->folder, "good", s->address, 1);
	certs_make_self_signed(s->folder, "other", s->address);
	snprintf(cert, sizeof cert, "%s/good.pem", s->folder);
	snprintf(key, sizeof key, "%s/good.key", s->folder);
	b = fakebot_start_tls(s->address, SERVER_BOT_PORT, cert, key);
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	server_config(s, OTHER_CA, s->address, "ca");
	server_reload_ok(s);
	p = scene_chat(s);
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	server_config(s, OTHER_CA, s->address, "none");
	server_reload_rejected(s, "ca_file none.pem");
	server_config(s, OTHER_CA, s->address, "xiaotud.conf/../good");
	server_reload_rejected(s, "ca_file");
	scene_end(s, b);
}
END_TEST

static bool
copy(const char *from, const char *to)
{
	char bytes[8192];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n = in < 0 ? -1 : read(in, bytes, sizeof bytes);

	if (in >= 0)
		close(in);
	if (n < 0)
		return false;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	n = out < 0 ? -1 : write(out, bytes, (size_t)n);
	if (out >= 0)
		close(out);
	return n >= 0;
}

/* An /etc of our own, in which files can be replaced. */
static bool
own_etc(const char *folder)
{
	char path[96];

	snprintf(path, sizeof path, "%s/etc", folder);
	return unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mkdir(path, 0755) == 0 && chmod(folder, 0755) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, NULL) == 0;
}

/* Landlock knows the file that was there, not its name: a worker that could not read the new one
 * makes room for one that can, and its chats do not notice. */
START_TEST(worker_is_replaced_when_the_resolver_gets_another_file)
{
	struct server *s = server_new(ONE_WORKER HELLO);
	char path[128];
	struct peer *p;

	snprintf(path, sizeof path, "%s/etc/resolv.conf", s->folder);
	if (!own_etc(s->folder) || !copy("/etc/hosts", path) || !copy("/etc/nsswitch.conf", path)) {
		fprintf(stderr, "SKIPPED for want of mounts\n");
		server_end(s);
		return;
	}
	snprintf(path, sizeof path, "%s/etc", s->folder);
	ck_assert_int_eq(mount(path, "/etc", NULL, MS_MOVE, NULL), 0);
	server_run(s);
	server_wait_ready(s);
	p = scene_chat(s);
	scene_hello(p, "me::hi");
#if defined(__SANITIZE_ADDRESS__)
	if (false) { /* it may read any file */
#else
	if (has_landlock(s, 1)) {
#endif
		ck_assert(copy("/etc/resolv.conf", "/etc/new"));
		ck_assert_int_eq(rename("/etc/new", "/etc/resolv.conf"), 0);
		(void)server_wait_log(s, "ev=sandbox_stale file=/etc/resolv.conf");
		(void)server_wait_log(s, "ev=worker_recycled");
		(void)server_wait_log(s, "ev=worker_exit code=0");
		scene_hello(p, "still here");
	}
	scene_end(s, NULL);
}
END_TEST

Suite *
sandbox_suite(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = scene_case(suite, "call");

	tcase_add_loop_test(
	    tc, i2_i3_worker_that_makes_a_forbidden_call_is_killed_and_replaced, 0, DEADLY);
	tcase_add_loop_test(tc, i3_worker_that_asks_for_what_is_not_its_own_is_refused, 0, REFUSED);
	tcase_add_test(tc, i3_worker_cannot_open_a_door_of_its_own);
	tc = scene_case(suite, "switch");
	tcase_add_test(tc, log_says_once_what_the_sandbox_is);
	tcase_add_test(tc, i2_without_the_sandbox_the_user_still_has_no_rights);
	tcase_add_test(tc, sandbox_takes_a_restart_to_change);
	tc = scene_case(suite, "file");
	tcase_add_test(tc, ca_file_named_at_a_reload_is_used);
	tcase_add_test(tc, worker_is_replaced_when_the_resolver_gets_another_file);
	return suite;
}
