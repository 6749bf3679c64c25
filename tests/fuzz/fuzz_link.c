/* fuzz_link.c - client/link: what a server sends, in `json` and in `raw`, never reaches the
 * terminal but as clean text; and the places a user can name. The link stays open from one input
 * to the next: to open one takes time. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "client/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_BYTES = 60000 };

struct line {
	struct link *link;
	int server;
};

static void
open_line(struct line *l)
{
	const struct link_options o = { .user = "me", .answer_ms = 1000, .stream = true };
	int ends[2];

	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	FUZZ_CHECK(send(ends[1], "Welcome\n", 8, 0) == 8);
	l->link = link_start(ends[0], &o);
	l->server = ends[1];
	FUZZ_CHECK(l->link != NULL);
	FUZZ_CHECK_CLEAN(buf_head(link_greeting(l->link)), link_greeting(l->link)->len);
}

/* A question is open, so that answers are heard, too. */
static void
ask(struct line *l)
{
	char bytes[256];
	struct buf why;

	buf_init(&why, 1000);
	FUZZ_CHECK(link_send(l->link, "hi", 2, &why) == HEARD_NOTHING);
	while (recv(l->server, bytes, sizeof bytes, 0) > 0)
		;
	buf_release(&why);
}

static void
check_heard(enum heard heard, const struct buf *text)
{
	FUZZ_CHECK_CLEAN(buf_head(text), text->len);
	FUZZ_CHECK(heard != HEARD_GONE && heard != HEARD_TIMEOUT);
	FUZZ_CHECK(heard != HEARD_FAILED || memcmp(buf_head(text), "ERR ", 4) == 0);
	FUZZ_CHECK(heard != HEARD_BYE || memcmp(buf_head(text), "BYE ", 4) == 0);
	FUZZ_CHECK(heard != HEARD_NOTHING || text->len == 0);
}

static void
look(struct line *l)
{
	struct buf text;
	enum heard heard;

	buf_init(&text, LINK_ANSWER_BYTES);
	do {
		heard = link_take(l->link, &text);
		check_heard(heard, &text);
		FUZZ_CHECK_CLEAN(buf_head(link_object(l->link)), link_object(l->link)->len);
	} while (heard != HEARD_NOTHING);
	buf_release(&text);
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct line *l = arg;

	(void)quiet;
	FUZZ_CHECK(n == 0 || send(l->server, s, n, MSG_NOSIGNAL) == (ssize_t)n);
	look(l);
}

/* What `raw` makes of it: how it is cut depends on the clock, what it says does not. */
static void
check_plain(const char *s, size_t n)
{
	const char *code, *sentence;
	size_t n_sentence, n_code;
	enum heard heard;
	struct buf text;

	buf_init(&text, LINK_ANSWER_BYTES);
	heard = hear_plain(s, n, &text);
	check_heard(heard, &text);
	if (heard != HEARD_ANSWER) {
		sentence = hear_sentence(&text, &n_sentence, &code, &n_code);
		FUZZ_CHECK_CLEAN(sentence, n_sentence);
		FUZZ_CHECK_CLEAN(code, n_code);
	}
	buf_release(&text);
}

static void
check_place(const char *text)
{
	struct link_place p = { .host = "" };
	struct err e = { "" };

	if (link_place_parse(&p, text, &e))
		FUZZ_CHECK(*e.text != '\0');
	else
		FUZZ_CHECK(memchr(p.host, 0, sizeof p.host) && p.port >= 0 && p.port <= 65535);
	if (link_name_check(text, &e) == 0)
		FUZZ_CHECK(strlen(text) <= LINK_NAME_BYTES && text_is_utf8(text, strlen(text)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct line json;
	const char *s = (const char *)data;
	char *text;
	size_t n_text;

	if (n > SOCKET_BYTES)
		return 0;
	if (json.link == NULL)
		open_line(&json);
	ask(&json);
	fuzz_feed(s, n, FUZZ_AS_CUT, on_piece, &json);
	on_piece(&json, "\n", 1, 0);
	check_plain(s, n);
	text = fuzz_next(&s, &n, &n_text);
	if (text)
		check_place(text);
	free(text);
	return 0;
}
