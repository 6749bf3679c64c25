/* test_move.c - a chat as bytes and back: nothing is lost, nothing foreign is believed. */
#include "unit/worker/bench.h"
#include "unit/worker/kinds.h"
#include "unit/worker/suites.h"

#include "worker/move.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD_BYTES = 8, FIELD_BYTES = 8, STRANGE = 900, RANDOM_ROUNDS = 3000 };

/* --- equal ----------------------------------------------------------------------------------- */

static void
same_bytes(const struct buf *a, const struct buf *b)
{
	ck_assert_uint_eq(a->len, b->len);
	if (a->len)
		ck_assert_int_eq(memcmp(buf_head(a), buf_head(b), a->len), 0);
}

static void
same_questions(const struct asked *a, const struct asked *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next) {
		ck_assert_int_eq(a->kind, b->kind);
		ck_assert_int_eq(a->stream, b->stream);
		ck_assert_uint_eq(a->n_user, b->n_user);
		ck_assert_uint_eq(a->n_text, b->n_text);
		ck_assert_uint_eq(a->n_id, b->n_id);
		ck_assert_int_eq(memcmp(a->bytes, b->bytes, a->n_user + a->n_text + a->n_id), 0);
	}
	ck_assert_ptr_null(a);
	ck_assert_ptr_null(b);
}

static void
same_memory(const struct conn *a, const struct conn *b)
{
	struct store_turn of_a[STORE_MAX_TURNS], of_b[STORE_MAX_TURNS];
	int n = store_mem.recent(a->w->store, a->id, STORE_MAX_TURNS, of_a);

	ck_assert_int_eq(store_mem.recent(b->w->store, b->id, STORE_MAX_TURNS, of_b), n);
	for (int i = 0; i < n; i++) {
		ck_assert_uint_eq(of_a[i].n_question, of_b[i].n_question);
		ck_assert_uint_eq(of_a[i].n_answer, of_b[i].n_answer);
		ck_assert_int_eq(memcmp(of_a[i].question, of_b[i].question, of_a[i].n_question), 0);
		ck_assert_int_eq(memcmp(of_a[i].answer, of_b[i].answer, of_a[i].n_answer), 0);
	}
}

static void
same_chat(const struct conn *a, const struct conn *b)
{
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_ptr_eq(a->wire.codec, b->wire.codec);
	ck_assert_uint_eq(a->wire.first, b->wire.first);
	ck_assert_int_eq(a->wire.lines, b->wire.lines);
	ck_assert_int_eq(a->wire.datagram, b->wire.datagram);
	ck_assert_uint_eq(a->wire.limit_bytes, b->wire.limit_bytes);
	ck_assert_uint_eq(a->wire.n_user, b->wire.n_user);
	ck_assert_int_eq(memcmp(a->wire.user, b->wire.user, a->wire.n_user), 0);
	same_bytes(&a->in, &b->in);
	same_bytes(&a->out, &b->out);
	same_questions(a->first, b->first);
	ck_assert_int_eq(a->n_waiting, b->n_waiting);
	ck_assert_int_eq(a->robot, b->robot);
	ck_assert_int_eq(a->in_end, b->in_end);
	ck_assert_int_eq(a->deaf, b->deaf);
	ck_assert_int_eq(a->leave, b->leave);
	ck_assert_int_eq(a->counted, b->counted);
	ck_assert_int_eq(a->visiting, b->visiting);
	ck_assert_uint_eq(a->door, b->door);
	ck_assert_uint_eq(a->wire.frames.got, b->wire.frames.got);
	ck_assert_uint_eq(a->wire.frames.left, b->wire.frames.left);
	ck_assert_int_eq(a->since_ms, b->since_ms);
	ck_assert_int_eq(a->rate_ms, b->rate_ms);
	ck_assert(!(a->rate_left < b->rate_left) && !(a->rate_left > b->rate_left));
	same_memory(a, b);
}

/* --- the message ----------------------------------------------------------------------------- */

static void
pack(const struct conn *c, struct buf *out)
{
	buf_init(out, MOVE_BYTES);
	ck_assert_int_eq(move_pack(c, out), 0);
}

