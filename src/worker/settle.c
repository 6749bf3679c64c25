/* settle.c - see settle.h. */
#include "worker/settle.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A kernel, a container or a tracer may say yes and do nothing. */
static int
prove(const struct passwd *pw, struct err *e)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) || getresgid(&g[0], &g[1], &g[2]))
		return err_errno(e, "user: cannot see who we are");
	for (int i = 0; i < 3; i++)
		if (u[i] != pw->pw_uid || g[i] != pw->pw_gid)
			return err_set(e, "user: did not become %s", pw->pw_name);
	return 0;
}

/* Become the user for good; every step must succeed. */
static int
become(const char *name, struct err *e)
{
	const struct passwd *pw;

	if (*name == '\0' || geteuid() != 0)
		return 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return err_set(e, "user: there is no user %s", name);
	if (initgroups(name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return err_errno(e, "user: cannot become %s", name);
	return prove(pw, e);
}

/* Who is not root must not be able to become it, whatever way he came here. */
static int
prove_no_way_back(struct err *e)
{
	if (geteuid() == 0 || (setuid(0) < 0 && seteuid(0) < 0))
		return 0;
	return err_set(e, "user: can become root again");
}

int
settle_down(const struct boot *boot, struct err *e)
{
	const struct rlimit none = { 0, 0 };

	if (become(boot->user, e) || prove_no_way_back(e))
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_errno(e, "cannot give up new privileges");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
		return err_errno(e, "cannot forbid core dumps");
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		return err_errno(e, "cannot follow the master");
	if (getppid() != boot->master)
		return err_set(e, "the master is gone");
	return 0;
}

void
settle_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTTIN,
		SIGTTOU };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
