/* jail_files.c - the file system as a worker sees it: what it takes to find a robot by its name and
 * to check its certificate, to be read. Nothing can be written, made, removed or run.
 *
 * The settings with their keys, rules and certificates come in a memfd and the log as a descriptor,
 * so none of their files is here, and a reload may name others. What is here is read by libraries,
 * at times of their own: the resolver's configuration, whatever getaddrinfo() loads as
 * /etc/nsswitch.conf tells it, certificates of the system, the time zone. A folder is opened where
 * files come and go in it; the rest is single files, for beside them in /etc lie those that are
 * nobody's business. A single file that is replaced is lost to us: jail_is_stale().
 *
 * Landlock grows by ABIs. What we ask for is cut down to what the kernel knows: 1 files, 2 moving
 * them between folders, 3 truncating, 4 TCP (a worker binds nothing; where it connects to is up to
 * the next reload, so that stays open), 5 device ioctls, 6 signals and abstract sockets. */
#include "worker/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's header ends with ABI 2. */
#define FS_ABI1      (LANDLOCK_ACCESS_FS_REFER - 1)
#define FS_REFER     (1ULL << 13)
#define FS_TRUNCATE  (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_TCP (1ULL << 0)
#define SCOPE_ABI6   (1ULL << 0 | 1ULL << 1)
#define READ_FILE    LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FOLDER  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* struct landlock_ruleset_attr as of ABI 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

const char *const jail_files_watched[JAIL_WATCHED] = { "/etc/resolv.conf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/gai.conf" };

static const char *const readable[] = {
	/* names */
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/services",
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",
	"/run/connman",
	"/var/lib/sss/mc",
	/* certificates */
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/pki/tls",
	"/etc/pki/ca-trust",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/usr/share/pki",
	"/var/lib/ca-certificates",
	"/dev/urandom",
	"/dev/random",
	/* modules that are loaded late */
	"/etc/ld.so.cache",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	/* the rest */
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/dev/null",
	"/sys/devices/system/cpu",
#if defined(XIAOTU_SANITIZED)
	"/proc",
	"/",
#endif
};

static int
create(const struct ruleset *r, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, r, size, flags);
}

/* Read it, or what is in it. What does not exist needs no rule. Returns 0 or -1 with errno. */
static int
allow(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr a = { .allowed_access = READ_FILE };
	struct stat st;
	int bad;

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -1;
	if (fstat(a.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
		a.allowed_access = READ_FOLDER;
	bad =
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0 ? -1 : 0;
	close(a.parent_fd);
	return bad;
}

/* Of the size that the kernel of this ABI knows. */
static int
create_for(int abi)
{
	struct ruleset r = { .fs = FS_ABI1 };

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4)
		r.net = NET_BIND_TCP;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_ABI6;
	return create(&r, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0);
}

int
jail_files_close(struct err *why)
{
	int abi = create(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), ruleset, bad = 0;

	/* ENOSYS: older than 5.13; EOPNOTSUPP: switched off at boot; EPERM: a container. */
	if (abi <= 0) {
		err_errno(why, "landlock");
		return 0;
	}
	ruleset = create_for(abi);
	if (ruleset < 0)
		return err_errno(why, "landlock: ruleset");
	for (size_t i = 0; i < sizeof readable / sizeof *readable && !bad; i++)
		if (allow(ruleset, readable[i]))
			bad = err_errno(why, "landlock: %s", readable[i]);
	if (!bad && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		bad = err_errno(why, "landlock: restrict");
	close(ruleset);
	return bad ? -1 : abi;
}
