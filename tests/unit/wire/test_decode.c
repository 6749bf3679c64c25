/* test_decode.c - every input whole, byte by byte and at every cut must read the same. */
#include "unit/wire/suites.h"

#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 64, TRANSCRIPT = 1 << 16 };

/* What was decoded, as text: "text(me,hi) exit bad(5) fatal(4)". */
struct reading {
	struct wire wire;
	struct buf in, out;
	bool over;
};

static void
note(struct reading *r, enum decode got, const struct msg *m)
{
	static const char *const kinds[] = { "text", "exit", "help", "forget", "robot" };
	int bad;

	if (got == DECODE_BAD)
		bad = buf_addf(&r->out, "%s(%d,%.*s) ", m->fatal ? "fatal" : "bad", m->fail,
		    (int)m->n_id, m->id);
	else
		bad = buf_addf(&r->out, "%s(%.*s,%.*s%s%.*s%s) ", kinds[m->kind], r->wire.n_user,
		    r->wire.user, (int)m->n_text, m->text, m->n_id ? ",id=" : "", (int)m->n_id,
		    m->id, m->stream ? ",stream" : "");
	ck_assert_int_eq(bad, 0);
}

static void
decode_all(struct reading *r, enum edge edge)
{
	while (!r->over) {
		struct msg m;
		enum decode got = wire_decode(&r->wire, &r->in, edge, &m);

		if (got == DECODE_GOT || got == DECODE_BAD)
			note(r, got, &m);
		r->over = got == DECODE_BAD && m.fatal;
		wire_done(&r->wire, &r->in);
		if (got == DECODE_MORE || got == DECODE_PAUSE)
			return;
	}
}

static void
feed(struct reading *r, const char *s, size_t n)
{
	if (r->over)
		return;
	ck_assert_int_eq(buf_add(&r->in, s, n), 0);
	decode_all(r, EDGE_MORE);
}

static void
begin(struct reading *r)
{
	memset(r, 0, sizeof *r);
	wire_init(&r->wire, LIMIT);
	buf_init(&r->in, wire_in_limit(LIMIT));
	buf_init(&r->out, TRANSCRIPT);
}

static void
end(struct reading *r, const char *expected, size_t cut)
{
	if (!r->over)
		decode_all(r, EDGE_END);
	ck_assert_int_eq(buf_add(&r->out, "", 1), 0);
	ck_assert_msg(strcmp(buf_head(&r->out), expected) == 0, "cut %zu: \"%s\", not \"%s\"", cut,
	    buf_head(&r->out), expected);
	if (!r->over)
		ck_assert_uint_eq(r->in.len, 0);
	ck_assert_ptr_null(r->wire.tree);
	buf_release(&r->in);
	buf_release(&r->out);
}

/* Whole, in two at every place, and byte by byte. */
static void
reads_n(const char *s, size_t n, const char *expected)
{
	struct reading r;

	for (size_t cut = 1; cut <= n; cut++) {
		begin(&r);
		feed(&r, s, cut);
		if (cut < n)
			feed(&r, s + cut, n - cut);
		end(&r, expected, cut);
	}
	begin(&r);
	for (size_t i = 0; i < n; i++)
		feed(&r, s + i, 1);
	end(&r, expected, 0);
}

static void
reads(const char *s, const char *expected)
{
	reads_n(s, strlen(s), expected);
}

START_TEST(line_names_its_user_once)
{
	reads("me::hi\nagain\nyou::a::b\n", "text(me,hi) text(me,again) text(you,a::b) ");
	reads("me::你好\n", "text(me,你好) ");
	reads("me::\nhi\n", "text(me,hi) ");
	reads("me::hi", "text(me,hi) ");
}
END_TEST

START_TEST(line_drops_cr_and_empty_lines)
{
	reads("\n\r\n  \nme::hi\r\n\n", "text(me,hi) ");
}
END_TEST

START_TEST(line_takes_a_part_that_is_no_name_as_text)
{
	reads("me::x\nwhat is std::vector?\n", "text(me,x) text(me,what is std::vector?) ");
	reads("::x\n", "bad(1,) ");
	reads("hi\n", "bad(1,) ");
}
END_TEST

