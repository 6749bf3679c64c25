/* err.h - one error text with context.
 * For:     set-up code, which returns 0 or -1 and fills a struct err.     Callers: any floor.
 * Holds:   the lowest level says what happened, each caller adds where, the top logs once.
 * Memory:  embedded; a longer text is cut. A zeroed struct is "no error". */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	char text[480];
};

/* Set the text. Returns -1, so that `return err_set(e, ...)` reads well. `e` may be NULL. */
int err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, with ": " and the text of errno behind it. */
int err_errno(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Put where it happened before the text: "where: what". Returns -1. */
int err_add(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
