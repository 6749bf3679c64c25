/* fakebot_loop.c - see fakebot_stage.h: the robot's process; HTTP/1.1 with keep-alive, no more. */
#include "lib/fakebot_stage.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/lapse.h"
#include "base/list.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_BYTES = 1 << 20, OUT_BYTES = 1 << 20, EVENTS = 256 };

struct question {
	struct fakebot_record record;
	bool v2;
};

struct call {
	struct list link; /* in `calls` */
	int fd;
	bool waits; /* a request is complete, its answer not sent */
	bool holds; /* until a release */
	bool ends;  /* close when `out` is sent */
	int64_t due_ms;
	struct buf in, out;
	struct question q;
};

static struct stage *stage;
static struct list calls;
static int epoll_fd;

/* --- what is asked --------------------------------------------------------------------------- */

static void
copy(char *to, size_t size, const char *from, size_t n)
{
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static int
hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (tolower((unsigned char)c) - 'a' + 10) & 15;
}

/* The value of NAME in `a=b&c=d`, percent-decoded. */
static void
form_value(const char *form, size_t n, const char *name, char *to, size_t size)
{
	size_t n_name = strlen(name), used = 0;
	const char *end = form + n, *at = form, *stop;

	for (; at < end; at = stop + 1) {
		stop = memchr(at, '&', (size_t)(end - at));
		stop = stop == NULL ? end : stop;
		if ((size_t)(stop - at) > n_name && memcmp(at, name, n_name) == 0 &&
		    at[n_name] == '=')
			break;
	}
	if (at >= end)
		return;
	for (at += n_name + 1; at < stop && used + 1 < size; at++) {
		if (*at == '%' && stop - at > 2) {
			to[used++] = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		} else {
			to[used++] = *at == '+' ? ' ' : *at;
		}
	}
	to[used] = '\0';
}

static void
json_value(struct json_object *o, const char *name, char *to, size_t size)
{
	size_t n;
	const char *text = json_text(o, name, &n);

	if (text != NULL)
		copy(to, size, text, n);
}

static void
read_json(struct question *q, struct json_object *o)
{
	struct json_object *who = json_object_member(o, "userInfo"),
			   *text =
			       json_object_member(json_object_member(o, "perception"), "inputText");

	q->v2 = who != NULL;
	json_value(q->v2 ? who : o, q->v2 ? "apiKey" : "key", q->record.key, sizeof q->record.key);
	json_value(q->v2 ? who : o, q->v2 ? "userId" : "userid", q->record.userid,
	    sizeof q->record.userid);
	json_value(
	    q->v2 ? text : o, q->v2 ? "text" : "info", q->record.info, sizeof q->record.info);
}

static void
read_form(struct question *q, const char *form, size_t n)
{
	form_value(form, n, "key", q->record.key, sizeof q->record.key);
	form_value(form, n, "info", q->record.info, sizeof q->record.info);
	form_value(form, n, "userid", q->record.userid, sizeof q->record.userid);
}

static void
read_question(struct question *q, const char *head, size_t n_head, const char *body, size_t n_body)
{
	const char *query = memchr(head, '?', n_head), *line_end = memchr(head, '\r', n_head);
	struct json_object *o;

	memset(q, 0, sizeof *q);
	copy(q->record.head, sizeof q->record.head, head, n_head);
	if (query != NULL && line_end != NULL && query < line_end)
		read_form(q, query + 1, strcspn(query + 1, " \r"));
	o = n_body ? json_read(body, n_body) : NULL;
	if (o != NULL)
		read_json(q, o);
	else
		read_form(q, body, n_body);
	json_drop(o);
}

