/* test_hear.c - what a server says; and a link over a socket pair. */
#include "unit/client/suites.h"

#include "client/link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct buf text, object;

static void
set_up(void)
{
	buf_init(&text, 1 << 20);
	buf_init(&object, 1 << 20);
}

static void
tear_down(void)
{
	buf_release(&text);
	buf_release(&object);
}

static void
expect_text(const struct buf *b, const char *wanted)
{
	ck_assert_msg(
	    b->len == strlen(wanted) && (b->len == 0 || memcmp(buf_head(b), wanted, b->len) == 0),
	    "\"%.*s\", not \"%s\"", (int)b->len, b->len ? buf_head(b) : "", wanted);
}

/* With question 7 open. */
static void
expect(const char *line, enum heard heard, const char *wanted)
{
	buf_cut(&text, 0);
	ck_assert_int_eq(hear_line(line, strlen(line), 7, &text, &object), heard);
	expect_text(&text, wanted);
}

START_TEST(lines_of_json)
{
	expect("{\"id\":7,\"robot\":\"x\",\"text\":\"好\"}", HEARD_ANSWER, "好");
	expect_text(&object, "{\"id\":7,\"robot\":\"x\",\"text\":\"好\"}");
	expect("{\"id\":7,\"piece\":\"h\"}", HEARD_PIECE, "h");
	expect("{\"text\":\"a note\"}", HEARD_ANSWER, "a note");
	expect("{\"id\":7,\"error\":{\"code\":\"busy\",\"message\":\"太忙\"}}", HEARD_FAILED,
	    "ERR busy 太忙");
	expect("{\"bye\":{\"reason\":\"idle\",\"message\":\"再见\"}}", HEARD_BYE, "BYE idle 再见");
	expect("{\"id\":7,\"notice\":\"wait\"}", HEARD_NOTHING, "");
	expect("", HEARD_NOTHING, "");
}
END_TEST

START_TEST(answers_nobody_waits_for_are_dropped)
{
	expect("{\"id\":6,\"text\":\"late\"}", HEARD_NOTHING, "");
	expect("{\"id\":6,\"piece\":\"late\"}", HEARD_NOTHING, "");
	buf_cut(&text, 0);
	ck_assert_int_eq(
	    hear_line("{\"id\":7,\"text\":\"x\"}", 19, 0, &text, &object), HEARD_NOTHING);
}
END_TEST

START_TEST(other_lines_are_notices_or_said_unasked)
{
	expect("ERR busy 太忙", HEARD_FAILED, "ERR busy 太忙");
	expect("BYE shutdown", HEARD_BYE, "BYE shutdown");
	expect("ERR is human", HEARD_SAID, "ERR is human");
	expect("maintenance\x1b[2J at noon", HEARD_SAID, "maintenance[2J at noon");
	expect("{broken", HEARD_SAID, "{broken");
}
END_TEST

START_TEST(sentence_of_a_notice)
{
	const char *code, *sentence;
	size_t n, n_code;

	(void)buf_adds(&text, "ERR busy 现在 太忙");
	sentence = hear_sentence(&text, &n, &code, &n_code);
	ck_assert(n == strlen("现在 太忙") && memcmp(sentence, "现在 太忙", n) == 0);
	ck_assert(n_code == 4 && memcmp(code, "busy", 4) == 0);
	buf_cut(&text, 0);
	(void)buf_adds(&text, "BYE idle");
	(void)hear_sentence(&text, &n, &code, &n_code);
	ck_assert(n == 0 && n_code == 4);
}
END_TEST

/* A link whose server we are. */
static struct link *
link_with(const char *greeting, int *server, bool stream)
{
	struct link_options o = { .user = "ann", .answer_ms = 5000, .stream = stream };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	*server = ends[1];
	ck_assert_int_eq(write(*server, greeting, strlen(greeting)), (ssize_t)strlen(greeting));
	return link_start(ends[0], &o);
}

static void
serve(int server, const char *s)
{
	ck_assert_int_eq(write(server, s, strlen(s)), (ssize_t)strlen(s));
}

static void
expect_sent(int server, const char *wanted)
{
	char got[256];
	ssize_t n = read(server, got, sizeof got - 1);

	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, wanted);
}

START_TEST(link_streams_in_json)
{
	int server;
	struct link *l = link_with("hello\n", &server, true);

	expect_text(link_greeting(l), "hello\n");
	ck_assert_int_eq(link_send(l, "一\n二", strlen("一\n二"), &text), HEARD_NOTHING);
	expect_sent(server, "{\"user\":\"ann\",\"text\":\"一\\n二\",\"id\":1,\"stream\":true}\n");
	serve(server, "{\"id\":1,\"piece\":\"a\"}\n{\"id\":1,\"pie");
	ck_assert_int_eq(link_take(l, &text), HEARD_PIECE);
	ck_assert_int_eq(link_take(l, &text), HEARD_NOTHING);
	serve(server, "ce\":\"b\"}\n{\"id\":1,\"text\":\"ab\"}\n");
	ck_assert_int_eq(link_take(l, &text), HEARD_PIECE);
	expect_text(&text, "b");
	ck_assert_int_eq(link_take(l, &text), HEARD_ANSWER);
	expect_text(&text, "ab");
	/* Given up: the rest of it is dropped, the next one is heard. */
	ck_assert_int_eq(link_send(l, "x", 1, &text), HEARD_NOTHING);
	ck_assert(link_cancel(l));
	ck_assert_int_eq(link_send(l, "y", 1, &text), HEARD_NOTHING);
	serve(server, "{\"id\":2,\"text\":\"to x\"}\n{\"id\":3,\"text\":\"to y\"}\n");
	ck_assert_int_eq(link_take(l, &text), HEARD_ANSWER);
	expect_text(&text, "to y");
	close(server);
	ck_assert_int_eq(link_take(l, &text), HEARD_GONE);
	link_close(l);
}
END_TEST

START_TEST(link_is_raw_with_others)
{
	int server;
	struct link *l = link_with("你好！", &server, true);

	ck_assert_int_eq(link_send(l, "a\nb", 3, &text), HEARD_NOTHING);
	expect_sent(server, "ann::a b");
	serve(server, "to a b");
	ck_assert_int_eq(link_take(l, &text), HEARD_NOTHING); /* more may come */
	ck_assert_int_ge(link_wait_ms(l), 0);
	close(server);
	ck_assert_int_eq(link_take(l, &text), HEARD_ANSWER);
	expect_text(&text, "to a b");
	ck_assert(!link_cancel(l));
	link_close(l);
}
END_TEST

Suite *
hear_suite(void)
{
	Suite *suite = suite_create("hear");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, lines_of_json);
	tcase_add_test(tc, answers_nobody_waits_for_are_dropped);
	tcase_add_test(tc, other_lines_are_notices_or_said_unasked);
	tcase_add_test(tc, sentence_of_a_notice);
	tcase_add_test(tc, link_streams_in_json);
	tcase_add_test(tc, link_is_raw_with_others);
	suite_add_tcase(suite, tc);
	return suite;
}