/* Unpack a copy that ends where the bytes end, so that ASan sees every step beyond. */
static struct conn *
unpack(struct bench *b, const char *bytes, size_t n)
{
	char *copy = malloc(n ? n : 1);
	struct err e = { "" };
	struct conn *c;
	int ends[2];

	memcpy(copy, bytes, n);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	c = move_unpack(&b->w, ends[0], copy, n, &e);
	ck_assert_int_eq(c == NULL, *e.text != '\0');
	if (c == NULL)
		ck_assert_int_eq(close(ends[0]), -1); /* it took the descriptor all the same */
	close(ends[1]);
	free(copy);
	return c;
}

static void
refused(struct bench *b, const struct buf *message)
{
	ck_assert_ptr_null(unpack(b, buf_head(message), message->len));
	ck_assert(list_is_empty(&b->w.conns));
	ck_assert_int_eq(b->w.score->chats, 0);
	ck_assert_int_eq(b->w.score->visitors, 0);
}

static void
taken(struct bench *b, const struct buf *message)
{
	struct conn *c = unpack(b, buf_head(message), message->len);

	ck_assert_ptr_nonnull(c);
	conn_moved(c);
	ck_assert_int_eq(b->w.score->chats, 0);
}

/* Where each field begins, and the end. Returns how many places. */
static int
places(const struct buf *message, size_t *at, int most)
{
	size_t i = HEAD_BYTES;
	uint32_t n;
	int k = 0;

	for (; i < message->len; i += FIELD_BYTES + n) {
		ck_assert_int_lt(k, most - 1);
		at[k++] = i;
		memcpy(&n, buf_head(message) + i + 4, sizeof n);
	}
	ck_assert_uint_eq(i, message->len);
	at[k++] = i;
	return k;
}

static void
add_strange_field(struct buf *message, uint16_t must, uint32_t n)
{
	const uint16_t tag[2] = { STRANGE, must };

	ck_assert_int_eq(buf_add(message, tag, sizeof tag), 0);
	ck_assert_int_eq(buf_add(message, &n, sizeof n), 0);
	ck_assert_int_eq(buf_add(message, "what is this", 12), 0);
}

START_TEST(chat_of_every_kind_is_the_same_afterwards)
{
	struct bench *from = bench_open(NULL), *to = bench_open(NULL);
	struct buf message, again;
	struct conn *c, *d;
	int peer;

	c = bench_chat(from, &peer);
	kinds[_i](c);
	pack(c, &message);
	d = unpack(to, buf_head(&message), message.len);
	ck_assert_ptr_nonnull(d);
	same_chat(c, d);
	pack(d, &again);
	same_bytes(&message, &again);
	buf_release(&message);
	buf_release(&again);
	bench_close(from);
	bench_close(to);
	close(peer);
}
END_TEST

static void
with_every_message(void (*judge)(struct bench *b, struct buf *message))
{
	for (int i = 0; i < KINDS; i++) {
		struct bench *from = bench_open(NULL), *to = bench_open(NULL);
		struct buf message;
		int peer;

		struct conn *c = bench_chat(from, &peer);

		kinds[i](c);
		pack(c, &message);
		judge(to, &message);
		buf_release(&message);
		bench_close(from);
		bench_close(to);
		close(peer);
	}
}

static void
pass_over_a_strange_field(struct bench *b, struct buf *message)
{
	add_strange_field(message, 0, 12);
	taken(b, message);
}

START_TEST(field_nobody_knows_is_passed_over)
{
	with_every_message(pass_over_a_strange_field);
}
END_TEST

static void
insist_on_a_strange_field(struct bench *b, struct buf *message)
{
	add_strange_field(message, 1, 12);
	refused(b, message);
}

START_TEST(field_nobody_knows_but_everybody_must_is_refused)
{
	with_every_message(insist_on_a_strange_field);
}
END_TEST

static void
announce_too_much(struct bench *b, struct buf *message)
{
	add_strange_field(message, 0, 13);
	refused(b, message);
	message->len -= FIELD_BYTES + 12;
	add_strange_field(message, 0, UINT32_MAX);
	refused(b, message);
}

