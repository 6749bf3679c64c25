/* storm.c - see storm.h. */
#include "e2e/storm_own.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/moving.h"
#include "lib/certs.h"

#include <stdio.h>
#include <stdlib.h>

enum { TURN_MS = 20 };

/* xorshift32 (Marsaglia, 2003) */
unsigned
storm_dice(struct storm *st, unsigned n)
{
	st->dice ^= st->dice << 13;
	st->dice ^= st->dice >> 17;
	st->dice ^= st->dice << 5;
	return st->dice % n;
}

struct server *
storm_server(struct storm *st)
{
	return st->s;
}

void
storm_turn(struct storm *st)
{
	struct peer *peers[STORM_CHATS];

	for (int i = 0; i < STORM_CHATS; i++)
		peers[i] = st->chats[i].p;
	peer_wait_any(peers, STORM_CHATS, TURN_MS);
	for (int i = 0; i < STORM_CHATS; i++)
		storm_chat_turn(st, &st->chats[i]);
	if (st->raging)
		storm_harm(st);
}

static bool
is_quiet(const struct storm *st)
{
	for (int i = 0; i < STORM_CHATS; i++)
		if (!storm_chat_is_quiet(&st->chats[i]))
			return false;
	return true;
}

struct storm *
storm_open(unsigned seed)
{
	struct storm *st = mem_zalloc(sizeof *st);

	st->dice = seed != 0 ? seed : 1;
	st->pool = STORM_POOL;
	st->s = moving_server_new(HELLO_SERVER);
	certs_make(st->s->folder, "door", st->s->address, 1);
	storm_configure(st, true);
	server_run(st->s);
	server_wait_ready(st->s);
	st->s->may_crash = true;
	st->first = scene_bot(st->s);
	st->second = fakebot_start(st->s->address, SERVER_BOT_PORT + 1);
	for (int i = 0; i < STORM_CHATS; i++)
		storm_chat_begin(st, i);
	return st;
}

void
storm_rage(struct storm *st, int64_t for_ms, bool replaces)
{
	int64_t by_ms = lapse_now_ms() + for_ms;

	st->raging = true;
	while (lapse_now_ms() < by_ms) {
		storm_turn(st);
		storm_act(st, replaces);
	}
	st->raging = false;
}

void
storm_calm(struct storm *st)
{
	storm_mend(st);
	storm_robots_well(st);
	storm_harm_none(st);
	storm_pool(st, STORM_POOL);
	while (!is_quiet(st))
		storm_turn(st); /* which knows how long that may take */
	for (int i = 0; i < STORM_CHATS; i++) {
		ck_assert_uint_eq(st->chats[i].p->in.len, 0);
		storm_chat_ask(&st->chats[i]); /* the silent ones, too */
	}
	while (!is_quiet(st))
		storm_turn(st);
}

void
storm_rest(struct storm *st, int64_t for_ms)
{
	int64_t by_ms = lapse_now_ms() + for_ms;

	while (lapse_now_ms() < by_ms)
		storm_turn(st);
}

void
storm_tell(const struct storm *st)
{
	printf("%d answers, %d of them errors; %d chats ended with their worker, %d behind TLS "
	       "were sent away; %d vandals, %d who do not read;",
	    st->n_answers, st->n_errors, st->n_lost, st->n_sent_away, st->n_vandals, st->n_slow);
	for (int i = 0; i < STORM_ACTS && storm_act_name(i) != NULL; i++)
		printf(" %s %d", storm_act_name(i), st->n_acts[i]);
	putchar('\n');
	fflush(stdout);
}

void
storm_close(struct storm *st)
{
	struct server *s = st->s;

	peer_close_all();
	server_stop(s);
	fakebot_stop(st->first);
	fakebot_stop(st->second);
	free(st);
}
