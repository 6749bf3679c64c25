/* locked.h - a server with a plain door and one behind TLS.
 * For:     tests of doors with `tls`.     Callers: tests/e2e.
 * Holds:   the plain door is at SERVER_PORT, that behind TLS at LOCKED_PORT. The certificate is
 *          FOLDER/door.pem, signed by FOLDER/ca.pem.
 * Memory:  none. */
#ifndef TESTS_E2E_LOCKED_H
#define TESTS_E2E_LOCKED_H

#include "e2e/scene.h"
#include "lib/certs.h"
#include "lib/tlspeer.h"

enum { LOCKED_PORT = 9998 };

#define LOCKED_TLS(more)  "tls = { cert = \"$DIR/door.pem\"; key = \"$DIR/door.key\"; " more " };"
#define LOCKED_DOOR(more) "{ address = \"$ADDR\"; port = 9998; " LOCKED_TLS("") " " more " }"
#define LOCKED_DOORS(more)                                                                         \
	"listen = ( { address = \"$ADDR\"; port = 9999; }, " LOCKED_DOOR(more) " );\n"
#define LOCKED_HELLO(n)                                                                            \
	PLAIN POOL(n)                                                                              \
	NO_RATE HELLO LOCKED_DOORS("")

/* Make its certificate, start it. */
struct server *locked_start(const char *config);
/* A path in its folder; valid until the sixteenth call after. */
const char *locked_path(const struct server *s, const char *name);
/* A peer at the door behind TLS, greeting heard. */
struct peer *locked_chat(struct server *s);
struct peer *locked_chat_with(struct server *s, const struct tlspeer *t);
/* A peer there that says nothing and hears nothing yet. */
struct peer *locked_open(struct server *s, const struct tlspeer *t);

#endif
