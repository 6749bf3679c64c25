/* fuzz_text.c - base/text: cleaning however it is cut, quoting, cutting, numbers with units. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "base/width.h"

#include <stdlib.h>
#include <string.h>

struct cleaning {
	struct text_clean state;
	struct buf out;
};

static void
on_piece(void *arg, const char *s, size_t n, int quiet)
{
	struct cleaning *c = arg;

	(void)quiet;
	FUZZ_CHECK(text_clean(&c->state, s, n, &c->out) == 0);
}

static void
clean(const char *s, size_t n, enum fuzz_way way, struct buf *out)
{
	struct cleaning c = { .state = { .n_part = 0 } };

	buf_init(&c.out, 4 * FUZZ_BYTES);
	fuzz_feed(s, n, way, on_piece, &c);
	FUZZ_CHECK(text_clean_end(&c.state, &c.out) == 0);
	FUZZ_CHECK_CLEAN(buf_head(&c.out), c.out.len);
	*out = c.out;
}

static void
check_cleaning(const char *s, size_t n)
{
	struct buf out[FUZZ_WAYS];

	for (int way = 0; way < FUZZ_WAYS; way++) {
		clean(s, n, (enum fuzz_way)way, &out[way]);
		FUZZ_CHECK_SAME(&out[0], &out[way]);
	}
	for (int way = 0; way < FUZZ_WAYS; way++)
		buf_release(&out[way]);
}

/* A full buffer holds what fitted, which is whole characters. */
static void
check_limit(const char *s, size_t n)
{
	struct text_clean state = { .n_part = 0 };
	struct buf out;

	buf_init(&out, 7);
	if (text_clean(&state, s, n, &out) == 0)
		(void)text_clean_end(&state, &out);
	FUZZ_CHECK(out.len <= 7);
	FUZZ_CHECK_CLEAN(buf_head(&out), out.len);
	buf_release(&out);
}

static void
check_quoting(const char *s, size_t n)
{
	struct buf out;

	buf_init(&out, 5 * FUZZ_BYTES);
	FUZZ_CHECK(text_quote(s, n, &out) == 0);
	FUZZ_CHECK(out.len >= 2 && buf_head(&out)[0] == '"' && buf_head(&out)[out.len - 1] == '"');
	FUZZ_CHECK(memchr(buf_head(&out), '\n', out.len) == NULL);
	FUZZ_CHECK(memchr(buf_head(&out), '\t', out.len) == NULL);
	FUZZ_CHECK_CLEAN(buf_head(&out), out.len);
	buf_release(&out);
}

static void
check_cutting(const char *s, size_t n)
{
	size_t chars;

	if (!text_is_utf8(s, n))
		return;
	chars = text_count_chars(s, n);
	FUZZ_CHECK(chars <= n && text_cut_chars(s, n, chars) == n);
	for (size_t limit = 0; limit <= 9; limit++) {
		size_t by_bytes = text_cut_bytes(s, n, limit),
		       by_chars = text_cut_chars(s, n, limit);

		FUZZ_CHECK(by_bytes <= limit && by_bytes <= n && text_is_utf8(s, by_bytes));
		FUZZ_CHECK(n <= limit || by_bytes + 3 >= limit);
		FUZZ_CHECK(by_chars <= n && text_is_utf8(s, by_chars));
		FUZZ_CHECK(text_count_chars(s, by_chars) == (chars < limit ? chars : limit));
	}
}

static void
check_numbers(const char *s)
{
	static const char *const words[] = { "listen", "robots", "limits", NULL };
	char text[64];
	int64_t ms, again, number;
	int near = text_nearest(s, words);

	FUZZ_CHECK(near >= -1 && near <= 2);
	if (text_to_int(s, &number) == 0)
		FUZZ_CHECK(strspn(s, "+-0123456789") == strlen(s));
	if (text_to_ms(s, &ms))
		return;
	FUZZ_CHECK(ms >= 0);
	text_from_ms(ms, text, sizeof text);
	FUZZ_CHECK(text_to_ms(text, &again) == 0 && again == ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *s = (const char *)data;
	char *copy;
	size_t n_copy;

	if (n > FUZZ_BYTES)
		return 0;
	check_cleaning(s, n);
	check_limit(s, n);
	while ((copy = fuzz_next(&s, &n, &n_copy)) != NULL) {
		check_quoting(copy, n_copy);
		check_cutting(copy, n_copy);
		check_numbers(copy);
		free(copy);
	}
	return 0;
}
