/* peer.c - see peer.h. Answers are told by their end: a newline, or the length that HTTP names. */
#include "bench/peer.h"

#include "base/mem.h"
#include "bench/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

static const char *const messages[] = { [PEER_CHAT] = "me::hi\n",
	[PEER_HTTP] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	[PEER_ECHO] = "me::hi\n" };

bool
peer_say(struct peer *p, enum peer_speaks how)
{
	size_t n = strlen(messages[how]);

	if (send(p->fd, messages[how], n, MSG_NOSIGNAL) != (ssize_t)n)
		return false;
	p->state = PEER_WAITS;
	p->n_said++;
	return true;
}

static enum peer_event
line_event(struct peer *p, const char *s, size_t n)
{
	if (s[n - 1] != '\n')
		return PEER_NOTHING;
	if (p->state == PEER_CONNECTS)
		return PEER_READY;
	return n > 4 && (memcmp(s, "ERR ", 4) == 0 || memcmp(s, "BYE ", 4) == 0) ? PEER_REFUSAL
										 : PEER_ANSWER;
}

/* Is a response whole? Lengths are those of nginx and of our robot: no odd spelling. */
static enum peer_event
http_event(const char *s, size_t n)
{
	const char *end = memmem(s, n, "\r\n\r\n", 4), *length;
	bool good = n > 12 && memcmp(s + 9, "200", 3) == 0;

	if (end == NULL)
		return PEER_NOTHING;
	length = memmem(s, (size_t)(end - s), "\r\nContent-Length: ", 18);
	if (length) {
		if ((size_t)(s + n - end) - 4 < strtoul(length + 18, NULL, 10))
			return PEER_NOTHING;
	} else if (memcmp(s + n - 5, "0\r\n\r\n", 5) != 0) {
		return PEER_NOTHING; /* chunks; the last is empty */
	}
	return good ? PEER_ANSWER : PEER_REFUSAL;
}

static void
keep(struct peer *p, const char *s, size_t n)
{
	p->part = mem_resize(p->part, p->n_part + n, 1);
	memcpy(p->part + p->n_part, s, n);
	p->n_part += (uint32_t)n;
}

static void
forget(struct peer *p)
{
	free(p->part);
	p->part = NULL;
	p->n_part = 0;
}

enum peer_event
peer_read(struct peer *p, enum peer_speaks how)
{
	static char bytes[READ_BYTES + 1];
	ssize_t n = recv(p->fd, bytes, READ_BYTES, MSG_DONTWAIT);
	const char *s = bytes;
	size_t size = (size_t)n;
	enum peer_event event;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PEER_NOTHING;
	if (n <= 0)
		return PEER_GONE;
	bytes[n] = '\0';
	if (p->n_part) {
		keep(p, bytes, (size_t)n + 1); /* with a NUL, for strtoul() */
		p->n_part--;
		s = p->part;
		size = p->n_part;
	}
	event = how == PEER_HTTP ? http_event(s, size) : line_event(p, s, size);
	if (event == PEER_NOTHING) {
		if (p->n_part == 0)
			keep(p, bytes, (size_t)n);
		return event;
	}
	if (p->n_part)
		forget(p);
	if (event == PEER_ANSWER && p->state != PEER_WAITS)
		return PEER_NOTHING; /* nobody asked */
	p->state = PEER_IDLE;
	return event;
}

enum peer_event
peer_is_connected(struct peer *p)
{
	int why = 0;
	socklen_t n = sizeof why;

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0 || why)
		return PEER_GONE;
	p->state = PEER_IDLE;
	return PEER_READY;
}

void
peer_close(struct peer *p)
{
	if (p->state != PEER_NONE)
		close(p->fd);
	forget(p);
	memset(p, 0, sizeof *p);
}
