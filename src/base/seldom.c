/* seldom.c - see seldom.h. */
#include "base/seldom.h"

bool
seldom_may(struct seldom *s, int most, int64_t span_ms, int64_t now_ms, int *kept_back)
{
	*kept_back = 0;
	if (s->since_ms == 0 || now_ms - s->since_ms >= span_ms) {
		s->since_ms = now_ms ? now_ms : 1;
		s->n = 0;
	}
	if (s->n >= most) {
		s->n_kept_back++;
		return false;
	}
	s->n++;
	*kept_back = s->n_kept_back;
	s->n_kept_back = 0;
	return true;
}
