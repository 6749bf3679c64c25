/* storm_harm.c - those who do harm in the storm; see storm.h. */
#include "e2e/storm_own.h"

#include "base/lapse.h"
#include "base/mem.h"
#include "e2e/locked.h"
#include "lib/web.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { VANDAL_MS = 60, SLOW_ONE_OF = 30 };

static void
push_text(struct peer *p, const char *text)
{
	peer_push(p, text, strlen(text));
}

static void
push_noise(struct storm *st, struct peer *p, size_t n, bool newlines)
{
	char *noise = mem_zalloc(n);

	for (size_t i = 0; i < n; i++) {
		noise[i] = (char)storm_dice(st, 256);
		if (!newlines && noise[i] == '\n')
			noise[i] = 'x';
	}
	(void)send(p->fd, noise, n, MSG_DONTWAIT | MSG_NOSIGNAL); /* whatever it takes */
	free(noise);
}

/* What is wrong at one door is right at another one. */
static void
speak_web(struct storm *st, struct peer *p)
{
	switch (storm_dice(st, 5)) {
	case 0:
		push_text(p, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n");
		break;
	case 1:
		push_text(p, "POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
		break;
	case 2:
		web_knock(p, NULL, "x");
		push_noise(st, p, 1 + storm_dice(st, 3000), true);
		break;
	case 3:
		web_knock(p, NULL, "x");
		web_begin(p, WEB_FIN | WEB_TEXT, 0x80 | 127, 8, UINT64_MAX >> 1);
		break;
	default:
		web_knock(p, NULL, "x");
		web_say(p, "{\"user\":\"a\",\"text\":\"half");
		web_frame(p, WEB_TEXT, "{\"user\":", 8);
	}
}

static void
speak_chat(struct storm *st, struct peer *p)
{
	switch (storm_dice(st, 11)) {
	case 0:
		peer_push(p, "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03", 11);
		break;
	case 1:
		push_noise(st, p, 20000, false);
		break;
	case 2:
		push_noise(st, p, 1 + storm_dice(st, 3000), true);
		break;
	case 3:
		peer_push(p, "me::a\0b\n", 8);
		break;
	case 4:
		push_text(p, "me::\xff\xfe\n\xc0\xaf\n");
		break;
	case 5:
		for (int i = 0; i < 200; i++)
			push_text(p, "me::spam\n");
		break;
	case 6:
		push_text(p, "me::half of a li");
		break;
	case 7:
		push_text(p, "{\"user\":\"a\",\"text\":{\"text\":[[[[\n{\n{\"user\":1}\n");
		break;
	case 8:
		push_text(p, "me::hi\n");
		(void)shutdown(p->fd, SHUT_WR);
		break;
	case 9:
		push_text(p, "/robot nobody\n/forget\nme::exit\n");
		break;
	default:
		break; /* says nothing */
	}
}

static struct peer *
come(struct storm *st)
{
	const struct server *s = st->s;

	switch (storm_dice(st, 6)) {
	case 0:
		return peer_open(s->address, LOCKED_PORT);
	case 1:
		return peer_open_udp(s->address, STORM_UDP_PORT);
	case 2:
	case 3:
		return peer_open(s->address, WEB_PORT);
	default:
		return peer_open(s->address, SERVER_PORT);
	}
}

static void
replace_vandal(struct storm *st)
{
	struct peer **v = &st->vandals[storm_dice(st, STORM_VANDALS)];

	if (*v != NULL && storm_dice(st, 2))
		peer_reset(*v);
	else if (*v != NULL)
		peer_close(*v);
	*v = come(st);
	if (storm_dice(st, 3) == 0)
		speak_web(st, *v);
	else
		speak_chat(st, *v);
	st->n_vandals++;
	st->vandal_ms = lapse_now_ms() + storm_dice(st, 2 * VANDAL_MS);
}

/* Asks for more than anybody holds for it, and never reads. */
static void
replace_slow(struct storm *st)
{
	struct peer **p = &st->slow[storm_dice(st, STORM_SLOW)];
	bool web = storm_dice(st, 2);

	if (*p != NULL)
		peer_close(*p);
	*p = peer_open(st->s->address, web ? WEB_PORT : SERVER_PORT);
	if (web)
		web_knock(*p, NULL, "x");
	for (int i = 0; i < 8; i++) {
		if (web)
			web_say(*p, "{\"user\":\"me\",\"text\":\"give me much\",\"stream\":true}");
		else
			push_text(*p, "me::give me much\n");
	}
	st->n_slow++;
}

void
storm_harm(struct storm *st)
{
	if (lapse_now_ms() < st->vandal_ms)
		return;
	replace_vandal(st);
	if (storm_dice(st, SLOW_ONE_OF) == 0)
		replace_slow(st);
}

static void
send_away(struct peer **peers, int n)
{
	for (int i = 0; i < n; i++) {
		if (peers[i] != NULL)
			peer_close(peers[i]);
		peers[i] = NULL;
	}
}

void
storm_harm_none(struct storm *st)
{
	send_away(st->vandals, STORM_VANDALS);
	send_away(st->slow, STORM_SLOW);
}