START_TEST(field_longer_than_the_message_is_refused)
{
	with_every_message(announce_too_much);
}
END_TEST

static void
set_versions(struct buf *message, uint16_t version, uint16_t least)
{
	char *head = message->bytes + message->start;

	memcpy(head + 4, &version, sizeof version);
	memcpy(head + 6, &least, sizeof least);
}

static void
from_the_future(struct bench *b, struct buf *message)
{
	set_versions(message, BOOT_MOVE_VERSION + 7, BOOT_MOVE_VERSION);
	taken(b, message);
	set_versions(message, BOOT_MOVE_VERSION + 7, BOOT_MOVE_VERSION + 1);
	refused(b, message);
}

START_TEST(newer_form_is_taken_unless_it_says_that_we_cannot_read_it)
{
	with_every_message(from_the_future);
}
END_TEST

static void
cut_everywhere(struct bench *b, struct buf *message)
{
	size_t at[32];
	int n = places(message, at, 32), k = 0;

	for (size_t cut = 0; cut < message->len; cut++) {
		struct conn *c;

		while (k < n && at[k] < cut)
			k++;
		c = unpack(b, buf_head(message), cut);
		/* Between two fields nobody can tell that there were more. */
		if (cut != at[k])
			ck_assert_ptr_null(c);
		if (c != NULL)
			conn_moved(c);
		ck_assert(list_is_empty(&b->w.conns));
	}
}

START_TEST(message_that_is_cut_is_refused)
{
	with_every_message(cut_everywhere);
}
END_TEST

/* --- hostile --------------------------------------------------------------------------------- */

static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	return *x ^= *x << 5;
}

/* Whatever becomes of it: no crash, no leak, and a chat that can go on or none. */
static void
survive(struct bench *b, const char *bytes, size_t n)
{
	struct conn *c = unpack(b, bytes, n);

	if (c != NULL)
		bench_turn(b);
	while (!list_is_empty(&b->w.conns))
		conn_moved(list_item(b->w.conns.next, struct conn, link));
	bench_turn(b);
	ck_assert_int_eq(b->w.score->chats, 0);
}

START_TEST(random_bytes_harm_nobody)
{
	struct bench *b = bench_open(NULL);
	char bytes[512] = "XTMV";
	uint32_t x = 2463534242U;

	set_versions(&(struct buf){ .bytes = bytes, .len = sizeof bytes }, BOOT_MOVE_VERSION, 1);
	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		for (size_t i = round % 2 ? HEAD_BYTES : 0; i < sizeof bytes; i++)
			bytes[i] = (char)next_random(&x);
		if (round % 2)
			memcpy(bytes, "XTMV\1\0\1\0", HEAD_BYTES);
		survive(b, bytes, next_random(&x) % sizeof bytes);
	}
	bench_close(b);
}
END_TEST

/* Like the real thing but for a few bytes. */
static void
change_some_bytes(struct bench *b, struct buf *message)
{
	uint32_t x = 2463534242U + message->len;
	char *bytes = malloc(message->len);

	for (int round = 0; round < RANDOM_ROUNDS / KINDS; round++) {
		memcpy(bytes, buf_head(message), message->len);
		for (uint32_t k = 1 + next_random(&x) % 4; k > 0; k--)
			bytes[next_random(&x) % message->len] = (char)next_random(&x);
		survive(b, bytes, message->len);
	}
	free(bytes);
}

START_TEST(changed_bytes_harm_nobody)
{
	with_every_message(change_some_bytes);
}
END_TEST

START_TEST(chat_without_a_descriptor_is_refused)
{
	struct bench *b = bench_open(NULL);
	struct err e = { "" };

	ck_assert_ptr_null(move_unpack(&b->w, -1, "XTMV\1\0\1\0", HEAD_BYTES, &e));
	ck_assert_str_ne(e.text, "");
	ck_assert(list_is_empty(&b->w.conns));
	bench_close(b);
}
END_TEST

