/* err.c - see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *e, const char *format, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, format);
	vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	return -1;
}

int
err_errno(struct err *e, const char *format, ...)
{
	const char *why = strerror(errno);
	va_list ap;
	size_t n;

	if (e == NULL)
		return -1;
	va_start(ap, format);
	vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", why);
	return -1;
}

int
err_add(struct err *e, const char *format, ...)
{
	struct err old;
	va_list ap;
	size_t n;

	if (e == NULL)
		return -1;
	old = *e;
	va_start(ap, format);
	vsnprintf(e->text, sizeof e->text, format, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", old.text);
	return -1;
}
