/* certs.h - certificates for robots and doors behind TLS, and for their clients; good and bad ones.
 * For:     tests of what a client must refuse (FAULTS, row C19).     Callers: tests/e2e.
 * Holds:   a folder's CA is made with its first certificate; keys are EC P-256, mode 0600.
 *          Whatever goes wrong fails the test.
 * Memory:  none; the files are the caller's: FOLDER/ca.pem, FOLDER/NAME.pem, FOLDER/NAME.key. */
#ifndef TESTS_LIB_CERTS_H
#define TESTS_LIB_CERTS_H

/* A server's certificate for `address` (IP or host name), signed by the folder's CA; valid for
 * `days` from now, negative: it ended so many days ago. */
void certs_make(const char *folder, const char *name, const char *address, int days);

/* The same, signed by itself, valid for a day. */
void certs_make_self_signed(const char *folder, const char *name, const char *address);

/* The same for a client of that name, signed by the folder's CA; valid for a day. */
void certs_make_client(const char *folder, const char *name);

#endif
