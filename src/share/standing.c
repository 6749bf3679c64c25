/* standing.c - see standing.h. Workers race here and may lose: a failure counted twice or a probe
 * more does no harm. What must hold is that nobody waits for anybody. */
#include "share/standing.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNER standing
const struct metric standing_metrics[] = { STANDING_METRICS(METRIC_ROW){ .name = NULL } };
#undef OWNER

static struct standings *
map_file(int fd)
{
	void *map = mmap(NULL, sizeof(struct standings), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

struct standings *
standings_new(int *fd)
{
	int file = memfd_create("standings", MFD_CLOEXEC);
	struct standings *s = NULL;

	if (file >= 0 && ftruncate(file, sizeof *s) == 0)
		s = map_file(file);
	if (s)
		s->layout = STANDING_LAYOUT;
	if (s && fd)
		*fd = file;
	else if (file >= 0)
		close(file);
	return s;
}

struct standings *
standings_open(int fd)
{
	struct stat st;
	struct standings *s;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size != (off_t)sizeof *s)
		return NULL;
	s = map_file(fd);
	if (s && s->layout != STANDING_LAYOUT) {
		munmap(s, sizeof *s);
		s = NULL;
	}
	return s;
}

int
standings_first_slot(struct standings *s)
{
	int first = (int)(s->masters++ % 2) * STANDING_SLOTS / 2;

	for (int i = 0; i < STANDING_SLOTS / 2; i++)
		standings_forget_slot(s, first + i);
	return first;
}

/* --- whose is which -------------------------------------------------------------------------- */

static void
forget_pauses(struct standing *s)
{
	(void)standing_good(s);
	for (int i = 0; i < STANDING_KEYS; i++)
		if (s->aside_until_ms[i])
			s->aside_until_ms[i] = 0;
}

static void
begin_afresh(struct standing *s)
{
	forget_pauses(s);
	for (int i = 0; i < STANDING_SLOTS; i++) {
		if (s->in_flight_of[i])
			s->in_flight_of[i] = 0;
		if (s->waits_since_ms[i])
			s->waits_since_ms[i] = 0;
	}
	for (const struct metric *m = standing_metrics; m->name; m++) {
		void *at = (char *)s + m->place;

		if (m->kind == METRIC_TIME)
			histogram_clear(at);
		else
			*(_Atomic int64_t *)at = 0;
	}
}

static struct standing *
longest_unused(struct standings *s)
{
	struct standing *found = &s->robots[0];

	for (int i = 1; i < STANDING_ROBOTS; i++)
		if (s->robots[i].used_ms < found->used_ms)
			found = &s->robots[i];
	return found;
}

struct standing *
standings_find(struct standings *s, uint64_t key, int64_t now_ms)
{
	struct standing *one;

	for (int i = 0; i < STANDING_ROBOTS; i++) {
		uint64_t nobody = 0;

		one = &s->robots[i];
		if (one->key == key || atomic_compare_exchange_strong(&one->key, &nobody, key) ||
		    nobody == key) {
			one->used_ms = now_ms;
			return one;
		}
	}
	one = longest_unused(s);
	one->used_ms = now_ms;
	begin_afresh(one);
	one->key = key;
	return one;
}

const struct standing *
standings_look(const struct standings *s, uint64_t key)
{
	for (int i = 0; i < STANDING_ROBOTS && s->robots[i].key; i++)
		if (s->robots[i].key == key)
			return &s->robots[i];
	return NULL;
}

void
standings_forget_slot(struct standings *s, int slot)
{
	for (int i = 0; i < STANDING_ROBOTS && s->robots[i].key; i++) {
		struct standing *one = &s->robots[i];

		one->in_flight -= atomic_exchange(&one->in_flight_of[slot], 0);
		one->waits_since_ms[slot] = 0;
	}
}

void
standings_wake_all(struct standings *s)
{
	for (int i = 0; i < STANDING_ROBOTS && s->robots[i].key; i++)
		forget_pauses(&s->robots[i]);
}

/* --- the breaker ----------------------------------------------------------------------------- */

enum standing_say
standing_may_ask(struct standing *s, int64_t now_ms, int64_t probe_ms)
{
	int64_t until = s->open_until_ms, probing = s->probe_until_ms;

	if (until == 0)
		return STANDING_ASK;
	if (now_ms < until || now_ms < probing)
		return STANDING_REST;
	return atomic_compare_exchange_strong(&s->probe_until_ms, &probing, now_ms + probe_ms)
		   ? STANDING_PROBE
		   : STANDING_REST;
}

bool
standing_good(struct standing *s)
{
	/* The usual case writes nothing: the line stays in every worker's cache. */
	if (s->points == 0 && s->open_until_ms == 0)
		return false;
	s->points = s->pause_ms = s->probe_until_ms = s->asked_until_ms = 0;
	return atomic_exchange(&s->open_until_ms, 0) != 0;
}

int64_t
standing_bad(struct standing *s, int points, int64_t pause_ms, int64_t now_ms)
{
	int64_t until = s->open_until_ms, pause = s->pause_ms;

	if (pause_ms > STANDING_ASKED_MS)
		pause_ms = STANDING_ASKED_MS;
	if (pause_ms)
		s->asked_until_ms = now_ms + pause_ms;
	if (until && now_ms < until) { /* asked before it opened, or by force */
		if (now_ms + pause_ms > until)
			s->open_until_ms = now_ms + pause_ms;
		return 0;
	}
	if (atomic_fetch_add(&s->points, points) + points < STANDING_POINTS && until == 0 &&
	    pause_ms == 0)
		return 0;
	pause = pause ? 2 * pause : STANDING_PAUSE_MS;
	if (pause > STANDING_MOST_MS)
		pause = STANDING_MOST_MS;
	s->pause_ms = pause;
	if (pause_ms > pause)
		pause = pause_ms;
	s->open_until_ms = now_ms + pause;
	s->probe_until_ms = 0;
	return pause;
}

void
standing_unprobed(struct standing *s)
{
	s->probe_until_ms = 0;
}

int64_t
standing_rests_ms(const struct standing *s, bool asked_for, int64_t now_ms)
{
	int64_t until = asked_for ? s->asked_until_ms : s->open_until_ms;

	return until > now_ms ? until - now_ms : 0;
}

/* --- keys ------------------------------------------------------------------------------------ */

bool
standing_set_aside(struct standing *s, int i, int64_t until_ms, int64_t now_ms)
{
	return i < STANDING_KEYS && atomic_exchange(&s->aside_until_ms[i], until_ms) <= now_ms;
}

int64_t
standing_aside_ms(const struct standing *s, int i, int64_t now_ms)
{
	int64_t until = i < STANDING_KEYS ? s->aside_until_ms[i] : 0;

	return until > now_ms ? until - now_ms : 0;
}

int64_t
standing_away_ms(const struct standing *s, int n_keys, int64_t now_ms)
{
	int64_t ms = standing_rests_ms(s, false, now_ms), first_ms = INT64_MAX;

	for (int i = 0; i < (n_keys ? n_keys : 1); i++) {
		int64_t aside_ms = standing_aside_ms(s, i, now_ms);

		first_ms = aside_ms < first_ms ? aside_ms : first_ms;
	}
	return first_ms > ms ? first_ms : ms;
}

/* --- the queue ------------------------------------------------------------------------------- */

static bool
is_first(const struct standing *s, int slot, int64_t since_ms, int64_t stale_ms)
{
	for (int i = 0; i < STANDING_SLOTS; i++) {
		int64_t theirs = s->waits_since_ms[i];

		if (i != slot && theirs > stale_ms && theirs < since_ms)
			return false;
	}
	return true;
}

/* The worker's own count comes first and goes last, so that what a dying worker leaves behind is
 * taken back by standings_forget_slot(); at worst the limit is passed by one. */
bool
standing_enter(struct standing *s, int slot, int64_t most, int64_t since_ms, int64_t stale_ms)
{
	if (s->in_flight >= most || !is_first(s, slot, since_ms, stale_ms))
		return false;
	s->in_flight_of[slot]++;
	if (atomic_fetch_add(&s->in_flight, 1) < most)
		return true;
	standing_leave(s, slot);
	return false;
}

void
standing_enter_freely(struct standing *s, int slot)
{
	s->in_flight_of[slot]++;
	s->in_flight++;
}

void
standing_leave(struct standing *s, int slot)
{
	/* It may have been given up for another robot meanwhile. */
	if (s->in_flight_of[slot] == 0)
		return;
	s->in_flight--;
	s->in_flight_of[slot]--;
}

void
standing_waits(struct standing *s, int slot, int64_t since_ms)
{
	if (s->waits_since_ms[slot] != since_ms)
		s->waits_since_ms[slot] = since_ms;
}