START_TEST(line_knows_its_commands)
{
	reads("exit\n", "exit(,) ");
	reads("me::exit\n", "exit(me,) ");
	reads("/help\n/forget\n/robot\n/robot  two \nme::/other\n",
	    "help(,) forget(,) robot(,) robot(,two) text(me,/other) ");
}
END_TEST

START_TEST(line_refuses_what_is_no_text)
{
	reads_n("me::a\0b\nme::c\n", 13, "bad(4,) text(me,c) ");
	reads("me::\xFF\xFE\nme::\xC0\xAF\nme::\xED\xA0\x80\nme::c\n",
	    "bad(3,) bad(3,) bad(3,) text(me,c) ");
}
END_TEST

START_TEST(line_strips_telnet_negotiation)
{
	reads("\xFF\xFB\x01\xFF\xFD\x03me::hi\r\n", "text(me,hi) ");
	reads("\xFF\xFA\x18\x01\xFF\xF0me::hi\n", "text(me,hi) ");
	/* In the middle and at the end of a line; with an end of line among the parameters. */
	reads("me::h\xFF\xF6i\n", "text(me,hi) ");
	reads("me::h\xFF\xFD\x01i\xFF\xFB\x03\r\n", "text(me,hi) ");
	/* What is left around a command is no command. */
	reads_n("me::a\n\xFF\xFD\xFF\xFD\x10z\nb\n", 14, "text(me,a) bad(3,) text(me,b) ");
	reads("me::a\n\xFF\xFA\x1F\x01\n\x01\n\xFF\xF0yo\r\n", "text(me,a) text(me,yo) ");
	/* No command: text that is no UTF-8. */
	reads("me::\xFF\xFE\n", "bad(3,) ");
	reads("me::\xFF\xFEtext\n", "bad(3,) ");
}
END_TEST

START_TEST(line_has_a_limit)
{
	char line[LIMIT + 16], expected[LIMIT + 64];

	snprintf(line, sizeof line, "me::%0*d\n", LIMIT, 7);
	snprintf(expected, sizeof expected, "text(me,%0*d) ", LIMIT, 7);
	reads(line, expected);
	snprintf(line, sizeof line, "me::%0*d\n", LIMIT + 1, 7);
	reads(line, "bad(2,) ");
}
END_TEST

START_TEST(endless_line_is_fatal)
{
	struct reading r;

	begin(&r);
	feed(&r, "me::", 4);
	while (!r.over && r.out.len == 0)
		feed(&r, "x", 1);
	end(&r, "fatal(2,) ", 0);
}
END_TEST

START_TEST(foreign_protocols_are_fatal)
{
	struct reading r;
	static const char tls[] = "\x16\x03\x01\x02";

	begin(&r);
	feed(&r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	end(&r, "fatal(4,) ", 0);
	begin(&r);
	feed(&r, tls, 4);
	end(&r, "fatal(4,) ", 0);
	/* Telnet is no disguise. */
	begin(&r);
	feed(&r, "\xFF\xFB\x01GET / HTTP/1.1\r\n\r\n", 21);
	end(&r, "fatal(4,) ", 0);
}
END_TEST

START_TEST(json_is_an_object_a_line)
{
	reads("{\"user\":\"me\",\"text\":\"hi\",\"id\":7,\"stream\":true}\n{\"text\":\"exit\"}\n",
	    "text(me,hi,id=7,stream) text(me,exit) ");
	reads("{\"user\":\"me\",\"text\":\"\\u4f60\",\"id\":\"a\\\"b\"}\n",
	    "text(me,你,id=\"a\\\"b\") ");
}
END_TEST

START_TEST(json_has_commands_where_it_asks_for_them)
{
	reads("{\"commands\":true,\"text\":\"/help\"}\n", "help(,) ");
	reads("{\"commands\":true,\"text\":\"/robot me\",\"id\":7}\n", "robot(,me,id=7) ");
	reads("{\"user\":\"me\",\"text\":\"/help\"}\n", "text(me,/help) ");
	reads("{\"commands\":true,\"user\":\"me\",\"text\":\"/h\"}\n", "text(me,/h) ");
}
END_TEST

START_TEST(json_errors_keep_the_id_and_the_chat)
{
	reads("{\"text\":\"hi\",\"id\":1}\n{\"id\":2}\n{\"id\":3,\"text\":5}\n{nonsense\n"
	      "{\"user\":\"me\",\"text\":\"\",\"id\":4}\n{\"user\":5,\"text\":\"a\"}\n"
	      "{\"user\":\"me\",\"text\":\"a\\u0000b\"}\n{\"user\":\"me\",\"text\":\"ok\"}\n",
	    "bad(1,1) bad(4,2) bad(4,3) bad(4,) bad(4,4) bad(4,) bad(4,) text(me,ok) ");
}
END_TEST

/* The answer says the id again, to somebody who reads JSON by the letter. */
START_TEST(json_id_is_json)
{
	static const char *const bad[] = { "NaN", "Infinity", "-Infinity", "1.", "-1.e5", "00.5",
		"-.5", "[7]", "9223372036854775808" };
	char text[128];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "{\"user\":\"me\",\"text\":\"a\",\"id\":%s}\n", bad[i]);
		reads(text, "bad(4,) ");
	}
	reads("{\"user\":\"me\",\"text\":\"a\",\"id\":-0.5e-7}\n{\"text\":\"a\",\"id\":null}\n",
	    "text(me,a,id=-0.5e-7) text(me,a,id=null) ");
}
END_TEST

