/* kinds.c - see kinds.h. */
#include "unit/worker/kinds.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void
say_line(struct conn *c)
{
	c->wire.codec = &codec_line;
	c->wire.lines = true;
	c->wire.first = 9;
	ck_assert(wire_set_user(&c->wire, "ann", 3));
}

static void
undecided(struct conn *c)
{
	(void)c;
}

static void
half_a_message(struct conn *c)
{
	say_line(c);
	ck_assert_int_eq(buf_adds(&c->in, "half a mess"), 0);
}

static void
undecided_with_bytes(struct conn *c)
{
	c->wire.first = 3;
	ck_assert_int_eq(buf_adds(&c->in, "me:"), 0);
}

static void
in_json(struct conn *c)
{
	c->wire.codec = &codec_json;
	c->wire.first = 20;
	ck_assert(wire_set_user(&c->wire, "\xe5\xb0\x8f\xe5\x9b\xbe", 6));
	ck_assert_int_eq(buf_adds(&c->in, "{\"text\":\"half"), 0);
}

static void
in_raw(struct conn *c)
{
	char name[WIRE_NAME_BYTES];

	memset(name, 'n', sizeof name);
	c->wire.codec = &codec_raw;
	c->wire.first = 7;
	ck_assert(wire_set_user(&c->wire, name, sizeof name));
}

static void
unheard(struct conn *c)
{
	say_line(c);
	ck_assert_int_eq(buf_adds(&c->out, "an answer that was not taken yet\n"), 0);
}

static void
ask(struct conn *c, enum msg_kind kind, const char *text, const char *id, bool stream)
{
	const struct msg m = { .kind = kind,
		.text = text,
		.n_text = strlen(text),
		.id = id,
		.n_id = strlen(id),
		.stream = stream };

	conn_wait_in_line(c, "ann", 3, &m);
}

static void
eight_questions(struct conn *c)
{
	char text[32], id[16];

	in_json(c);
	for (int i = 0; i < CONN_WAITING; i++) {
		snprintf(text, sizeof text, "question %d", i);
		snprintf(id, sizeof id, i % 2 ? "%d" : "\"id%d\"", i);
		ask(c, MSG_TEXT, text, i == 7 ? "" : id, i % 3 == 0);
	}
}

static void
commands(struct conn *c)
{
	say_line(c);
	ask(c, MSG_HELP, "", "", false);
	ask(c, MSG_FORGET, "", "", false);
	ask(c, MSG_ROBOT, "second", "", false);
}

static void
with_memory(struct conn *c)
{
	const struct store_turn said[] = { { "my name is ann", "hello ann", 14, 9 },
		{ "x", "", 1, 0 }, { "\xe5\xb0\x8f", "a\nb", 3, 3 } };

	say_line(c);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		store_mem.append(c->w->store, c->id, 10, &said[i]);
}

static void
chose_a_robot(struct conn *c)
{
	say_line(c);
	c->robot = 1;
}

static void
half_closed(struct conn *c)
{
	say_line(c);
	c->in_end = true;
	ask(c, MSG_TEXT, "the last one", "", false);
}

static void
said_exit(struct conn *c)
{
	say_line(c);
	c->deaf = true;
	ask(c, MSG_TEXT, "one more", "", false);
	ask(c, MSG_EXIT, "", "", false);
}

static void
in_a_hurry(struct conn *c)
{
	say_line(c);
	c->since_ms -= 86400000;
	c->rate_ms = 123456789;
	c->rate_left = 0.25;
}

static void
in_a_frame(struct conn *c)
{
	static const char bytes[] = "{\"text\":\"half a frame";

	c->wire.codec = &codec_ws;
	c->wire.frames = (struct wire_frames){ .got = sizeof bytes - 1,
		.left = 7,
		.mask = { 1, 2, 3, 4 },
		.turn = 3,
		.is_open = true,
		.in_frame = true,
		.is_last = true };
	ck_assert(wire_set_user(&c->wire, "ann", 3));
	ck_assert_int_eq(buf_adds(&c->in, bytes), 0);
}

static void
between_frames(struct conn *c)
{
	c->wire.codec = &codec_ws;
	c->wire.frames = (struct wire_frames){ .got = 3, .is_open = true, .mask = { 9 } };
	ck_assert_int_eq(buf_add(&c->in, "{ \"\x80\x84\x01", 6), 0);
}

/* One that came by a web door and has not said what for. */
static void
visiting(struct conn *c)
{
	c->wire.codec = &codec_http;
	c->visiting = true;
	c->counted = false;
	score_add(&c->w->score->visitors, 1);
	score_add(&c->w->score->chats, -1);
	c->door = 0x12345678;
	ck_assert_int_eq(buf_adds(&c->in, "GET / HTTP/1.1\r\nHo"), 0);
}

void (*const kinds[KINDS])(struct conn *c) = { [KIND_LINE] = say_line,
	undecided,
	half_a_message,
	undecided_with_bytes,
	in_json,
	in_raw,
	unheard,
	eight_questions,
	commands,
	with_memory,
	chose_a_robot,
	half_closed,
	said_exit,
	in_a_hurry,
	in_a_frame,
	between_frames,
	visiting };
