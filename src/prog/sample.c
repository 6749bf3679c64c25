/* sample.c - a tool of the build: the sample configuration, or with `keys` the name of every
 * option. */
#include "conf/conf.h"
#include "conf/conf_opt.h"
#include "conf/conf_show.h"

#include <stdio.h>
#include <string.h>

static void
print_keys(const char *prefix, const struct opt *table)
{
	for (const struct opt *o = table; o->path; o++)
		if (o->flag != OPT_LOADED)
			printf("%s%s\n", prefix, o->path);
}

int
main(int argc, char **argv)
{
	struct buf out;

	if (argc > 1 && strcmp(argv[1], "keys") == 0) {
		print_keys("", conf_options);
		print_keys("listen.", conf_listen_options);
		print_keys("robots.", conf_robot_options);
		return 0;
	}
	buf_init(&out, 1 << 20);
	if (conf_sample(&out) || fwrite(buf_head(&out), 1, out.len, stdout) != out.len)
		return 1;
	buf_release(&out);
	return 0;
}
