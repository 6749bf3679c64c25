/* main.c - unit tests of wire/. */
#include "unit/wire/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(decode_suite());
	int failed;

	srunner_add_suite(runner, encode_suite());
	srunner_add_suite(runner, proxy_suite());
	srunner_add_suite(runner, frames_suite());
	srunner_add_suite(runner, frames_said_suite());
	srunner_add_suite(runner, head_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
