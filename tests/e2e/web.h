/* web.h - the usual scenes with a web door.
 * For:     test_web.c and test_socket.c.
 * Memory:  as in scene.h. */
#ifndef TESTS_E2E_WEB_H
#define TESTS_E2E_WEB_H

#include "e2e/scene.h"
#include "lib/web.h"

/* A chat door and a web door. */
#define WEB_DOOR_WITH(more)                                                                        \
	"listen = ( { address = \"$ADDR\"; port = 9999; }, { address = \"$ADDR\"; port = 9980; "   \
	"speak = \"web\"; " more " } );\n"
#define WEB_DOORS  WEB_DOOR_WITH("")
#define WEB_SERVER PLAIN POOL(2) WEB_DOORS NO_RATE HELLO

#endif