/* A whole request in `in`? Takes it. */
static bool
take_request(struct call *c)
{
	const char *head = c->in.len ? buf_head(&c->in) : "", *end, *at;
	size_t n_head, n_body = 0;

	end = memmem(head, c->in.len, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	n_head = (size_t)(end - head) + 4;
	for (at = head; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		if (strncasecmp(at + 1, "content-length:", 15) == 0)
			n_body = strtoul(at + 16, NULL, 10);
	if (c->in.len < n_head + n_body)
		return false;
	read_question(&c->q, head, n_head, head + n_head, n_body);
	buf_eat(&c->in, n_head + n_body);
	return true;
}

/* --- what is answered ------------------------------------------------------------------------ */

/* Under the mutex, as everything that reads the script. */
static bool
is_scripted(const struct question *q)
{
	return strstr(q->record.info, stage->only) != NULL ||
	       strcmp(q->record.key, stage->only) == 0;
}

static void
make_echo(const struct question *q, struct buf *out)
{
	size_t n_key = strlen(q->record.key);
	char text[600];

	snprintf(text, sizeof text, "echo:%s%s%s", q->record.info, stage->name_key ? " by " : "",
	    stage->name_key && n_key >= 2 ? q->record.key + n_key - 2 : "");
	(void)buf_adds(out, q->v2 ? "{\"intent\":{\"code\":10004},\"results\":[{\"groupType\":0,"
				    "\"resultType\":\"text\",\"values\":{\"text\":"
				  : "{\"code\":100000,\"text\":");
	(void)json_write(text, strlen(text), out);
	(void)buf_adds(out, q->v2 ? "}}]}" : "}");
}

static void
make_answer(struct call *c)
{
	bool scripted = is_scripted(&c->q);
	int promise = scripted ? stage->promise : 0;
	struct buf body;

	buf_init(&body, OUT_BYTES);
	if (scripted && stage->has_body)
		(void)buf_adds(&body, stage->body);
	else
		make_echo(&c->q, &body);
	(void)buf_addf(&c->out,
	    "HTTP/1.1 %d Scripted\r\nContent-Type: application/json; charset=utf-8\r\n"
	    "Content-Length: %u\r\n%s\r\n",
	    scripted ? stage->status : 200, promise ? (unsigned)promise : body.len,
	    scripted ? stage->headers : "");
	if (body.len)
		(void)buf_add(&c->out, buf_head(&body), body.len);
	c->ends = promise != 0;
	buf_release(&body);
}

/* --- connections ----------------------------------------------------------------------------- */

static void
hang_up(struct call *c)
{
	list_remove(&c->link);
	close(c->fd);
	buf_release(&c->in);
	buf_release(&c->out);
	free(c);
}

/* Returns false when the call is over and freed. */
static bool
flush(struct call *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

	while (c->out.len) {
		ssize_t n = send(c->fd, buf_head(&c->out), c->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			hang_up(c);
			return false;
		}
		buf_eat(&c->out, (size_t)n);
	}
	if (c->out.len == 0 && c->ends) {
		hang_up(c);
		return false;
	}
	ev.events |= c->out.len ? (uint32_t)EPOLLOUT : 0;
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
	return true;
}

static void
record(const struct question *q)
{
	int i;

	stage->records[stage->n_requests % FAKEBOT_RECORDS] = q->record;
	for (i = 0; i < stage->n_keys; i++)
		if (strcmp(stage->keys[i].key, q->record.key) == 0)
			break;
	if (i < STAGE_KEYS) {
		copy(stage->keys[i].key, sizeof stage->keys[i].key, q->record.key,
		    strlen(q->record.key));
		stage->keys[i].n++;
		stage->n_keys = i < stage->n_keys ? stage->n_keys : i + 1;
	}
	stage->n_requests++;
	pthread_cond_broadcast(&stage->changed);
}

/* Take what was asked; answer it, unless the script says to wait. Returns as flush(). */
static bool
serve(struct call *c)
{
	bool over = false;

	if (c->waits || !take_request(c))
		return true;
	pthread_mutex_lock(&stage->mutex);
	record(&c->q);
	if (is_scripted(&c->q)) {
		over = stage->hang_up;
		c->holds = stage->hold;
		c->due_ms = stage->delay_ms ? lapse_now_ms() + stage->delay_ms : 0;
	}
	c->waits = c->holds || c->due_ms != 0;
	if (!c->waits && !over)
		make_answer(c);
	pthread_mutex_unlock(&stage->mutex);
	if (over) {
		hang_up(c);
		return false;
	}
	return c->waits || flush(c);
}

static void
on_call(struct call *c, uint32_t events)
{
	size_t room;
	char *at = buf_reserve(&c->in, 16384, &room);
	ssize_t n = room ? recv(c->fd, at, room, 0) : 0;

	if (n > 0)
		buf_grow(&c->in, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		pthread_mutex_lock(&stage->mutex);
		stage->n_gone += c->waits;
		pthread_cond_broadcast(&stage->changed);
		pthread_mutex_unlock(&stage->mutex);
		hang_up(c);
		return;
	}
	if ((events & EPOLLOUT) && !flush(c))
		return;
	(void)serve(c);
}

static void
on_door(int door)
{
	int fd;

	while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct call *c = mem_zalloc(sizeof *c);
		struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

		c->fd = fd;
		buf_init(&c->in, IN_BYTES);
		buf_init(&c->out, OUT_BYTES);
		list_append(&calls, &c->link);
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	}
}

/* Answer what is due or released. Returns how long until the next is due, ms; -1: nothing is. */
static int
answer_due(bool released)
{
	int64_t now = lapse_now_ms(), next = INT32_MAX;

	list_each_safe (it, &calls) {
		struct call *c = list_item(it, struct call, link);
		bool due = c->holds ? released : c->due_ms <= now;

		if (!c->waits)
			continue;
		if (!due) {
			next = !c->holds && c->due_ms - now < next ? c->due_ms - now : next;
			continue;
		}
		pthread_mutex_lock(&stage->mutex);
		make_answer(c);
		pthread_mutex_unlock(&stage->mutex);
		c->waits = c->holds = false;
		if (flush(c))
			(void)serve(c);
	}
	return next == INT32_MAX ? -1 : (int)next;
}

static void
add_source(int fd, void *tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = tag };

	(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

void
fakebot_loop(struct stage *g, int door, int wake)
{
	static struct epoll_event events[EVENTS];
	static char door_tag, wake_tag;
	int wait_ms = -1;
	uint64_t count;

	/* Whatever else the test has open is none of ours: 3 and 4 stay. */
	door = fcntl(door, F_DUPFD, 1000);
	wake = fcntl(wake, F_DUPFD, 1000);
	if (dup2(door, 3) < 0 || dup2(wake, 4) < 0 || close_range(5, ~0U, 0) < 0)
		return;
	stage = g;
	list_init(&calls);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	add_source(3, &door_tag);
	add_source(4, &wake_tag);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, EVENTS, wait_ms);
		bool released = false;

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &door_tag)
				on_door(3);
			else if (events[i].data.ptr == &wake_tag)
				released = read(4, &count, sizeof count) > 0 || released;
			else
				on_call(events[i].data.ptr, events[i].events);
		}
		wait_ms = answer_due(released);
	}
}
