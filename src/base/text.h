/* text.h - UTF-8, numbers with units, escaping.
 * For:     everything that is text from outside.     Callers: any floor.
 * Holds:   UTF-8 means RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Memory:  none of its own; the caller's buffers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the first character of s (n >= 1): 1-4, 0 when it is cut off by the end of s,
 * -1 when it is not UTF-8. *code gets the code point when the length is positive; may be NULL. */
int text_char(const char *s, size_t n, uint32_t *code);

bool text_is_utf8(const char *s, size_t n);

/* The longest prefix of at most `limit` bytes (characters) that ends on a character boundary. */
size_t text_cut_bytes(const char *s, size_t n, size_t limit);
size_t text_count_chars(const char *s, size_t n);
size_t text_cut_chars(const char *s, size_t n, size_t limit);

/* Characters a terminal must never get from a peer: C0 but newline and tab, DEL, C1, and the
 * bidirectional overrides and isolates (U+202A-202E, U+2066-2069). */
bool text_is_control(uint32_t code);

/* A filter for text that comes in pieces: control characters vanish, what is not UTF-8 becomes
 * U+FFFD, a character cut between two pieces is put together. A zeroed struct is fresh. */
struct text_clean {
	char part[4];
	uint8_t n_part;
};
/* Append the clean form of s to out. Returns 0, or -1 when out is full (out holds what fitted). */
int text_clean(struct text_clean *c, const char *s, size_t n, struct buf *out);
/* The end: a character that is still incomplete becomes U+FFFD. */
int text_clean_end(struct text_clean *c, struct buf *out);

/* A whole decimal integer with optional sign and nothing around it. Returns 0, or -1. */
int text_to_int(const char *s, int64_t *value);
/* "90", "30s", "500ms", "10m", "2h", "1d", "1.5s" -> milliseconds; a bare number is seconds.
 * Returns 0, or -1 when it is no duration or does not fit. */
int text_to_ms(const char *s, int64_t *ms);
/* The shortest text that text_to_ms() reads back as ms: "30m", "30ms". */
void text_from_ms(int64_t ms, char *out, size_t size);

/* Append s in double quotes with backslash escapes, control bytes and bytes that are not UTF-8 as
 * \xNN: for log values and for libconfig strings alike. Returns 0, or -1 when out is full. */
int text_quote(const char *s, size_t n, struct buf *out);

/* The index of the word of `words` (NULL-terminated) that is nearest to s (edit distance), or -1
 * when none is near enough to be worth suggesting. */
int text_nearest(const char *s, const char *const *words);

/* n bytes as 2n characters of 0-9a-f, and a NUL. */
void text_hex(const void *bytes, size_t n, char *out);
/* A whole number in decimal, and a NUL; at most 20 characters. Returns how many. */
enum { TEXT_DECIMAL = 21 };
size_t text_decimal(uint64_t value, char out[TEXT_DECIMAL]);

/* FNV-1a (Fowler, Noll, Vo) of n bytes; `hash` is TEXT_HASH_BEGIN, or that of the bytes before.
 * Whoever wants two texts of one hash can make them. */
#define TEXT_HASH_BEGIN 0xCBF29CE484222325ULL
uint64_t text_hash(uint64_t hash, const void *bytes, size_t n);

#endif
