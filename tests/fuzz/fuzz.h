/* fuzz.h - what the fuzz targets share.
 * For:     tests/fuzz/fuzz_NAME.c, a decoder each.     Callers: libFuzzer (make fuzz), and
 *          replay.c, which runs the corpus in make unit.
 * Holds:   an input is text that a person can read and write: FUZZ_CUT and FUZZ_QUIET, two bytes
 *          that are never in UTF-8, say where it is cut into pieces. A property that does not hold
 *          aborts, which is how the fuzzer is told.
 * Memory:  pieces are copied to a block of just their size, so that the sanitizers see one step
 *          beyond; borrowed for the call. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_CUT = 0xF9, FUZZ_QUIET = 0xFA, FUZZ_BYTES = 1 << 16 };

/* How an input is fed: without its cuts at once, cut as it says, byte by byte. */
enum fuzz_way { FUZZ_WHOLE, FUZZ_AS_CUT, FUZZ_BY_BYTE, FUZZ_WAYS };

/* The target: returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* `quiet`: the cut behind the piece was FUZZ_QUIET. */
typedef void fuzz_piece(void *arg, const char *s, size_t n, int quiet);
void fuzz_feed(const char *s, size_t n, enum fuzz_way way, fuzz_piece *piece, void *arg);

/* Into a connection's buffer as conn does it, no more than fits, which must be something; *s and *n
 * move on. */
void fuzz_fill(struct buf *in, const char **s, size_t *n);

/* The text up to the next cut, NUL behind it (gives); *s and *n move on behind the cut. NULL when
 * nothing is left. */
char *fuzz_next(const char **s, size_t *n, size_t *n_text);

/* Does it hold something like 1-2 or -1i? In pieces json-c 0.16 takes 1-2 for the number 1, at once
 * for no number or for two, and so on: nothing can be said of how such an input is cut. */
int fuzz_has_odd_number(const char *s, size_t n);

/* Is it one JSON value by the letter (RFC 8259), of at most 64 levels? A second opinion: json-c
 * takes more than that. */
int fuzz_is_json(const char *s, size_t n);

/* Abort with what does not hold. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);
#define FUZZ_CHECK(what) ((what) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #what))

/* Is it what may reach a terminal: UTF-8 without control characters? */
void fuzz_check_clean(const char *file, int line, const char *s, size_t n);
#define FUZZ_CHECK_CLEAN(s, n) fuzz_check_clean(__FILE__, __LINE__, s, n)

/* Two transcripts, of two ways to feed one input, are equal; else both are printed. */
void fuzz_check_same(const char *file, int line, const struct buf *a, const struct buf *b);
#define FUZZ_CHECK_SAME(a, b) fuzz_check_same(__FILE__, __LINE__, a, b)

#endif
