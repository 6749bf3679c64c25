/* fuzz_move.c - worker/move_pack: a chat as it comes from another worker. One that is taken up
 * packs again, and what that gives is taken up and packs the same. */
#include "fuzz/fuzz.h"

#include "base/mem.h"
#include "unit/worker/bench.h"
#include "worker/move.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Unpack a copy that ends where the bytes end. */
static struct conn *
unpack(struct bench *b, const char *bytes, size_t n, int *peer)
{
	char *copy = mem_zalloc(n);
	struct err e = { "" };
	struct conn *c;
	int ends[2];

	memcpy(copy, bytes, n);
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	c = move_unpack(&b->w, ends[0], copy, n, &e);
	FUZZ_CHECK((c == NULL) == (*e.text != '\0'));
	*peer = ends[1];
	free(copy);
	return c;
}

static void
pack(const struct conn *c, struct buf *out)
{
	buf_init(out, 4 * MOVE_BYTES);
	FUZZ_CHECK(move_pack(c, out) == 0);
}

static void
check_again(struct bench *b, struct buf *packed)
{
	struct buf again;
	int peer;
	struct conn *c = unpack(b, buf_head(packed), packed->len, &peer);

	FUZZ_CHECK(c != NULL);
	pack(c, &again);
	FUZZ_CHECK_SAME(packed, &again);
	buf_release(&again);
	conn_moved(c);
	close(peer);
}

/* What it asked is answered, what it was to be sent is sent. */
static void
let_live(struct bench *b, const char *bytes, size_t n)
{
	int peer;

	(void)unpack(b, bytes, n, &peer);
	bench_turn(b);
	while (!list_is_empty(&b->w.conns))
		conn_moved(list_item(b->w.conns.next, struct conn, link));
	bench_turn(b);
	close(peer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct bench *b;
	struct buf packed;
	struct conn *c;
	int peer;

	if (n > MOVE_BYTES)
		return 0;
	if (b == NULL)
		b = bench_open(NULL);
	c = unpack(b, (const char *)data, n, &peer);
	if (c) {
		pack(c, &packed);
		conn_moved(c);
		check_again(b, &packed);
		let_live(b, (const char *)data, n);
		buf_release(&packed);
	}
	close(peer);
	FUZZ_CHECK(list_is_empty(&b->w.conns));
	return 0;
}