/* Read `first` at once, then quiet, then `second`, then quiet. */
static void
reads_raw(const char *first, const char *second, const char *expected)
{
	struct reading r;

	begin(&r);
	feed(&r, first, strlen(first));
	decode_all(&r, EDGE_QUIET);
	feed(&r, second, strlen(second));
	decode_all(&r, EDGE_QUIET);
	end(&r, expected, 0);
}

START_TEST(raw_is_what_has_arrived)
{
	reads_raw("my name::hi", "and\nthis", "text(my name,hi) text(my name,and\nthis) ");
	reads_raw("me::hi", "me::exit", "text(me,hi) exit(me,) ");
	reads_raw("me::/help", "x\n", "text(me,/help) text(me,x) ");
}
END_TEST

START_TEST(dripping_bytes_are_a_line)
{
	struct reading r;

	begin(&r);
	feed(&r, "me::h", 5);
	feed(&r, "i", 1);
	decode_all(&r, EDGE_QUIET);
	feed(&r, "\n", 1);
	end(&r, "text(me,hi) ", 0);
}
END_TEST

START_TEST(datagram_is_one_message)
{
	static const struct {
		const char *bytes, *expected;
	} rows[] = { { "me::hi\n", "text(me,hi) " }, { "hi", "bad(1,) " },
		{ "me::\xFF", "bad(3,) " }, { "me::", "" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct reading r;

		begin(&r);
		ck_assert_int_eq(buf_add(&r.in, rows[i].bytes, strlen(rows[i].bytes)), 0);
		decode_all(&r, EDGE_DATAGRAM);
		end(&r, rows[i].expected, i);
	}
}
END_TEST

Suite *
decode_suite(void)
{
	Suite *suite = suite_create("decode");
	TCase *tc = tcase_create("line");

	tcase_add_test(tc, line_names_its_user_once);
	tcase_add_test(tc, line_drops_cr_and_empty_lines);
	tcase_add_test(tc, line_takes_a_part_that_is_no_name_as_text);
	tcase_add_test(tc, line_knows_its_commands);
	tcase_add_test(tc, line_refuses_what_is_no_text);
	tcase_add_test(tc, line_strips_telnet_negotiation);
	tcase_add_test(tc, line_has_a_limit);
	tcase_add_test(tc, endless_line_is_fatal);
	tcase_add_test(tc, foreign_protocols_are_fatal);
	suite_add_tcase(suite, tc);
	tc = tcase_create("json");
	tcase_add_test(tc, json_is_an_object_a_line);
	tcase_add_test(tc, json_has_commands_where_it_asks_for_them);
	tcase_add_test(tc, json_id_is_json);
	tcase_add_test(tc, json_errors_keep_the_id_and_the_chat);
	suite_add_tcase(suite, tc);
	tc = tcase_create("raw");
	tcase_add_test(tc, raw_is_what_has_arrived);
	tcase_add_test(tc, dripping_bytes_are_a_line);
	tcase_add_test(tc, datagram_is_one_message);
	suite_add_tcase(suite, tc);
	return suite;
}
