/* status.h - what the client exits with (xiaotu(1)).
 * For:     whoever may end the chat.     Callers: client/, prog/client.c. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

enum status { STATUS_DONE, STATUS_FAILED, STATUS_USAGE, STATUS_NO_CONNECTION, STATUS_TIMEOUT };

#endif
