/* fuzz_sse.c - robot/sse: the events of a stream are the same however it is cut. The first byte
 * chooses the limit. */
#include "fuzz/fuzz.h"

#include "robot/sse.h"

enum { SMALL = 32 };

struct reading {
	struct sse sse;
	struct buf out;
	uint32_t limit;
	int n_events, stop_after, bad;
};

static void
on_event(void *arg, bool is_error, const char *data, size_t n)
{
	struct reading *r = arg;

	FUZZ_CHECK(!r->sse.stopped);
	FUZZ_CHECK(n <= r->limit);
	FUZZ_CHECK(buf_addf(&r->out, "%s<%.*s>", is_error ? "error" : "data", (int)n, data) == 0);
	if (++r->n_events == r->stop_after)
		sse_stop(&r->sse);
}

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct reading *r = arg;

	(void)quiet;
	if (!r->bad)
		r->bad = sse_feed(&r->sse, s, n);
	FUZZ_CHECK(r->sse.line.len <= r->limit && r->sse.data.len <= r->limit);
}

static void
read_in(const char *s, size_t n, enum fuzz_way way, int stop_after, struct reading *r)
{
	*r = (struct reading){ .limit = r->limit, .stop_after = stop_after };
	buf_init(&r->out, 16 * FUZZ_BYTES);
	sse_init(&r->sse, r->limit, on_event, r);
	fuzz_feed(s, n, way, on_piece, r);
	if (!r->bad)
		sse_end(&r->sse);
	sse_release(&r->sse);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	struct reading r[FUZZ_WAYS];

	if (n == 0 || n > FUZZ_BYTES)
		return 0;
	for (int way = 0; way < FUZZ_WAYS; way++) {
		r[way].limit = (data[0] & 1) ? SMALL : FUZZ_BYTES;
		read_in(s + 1, n - 1, (enum fuzz_way)way, data[0] >> 1 & 3, &r[way]);
		/* A line that is in one piece is not carried over, so it may be longer. */
		if (!r[0].bad && !r[way].bad)
			FUZZ_CHECK_SAME(&r[0].out, &r[way].out);
		FUZZ_CHECK(r[way].bad == 0 || r[way].limit == SMALL);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&r[way].out);
	return 0;
}
