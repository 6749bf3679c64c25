/* page.h - the chat page, page.html, built into the program by scripts/file2c.
 * For:     respond.c; the made C file is compiled with this header.
 * Holds:   UTF-8, one style and one script, no other file; a NUL behind it.
 * Memory:  constant. */
#ifndef WIRE_PAGE_H
#define WIRE_PAGE_H

#include <stddef.h>

extern const char page_html[];
extern const size_t page_html_size;

#endif
