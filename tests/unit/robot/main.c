/* main.c - unit tests of robot/. */
#include "unit/robot/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(turing_suite());
	int failed;

	srunner_add_suite(runner, http1_suite());
	srunner_add_suite(runner, reply_suite());
	srunner_add_suite(runner, request_suite());
	srunner_add_suite(runner, rules_suite());
	srunner_add_suite(runner, pattern_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
