/* main.c - unit tests of base/. */
#include "unit/base/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(text_suite());
	int failed;

	srunner_add_suite(runner, buf_suite());
	srunner_add_suite(runner, loop_suite());
	srunner_add_suite(runner, json_suite());
	srunner_add_suite(runner, log_suite());
	srunner_add_suite(runner, width_suite());
	srunner_add_suite(runner, net_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
