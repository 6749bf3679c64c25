/* fuzz_dump.c - conf_load_dump(): the canonical dump as workers load it. What loads dumps and loads
 * the same. */
#include "fuzz/fuzz.h"

#include "conf/conf_load.h"
#include "conf/conf_show.h"

enum { DUMP = 1 << 24 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err e = { "" };
	struct conf *c, *again;
	struct buf out;

	if (n > FUZZ_BYTES)
		return 0;
	c = conf_load_dump((const char *)data, n, &e);
	FUZZ_CHECK((c == NULL) == (*e.text != '\0'));
	if (c == NULL)
		return 0;
	buf_init(&out, DUMP);
	FUZZ_CHECK(conf_dump(c, CONF_WHOLE, &out) == 0);
	again = conf_load_dump(buf_head(&out), out.len, &e);
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(conf_diff(c, again, NULL, NULL) == 0);
	conf_free(again);
	conf_free(c);
	buf_release(&out);
	return 0;
}
