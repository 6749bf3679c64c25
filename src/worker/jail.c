/* jail.c - see jail.h. */
#include "worker/jail.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(XIAOTU_SANITIZED)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Root without capabilities is somebody who owns root's files, no more. LeakSanitizer traces the
 * process that it looks through, which cannot be dumped: it keeps that one. */
static int
drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/* A service manager may forbid the call, and has left us none. */
	if (syscall(SYS_capget, &head, had) == 0 && memcmp(had, none, sizeof none) == 0)
		return 0;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (SANITIZED && geteuid() == 0)
		none[0].effective = none[0].permitted = 1U << CAP_SYS_PTRACE;
	if (syscall(SYS_capset, &head, none) < 0)
		return err_errno(e, "cannot give up capabilities");
	return 0;
}

/* --- what the resolver reads ----------------------------------------------------------------- */

static struct jail_file
look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct jail_file){ 0, 0 };
	return (struct jail_file){ st.st_dev, st.st_ino };
}

static bool
is_readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno != EACCES;
	close(fd);
	return true;
}

bool
jail_is_stale(struct jail *j)
{
	if (j->landlock == 0)
		return false;
	for (int i = 0; i < JAIL_WATCHED; i++) {
		const char *path = jail_files_watched[i];
		struct jail_file now = look(path);

		if (now.device == j->watched[i].device && now.inode == j->watched[i].inode)
			continue;
		j->watched[i] = now;
		if (now.inode == 0 || is_readable(path))
			continue;
		log_info("sandbox_stale file=%s", path);
		return true;
	}
	return false;
}

/* --- in -------------------------------------------------------------------------------------- */

static void
tell(const struct jail *j, struct score *score, const char *why)
{
	bool whole = j->landlock && j->seccomp, first = !atomic_exchange(&score->sandbox_told, 1);
	char landlock[16] = "none";

	if (j->landlock)
		snprintf(landlock, sizeof landlock, "%d", j->landlock);
	if (first && whole)
		log_notice("sandbox landlock=%s seccomp=on", landlock);
	else if (first)
		log_warn("sandbox landlock=%s seccomp=%s why=%s", landlock,
		    j->seccomp ? "on" : "none", log_quote(why, strlen(why)));
}

int
jail_enter(struct jail *j, bool on, struct score *score, struct err *e)
{
	struct err files = { "" }, calls = { "" };
	int got;

	if (!on) {
		if (!atomic_exchange(&score->sandbox_told, 1))
			log_notice("sandbox landlock=off seccomp=off");
		return 0;
	}
	tzset(); /* reads its file now */
	if (drop_capabilities(e))
		return -1;
	for (int i = 0; i < JAIL_WATCHED; i++)
		j->watched[i] = look(jail_files_watched[i]);
	j->landlock = jail_files_close(&files);
	if (j->landlock < 0) {
		*e = files;
		return -1;
	}
	got = jail_calls_close(&calls);
	if (got < 0) {
		*e = calls;
		return -1;
	}
	j->seccomp = got > 0;
	tell(j, score, j->landlock ? calls.text : files.text);
	return 0;
}
