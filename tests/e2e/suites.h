/* suites.h - the end-to-end suites, one a file.
 * For:     main.c.
 * Memory:  each gives a Suite, freed by its runner. */
#ifndef TESTS_E2E_SUITES_H
#define TESTS_E2E_SUITES_H

#include <check.h>

Suite *talk_suite(void);
Suite *dialect_suite(void);
Suite *door_suite(void);
Suite *robot_suite(void);
Suite *answer_suite(void);
Suite *model_suite(void);
Suite *memory_suite(void);
Suite *chain_suite(void);
Suite *retry_suite(void);
Suite *queue_suite(void);
Suite *key_suite(void);
Suite *fault_suite(void);
Suite *link_suite(void);
Suite *kept_suite(void);
Suite *packed_suite(void);
Suite *lock_suite(void);
Suite *token_suite(void);
Suite *proxy_suite(void);
Suite *tls_suite(void);
Suite *certificate_suite(void);
Suite *reader_suite(void);
Suite *flood_suite(void);
Suite *clock_suite(void);
Suite *text_suite(void);
Suite *reload_suite(void);
Suite *resize_suite(void);
Suite *move_suite(void);
Suite *crowd_suite(void);
Suite *upgrade_suite(void);
Suite *backout_suite(void);
Suite *supervise_suite(void);
Suite *resource_suite(void);
Suite *torture_suite(void);
Suite *file_suite(void);
Suite *load_suite(void);
Suite *process_suite(void);
Suite *stop_suite(void);
Suite *option_suite(void);
Suite *client_suite(void);
Suite *chat_suite(void);
Suite *line_suite(void);
Suite *visit_suite(void);
Suite *log_suite(void);
Suite *systemd_suite(void);
Suite *control_suite(void);
Suite *command_suite(void);
Suite *ctl_suite(void);
Suite *web_suite(void);
Suite *socket_suite(void);
Suite *sandbox_suite(void);
Suite *privilege_suite(void);
Suite *storm_suite(void);

#endif
