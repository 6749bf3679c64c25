/* origin.h - which pages may open a chat from a browser.
 * For:     the web door, before a WebSocket opens: browsers send Origin with every one, and let any
 *          page of the world try.     Callers: worker/, tests.
 * Holds:   with `origins` configured: these, whole and no others. Without: pages of the same host
 *          and port as the request's Host, which must be a numeric address or localhost then. A
 *          name could be anybody's: its owner may point it at our address and have his own page
 *          talk to us (DNS rebinding), and Host and Origin would agree. So whoever serves the page
 *          under a name says which. No Origin, or `null`: no.
 *          Source: RFC 6454, RFC 6455 section 10.2.
 * Memory:  none. */
#ifndef WIRE_ORIGIN_H
#define WIRE_ORIGIN_H

#include "conf/conf.h"
#include "wire/request.h"

bool origin_may(const struct conf_texts *origins, const struct request *r);

#endif
