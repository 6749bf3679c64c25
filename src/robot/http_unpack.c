/* http_unpack.c - see http_unpack.h. */
#include "robot/http_unpack.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { PIECE_BYTES = 16384, GZIP_WINDOW = 15 + 16 };

struct http_unpack {
	z_stream z;
	bool whole;
	char piece[PIECE_BYTES];
};

struct http_unpack *
http_unpack_new(void)
{
	struct http_unpack *u = mem_zalloc(sizeof *u);

	if (inflateInit2(&u->z, GZIP_WINDOW) != Z_OK)
		abort();
	return u;
}

void
http_unpack_free(struct http_unpack *u)
{
	if (u == NULL)
		return;
	inflateEnd(&u->z);
	free(u);
}

void
http_unpack_put(struct http_unpack *u, const char *bytes, size_t n)
{
	u->z.next_in = (Bytef *)(uintptr_t)bytes; /* zlib only reads it */
	u->z.avail_in = (uInt)n;
}

int
http_unpack_take(struct http_unpack *u, const char **bytes)
{
	int got = Z_OK;

	u->z.next_out = (Bytef *)u->piece;
	u->z.avail_out = PIECE_BYTES;
	do {
		/* Members may follow each other (RFC 1952, section 2.2). */
		if (u->whole && u->z.avail_in)
			inflateReset(&u->z);
		else if (u->whole)
			break;
		got = inflate(&u->z, Z_NO_FLUSH);
		u->whole = got == Z_STREAM_END;
	} while (u->whole && u->z.avail_out == PIECE_BYTES);
	if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
		return -1;
	*bytes = u->piece;
	return PIECE_BYTES - (int)u->z.avail_out;
}

bool
http_unpack_is_whole(const struct http_unpack *u)
{
	return u->whole;
}
