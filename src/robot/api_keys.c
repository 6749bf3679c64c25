/* api_keys.c - see robot_api.h: keys that were rejected or used up are set aside for all workers,
 * in the robot's standing. */
#include "robot/robot_api.h"

#include "base/lapse.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	REJECTED_MS = 60000, /* a rejected key is tried again, and reported again, after */
	QUOTA_MS = 60000,    /* one without calls left, when nobody knows the period */
	HOUR_S = 3600,
	DAY_S = 24 * HOUR_S,
	CHINA_S = 8 * HOUR_S,
	TOKEN_BYTES = 12
};

int
api_keys_find(const struct robot *r)
{
	int n = r->conf->api_key.n ? r->conf->api_key.n : 1;
	int64_t now_ms = lapse_now_ms();

	for (int i = 0; i < n; i++)
		if (standing_aside_ms(r->standing, i, now_ms) == 0)
			return i;
	return -1;
}

const char *
api_keys_at(const struct robot *r, int i)
{
	return r->conf->api_key.n ? r->conf->api_key.at[i] : "";
}

/* Until the next midnight in China, where the calls of a day are counted. Nobody documents the
 * hour: a key that is still used up right after midnight is asked again every hour of the first
  * one. */
static int64_t
day_ms(void)
{
	int64_t into = ((int64_t)time(NULL) + CHINA_S) % DAY_S;

	return (into < HOUR_S ? HOUR_S : DAY_S - into) * 1000;
}

/* A key may come back in any code; whatever looks like one is blotted out: long, with a digit. */
static void
hide_tokens(char *s)
{
	static const char chars[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=%_-";

	for (size_t n; *s; s += n ? n : 1) {
		n = strspn(s, chars);
		if (n >= TOKEN_BYTES && strcspn(s, "0123456789") < n)
			memset(s, '*', n);
	}
}

/* What the server repeats may be cut off, so the head of a secret is looked for. */
static bool
holds_key(const struct conf_robot *c, const char *s)
{
	bool holds = *c->secret && strstr(s, c->secret);

	for (int i = 0; i < c->api_key.n && !holds; i++) {
		size_t n = strlen(c->api_key.at[i]);

		holds = memmem(s, strlen(s), c->api_key.at[i], n < TOKEN_BYTES ? n : TOKEN_BYTES);
	}
	return holds;
}

/* Sentences of a server may quote the chat, so they are for operators who log that anyway. */
const char *
api_keys_hide(const struct api_call *call)
{
	const struct robot *r = call->ask->robot;
	const struct reply *reply = &call->reply;
	char words[sizeof reply->words + sizeof reply->says + 2];

	snprintf(words, sizeof words, "%s%s%s", reply->words,
	    r->env.log_texts && *reply->words ? ": " : "", r->env.log_texts ? reply->says : "");
	if (holds_key(r->conf, words))
		return "\"\"";
	hide_tokens(words);
	return log_quote(words, strlen(words));
}

void
api_keys_set_aside(const struct api_call *call, enum why why, long status)
{
	struct robot *r = call->ask->robot;
	int64_t now_ms = lapse_now_ms(), ms = why == WHY_KEY           ? REJECTED_MS
					      : r->ops->api->day_quota ? day_ms()
								       : QUOTA_MS;

	if (standing_set_aside(r->standing, call->key, now_ms + ms, now_ms))
		log_warn("%s robot=%s key=%d seconds=%" PRId64 " status=%ld code=%" PRId64
			 " says=%s",
		    why == WHY_KEY ? "robot_key_rejected" : "robot_key_used_up", r->conf->name,
		    call->key + 1, ms / 1000, status, call->reply.code, api_keys_hide(call));
}
