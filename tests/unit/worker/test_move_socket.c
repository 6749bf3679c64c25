/* test_move_socket.c - a WebSocket moves at every byte of its frames. */
#include "unit/worker/bench.h"
#include "unit/worker/suites.h"

#include "worker/move.h"

#include <string.h>
#include <unistd.h>

/* At every byte of two messages, one of them in fragments. The mask is zero: easy to read. */
START_TEST(websocket_moves_in_the_middle_of_a_frame)
{
	static const char bytes[] =
	    "\x01\x8b\0\0\0\0{\"user\":\"a\"\x89\x81\0\0\0\0p\x80\x8d\0\0\0\0,\"text\":\"hi\"}";
	static const char answer[] =
	    "\x8a\x01p\x81\x25{\"robot\":\"hello\",\"text\":\"Hello, hi!\"}";

	for (size_t cut = 0; cut < sizeof bytes; cut++) {
		struct bench *from = bench_open(NULL), *to = bench_open(NULL);
		struct buf message;
		struct conn *c, *d;
		int peer, ends[2];
		char got[256];
		ssize_t n;

		c = bench_chat(from, &peer);
		c->wire.codec = &codec_ws;
		(void)send(peer, bytes, cut, 0);
		bench_turn(from);
		n = recv(peer, got, sizeof got, MSG_DONTWAIT);
		n = n < 0 ? 0 : n;
		buf_init(&message, MOVE_BYTES);
		ck_assert_int_eq(move_pack(c, &message), 0);
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
		d = move_unpack(
		    &to->w, ends[0], buf_head(&message), message.len, &(struct err){ .text = "" });
		ck_assert_ptr_nonnull(d);
		(void)send(ends[1], bytes + cut, sizeof bytes - 1 - cut, 0);
		bench_turn(to);
		if (cut < sizeof bytes - 1)
			n += recv(ends[1], got + n, sizeof got - (size_t)n, MSG_DONTWAIT);
		ck_assert_int_eq(n, sizeof answer - 1);
		ck_assert_int_eq(memcmp(got, answer, sizeof answer - 1), 0);
		buf_release(&message);
		bench_close(from);
		bench_close(to);
		close(peer);
		close(ends[1]);
	}
}
END_TEST

Suite *
move_socket_suite(void)
{
	Suite *suite = suite_create("move_socket");
	TCase *tc = tcase_create("move_socket");

	tcase_add_test(tc, websocket_moves_in_the_middle_of_a_frame);
	suite_add_tcase(suite, tc);
	return suite;
}
