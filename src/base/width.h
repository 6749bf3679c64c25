/* width.h - how many columns of a terminal text takes.
 * For:     tables and screens that hold Chinese.     Callers: any floor.
 * Holds:   by Unicode's East Asian Width: wide and full-width characters and emoji take two,
 *          combining and format characters none, all others one. Not by the locale, so the same
 *          everywhere.
 * Memory:  none. */
#ifndef BASE_WIDTH_H
#define BASE_WIDTH_H

#include <stddef.h>
#include <stdint.h>

int width_of(uint32_t code);
/* What people take for one character: a letter with its marks, an emoji with all that is joined to
 * it, a flag. Returns the bytes (at least 1) of the first one of n >= 1, and its columns. */
size_t width_cluster(const char *s, size_t n, int *columns);
/* Bytes of the last one; 0 of nothing. Reads all of the text. */
size_t width_last_cluster(const char *s, size_t n);
/* Of n bytes of UTF-8; what is none counts as one column a byte. */
int width_text(const char *s, size_t n);
/* The longest prefix, in bytes, that takes at most `columns`. */
size_t width_cut(const char *s, size_t n, int columns);

#endif
