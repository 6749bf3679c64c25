/* chan.c - see chan.h. */
#include "share/chan.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct head {
	int32_t kind;
	int64_t number;
	char text[CHAN_TEXT];
};

union control {
	char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
	struct cmsghdr align;
};

int
chan_pair(int fds[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return err_errno(e, "socketpair");
	return 0;
}

int
chan_send(int fd, const struct chan_msg *m)
{
	struct head h;
	union control control;
	struct iovec iov = { &h, sizeof h };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memset(&h, 0, sizeof h);
	h.kind = (int32_t)m->kind;
	h.number = m->number;
	memcpy(h.text, m->text, sizeof h.text);
	if (m->n_fds) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)m->n_fds);
		c = CMSG_FIRSTHDR(&mh);
		assert(c != NULL);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)m->n_fds);
		memcpy(CMSG_DATA(c), m->fds, sizeof(int) * (size_t)m->n_fds);
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof h ? 0 : -1;
}

int
chan_receive(int fd, struct chan_msg *m)
{
	struct head h;
	union control control;
	struct iovec iov = { &h, sizeof h };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control };
	ssize_t n;

	do
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	m->n_fds = 0;
	m->lost_fds = (mh.msg_flags & MSG_CTRUNC) != 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		m->n_fds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(m->fds, CMSG_DATA(c), sizeof(int) * (size_t)m->n_fds);
	}
	if (n != (ssize_t)sizeof h)
		return -1;
	m->kind = (enum chan_kind)h.kind;
	m->number = h.number;
	memcpy(m->text, h.text, sizeof m->text);
	m->text[CHAN_TEXT - 1] = '\0';
	return 1;
}
