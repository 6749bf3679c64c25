/* pidfile.c - see pidfile.h. */
#include "master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
fail(const char *temp, int fd, const char *path, struct err *e)
{
	err_errno(e, "pid_file: cannot write %s", path);
	if (fd >= 0) {
		close(fd);
		unlink(temp);
	}
	return -1;
}

int
pidfile_write(const char *path, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char temp[4200];
	int fd;

	snprintf(temp, sizeof temp, "%s.%d", path, (int)getpid());
	(void)unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0 ||
	    rename(temp, path) < 0)
		return fail(temp, fd, path, e);
	return fd;
}

void
pidfile_remove(const char *path, int fd)
{
	struct stat ours, theirs;

	if (fd < 0)
		return;
	if (fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
	    ours.st_dev == theirs.st_dev)
		unlink(path);
	close(fd);
}

pid_t
pidfile_owner(const char *path, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDONLY | O_CLOEXEC), bad;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(e, "pid_file: cannot open %s", path);
	bad = fcntl(fd, F_GETLK, &lock);
	close(fd);
	if (bad)
		return err_errno(e, "pid_file: %s", path);
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}
