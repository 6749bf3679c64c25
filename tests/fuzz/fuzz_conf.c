/* fuzz_conf.c - conf/: a configuration file as the parsing child reads it, with the look before
 * libconfig sees it. What is accepted dumps and loads the same, and masked it shows no secret.
 * The file is in a folder of its own, so that an @include finds nothing but itself. */
#include "fuzz/fuzz.h"

#include "base/text.h"
#include "conf/conf_json.h"
#include "conf/conf_load.h"
#include "conf/conf_show.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DUMP = 1 << 24 };

static char folder[] = "/tmp/xiaotu-fuzz-XXXXXX", path[64];

static void
remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void
write_file(const uint8_t *data, size_t n)
{
	int fd;

	if (*path == '\0') {
		FUZZ_CHECK(mkdtemp(folder) != NULL);
		snprintf(path, sizeof path, "%s/f", folder);
		atexit(remove_folder);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static void
on_change(const struct conf_change *change, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s: %s, not %s\n", change->key, change->to, change->from);
}

static void
check_dump(const struct conf *c)
{
	struct err e = { "" };
	struct buf out, second;
	struct conf *again;

	buf_init(&out, DUMP);
	buf_init(&second, DUMP);
	FUZZ_CHECK(conf_dump(c, CONF_WHOLE, &out) == 0);
	again = conf_load_dump(buf_head(&out), out.len, &e);
	if (again == NULL)
		fprintf(stderr, "%s\n%.*s\n", e.text, (int)out.len, buf_head(&out));
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(conf_diff(c, again, on_change, NULL) == 0);
	FUZZ_CHECK(conf_dump(again, CONF_WHOLE, &second) == 0);
	FUZZ_CHECK_SAME(&out, &second);
	conf_free(again);
	buf_release(&out);
	buf_release(&second);
}

/* -T, and the command `config`. */
static void
check_shown(const struct conf *c)
{
	struct buf out;

	buf_init(&out, DUMP);
	FUZZ_CHECK(conf_dump(c, CONF_MASKED, &out) == 0);
	FUZZ_CHECK_CLEAN(buf_head(&out), out.len);
	FUZZ_CHECK(conf_json(c, &out) == 0 && text_is_utf8(buf_head(&out), out.len));
	for (int i = 0; i < c->n_robots; i++) {
		const char *secret = c->robots[i].secret;

		if (strlen(secret) == 16 && strspn(secret, "k") == 16)
			FUZZ_CHECK(memmem(buf_head(&out), out.len, secret, 16) == NULL);
	}
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct err e = { "" };
	struct conf *c;

	if (n > FUZZ_BYTES)
		return 0;
	write_file(data, n);
	c = conf_load_file(path, false, &e);
	FUZZ_CHECK((c == NULL) == (*e.text != '\0'));
	if (c) {
		check_dump(c);
		check_shown(c);
	}
	conf_free(c);
	return 0;
}
