/* throttle.h - how fast each address may speak, over all workers.
 * For:     limits.messages_per_minute_per_address.     Callers: worker/.
 * Holds:   the generic cell rate algorithm (ITU-T I.371): of each key one number, the time at which
 *          its allowance would be whole again, moved on by every message with one atomic exchange.
 *          A key whose bucket is full of others that speak now is not held back: the limit may be
 *          passed then, never undercut. Clock: monotonic ms, which all workers share.
 * Memory:  one anonymous shared mapping of 1 MiB, made before the first fork; pages in use only. */
#ifndef SHARE_THROTTLE_H
#define SHARE_THROTTLE_H

#include <stdint.h>

struct throttle;

/* NULL when there is no memory. */
struct throttle *throttle_new(void);

/* One message of this key, of which `most` are allowed a minute, all at once if need be. Returns 0,
 * or the milliseconds until there may be one again. */
int64_t throttle_take(struct throttle *t, uint64_t key, int64_t most, int64_t now_ms);

#endif
