/* storm.h - chats in every dialect at every kind of door, slow readers, vandals and robots that
 * fail, all at once, while the server is reloaded, resized, upgraded, starved and its workers are
 * killed.
 * For:     `make soak`.     Callers: tests/e2e.
 * Holds:   each chat has one question under way and hears its answer once: whole, or ended by one
 *          ERR. A chat may end only within moments of a worker's death by our hand, for its own is
 *          all that a worker may take along (PRODUCT.md, part 5), and behind TLS after its BYE
 *          shutdown. Anything else fails the test.
 *          What is done, and in which order, depends on the seed alone; when it meets which message
 *          does not.
 * Memory:  storm_open() gives, storm_close() frees. */
#ifndef TESTS_E2E_STORM_H
#define TESTS_E2E_STORM_H

#include "e2e/scene.h"

struct storm;

/* Starts the server, too. */
struct storm *storm_open(unsigned seed);
struct server *storm_server(struct storm *st);

/* Rage so long; unless `replaces`, all processes stay. */
void storm_rage(struct storm *st, int64_t for_ms, bool replaces);
/* The robots are well, whoever does harm leaves, every question is answered, and the pool is as
 * configured. The chats stay. */
void storm_calm(struct storm *st);
/* Nobody says anything for so long, and all are still there. */
void storm_rest(struct storm *st, int64_t for_ms);
/* Print what happened. */
void storm_tell(const struct storm *st);
/* Everybody leaves; server_stop(). */
void storm_close(struct storm *st);

#endif
