/* main.c - runs the end-to-end tests with the programs in XIAOTU_BIN. CK_RUN_SUITE and CK_RUN_CASE
 * choose some of them. */
#include "e2e/suites.h"

#include <stdlib.h>

int
main(void)
{
	SRunner *runner = srunner_create(talk_suite());
	int failed;

	srunner_add_suite(runner, dialect_suite());
	srunner_add_suite(runner, door_suite());
	srunner_add_suite(runner, robot_suite());
	srunner_add_suite(runner, answer_suite());
	srunner_add_suite(runner, model_suite());
	srunner_add_suite(runner, memory_suite());
	srunner_add_suite(runner, chain_suite());
	srunner_add_suite(runner, retry_suite());
	srunner_add_suite(runner, queue_suite());
	srunner_add_suite(runner, key_suite());
	srunner_add_suite(runner, fault_suite());
	srunner_add_suite(runner, link_suite());
	srunner_add_suite(runner, kept_suite());
	srunner_add_suite(runner, packed_suite());
	srunner_add_suite(runner, lock_suite());
	srunner_add_suite(runner, token_suite());
	srunner_add_suite(runner, proxy_suite());
	srunner_add_suite(runner, tls_suite());
	srunner_add_suite(runner, certificate_suite());
	srunner_add_suite(runner, reader_suite());
	srunner_add_suite(runner, flood_suite());
	srunner_add_suite(runner, clock_suite());
	srunner_add_suite(runner, text_suite());
	srunner_add_suite(runner, reload_suite());
	srunner_add_suite(runner, resize_suite());
	srunner_add_suite(runner, move_suite());
	srunner_add_suite(runner, crowd_suite());
	srunner_add_suite(runner, upgrade_suite());
	srunner_add_suite(runner, backout_suite());
	srunner_add_suite(runner, supervise_suite());
	srunner_add_suite(runner, resource_suite());
	srunner_add_suite(runner, torture_suite());
	srunner_add_suite(runner, file_suite());
	srunner_add_suite(runner, load_suite());
	srunner_add_suite(runner, process_suite());
	srunner_add_suite(runner, stop_suite());
	srunner_add_suite(runner, option_suite());
	srunner_add_suite(runner, client_suite());
	srunner_add_suite(runner, chat_suite());
	srunner_add_suite(runner, line_suite());
	srunner_add_suite(runner, visit_suite());
	srunner_add_suite(runner, log_suite());
	srunner_add_suite(runner, systemd_suite());
	srunner_add_suite(runner, control_suite());
	srunner_add_suite(runner, command_suite());
	srunner_add_suite(runner, ctl_suite());
	srunner_add_suite(runner, web_suite());
	srunner_add_suite(runner, socket_suite());
	srunner_add_suite(runner, sandbox_suite());
	srunner_add_suite(runner, privilege_suite());
	srunner_add_suite(runner, storm_suite());
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
