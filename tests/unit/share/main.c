/* main.c - unit tests of share/. */
#include "unit/share/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(chan_suite());
	int failed;

	srunner_add_suite(runner, tally_suite());
	srunner_add_suite(runner, metrics_suite());
	srunner_add_suite(runner, throttle_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