START_TEST(chat_too_large_for_one_message_is_not_packed)
{
	struct bench *b = bench_open(NULL);
	char *text = calloc(1, MOVE_BYTES);
	struct buf message;
	struct conn *c;
	int peer;

	c = bench_chat(b, &peer);
	c->in.limit = MOVE_BYTES;
	ck_assert_int_eq(buf_add(&c->in, text, MOVE_BYTES), 0);
	buf_init(&message, MOVE_BYTES);
	ck_assert_int_eq(move_pack(c, &message), -1);
	buf_release(&message);
	free(text);
	bench_close(b);
	close(peer);
}
END_TEST

/* --- through the pair ------------------------------------------------------------------------ */

static void
hears(int peer, const char *text)
{
	char got[256];
	ssize_t n = recv(peer, got, sizeof got - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	ck_assert_str_eq(got, text);
}

static void
says(int peer, const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
}

START_TEST(chat_talks_on_in_the_worker_that_took_it_up)
{
	struct bench *from, *to;
	int pair[2], peer;
	struct err e;

	ck_assert_int_eq(chan_pair(pair, &e), 0);
	from = bench_open(pair);
	to = bench_open(pair);
	(void)bench_chat(from, &peer);
	says(peer, "ann::hi\n");
	bench_turn(from);
	hears(peer, "Hello, hi!\n");
	says(peer, "half a ");
	bench_turn(from);
	move_all(&from->w);
	bench_turn(from);
	ck_assert(list_is_empty(&from->w.conns));
	ck_assert_int_eq(from->w.score->chats, 0);
	ck_assert_int_eq(from->w.score->moved_out, 1);
	says(peer, "line\n");
	ck_assert_int_eq(move_receive(&to->w, 16), 1);
	bench_turn(to);
	hears(peer, "Hello, half a line!\n");
	ck_assert_int_eq(to->w.score->chats, 1);
	ck_assert_int_eq(to->w.score->moved_in, 1);
	bench_close(from);
	bench_close(to);
	close(peer);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(chat_that_is_too_large_to_move_is_told_goodbye_and_counted)
{
	char *text = calloc(1, MOVE_BYTES);
	struct bench *b;
	int pair[2], peer;
	struct conn *c;
	struct err e;

	ck_assert_int_eq(chan_pair(pair, &e), 0);
	b = bench_open(pair);
	c = bench_chat(b, &peer);
	kinds[KIND_LINE](c);
	c->in.limit = 2 * MOVE_BYTES;
	memset(text, 'x', MOVE_BYTES);
	ck_assert_int_eq(buf_add(&c->in, text, MOVE_BYTES), 0);
	move_all(&b->w);
	bench_turn(b);
	hears(peer, "BYE shutdown the server is leaving\n");
	ck_assert_int_eq(b->w.score->moves_failed, 1);
	ck_assert_int_eq(b->w.score->moved_out, 0);
	free(text);
	bench_close(b);
	close(peer);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

Suite *
move_suite(void)
{
	Suite *suite = suite_create("move");
	TCase *tc = tcase_create("message");

	tcase_add_loop_test(tc, chat_of_every_kind_is_the_same_afterwards, 0, KINDS);
	tcase_add_test(tc, field_nobody_knows_is_passed_over);
	tcase_add_test(tc, field_nobody_knows_but_everybody_must_is_refused);
	tcase_add_test(tc, field_longer_than_the_message_is_refused);
	tcase_add_test(tc, newer_form_is_taken_unless_it_says_that_we_cannot_read_it);
	tcase_add_test(tc, message_that_is_cut_is_refused);
	tcase_add_test(tc, random_bytes_harm_nobody);
	tcase_add_test(tc, changed_bytes_harm_nobody);
	tcase_add_test(tc, chat_without_a_descriptor_is_refused);
	tcase_add_test(tc, chat_too_large_for_one_message_is_not_packed);
	suite_add_tcase(suite, tc);
	tc = tcase_create("pair");
	tcase_add_test(tc, chat_talks_on_in_the_worker_that_took_it_up);
	tcase_add_test(tc, chat_that_is_too_large_to_move_is_told_goodbye_and_counted);
	suite_add_tcase(suite, tc);
	return suite;
}
