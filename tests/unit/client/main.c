/* main.c - unit tests of client/. */
#include "unit/client/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(keys_suite());
	int failed;

	srunner_add_suite(runner, edit_suite());
	srunner_add_suite(runner, history_suite());
	srunner_add_suite(runner, screen_suite());
	srunner_add_suite(runner, wrap_suite());
	srunner_add_suite(runner, hear_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
