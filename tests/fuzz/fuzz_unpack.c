/* fuzz_unpack.c - robot/http_unpack: what comes out of packed bytes is the same however they are
 * cut, in pieces of at most 16 KiB. */
#include "fuzz/fuzz.h"

#include "robot/http_unpack.h"

enum { PIECE = 16 << 10, MOST = 1 << 18 };

struct reading {
	struct http_unpack *unpack;
	struct buf out;
	int bad;
};

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;
	const char *bytes;
	int got;

	(void)quiet;
	if (r->bad || n == 0)
		return;
	http_unpack_put(r->unpack, s, n);
	while ((got = http_unpack_take(r->unpack, &bytes)) > 0) {
		FUZZ_CHECK(got <= PIECE);
		/* As the robot's sink does: too much is too much. */
		if (buf_add(&r->out, bytes, (size_t)got)) {
			r->bad = 1;
			return;
		}
	}
	r->bad = got < 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reading r[FUZZ_WAYS];

	if (n > FUZZ_BYTES)
		return 0;
	for (int way = 0; way < FUZZ_WAYS; way++) {
		r[way] = (struct reading){ .unpack = http_unpack_new() };
		buf_init(&r[way].out, MOST);
		fuzz_feed((const char *)data, n, (enum fuzz_way)way, on_piece, &r[way]);
		FUZZ_CHECK(r[way].bad == r[0].bad);
		FUZZ_CHECK(
		    http_unpack_is_whole(r[way].unpack) == http_unpack_is_whole(r[0].unpack));
		if (!r[0].bad)
			FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
	}
	for (int way = 0; way < FUZZ_WAYS; way++) {
		http_unpack_free(r[way].unpack);
		buf_release(&r[way].out);
	}
	return 0;
}
