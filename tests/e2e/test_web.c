/* test_web.c - requests at the web door: what is there, what is not, and who may stay (FAULTS B3,
 * I11, I12, I17). */
#include "e2e/suites.h"
#include "e2e/web.h"

#include "base/lapse.h"
#include "lib/procfs.h"
#include "lib/promtext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DRIPPERS = 40, TALKS = 100, SOON_MS = 200, PIPELINED = 3000, SLACK_KIB = 4096 };

/* --- what is there --------------------------------------------------------------------------- */

START_TEST(page_health_and_metrics_come_over_one_connection)
{
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = peer_open(s->address, WEB_PORT);

	ck_assert_int_eq(web_get(p, "/"), 200);
	ck_assert_ptr_nonnull(strstr(web_head(), "\r\nContent-Type: text/html; charset=utf-8\r\n"));
	ck_assert_ptr_nonnull(strstr(web_body(), "<script>"));
	ck_assert_int_eq(web_get(p, "/?from=a+link"), 200);
	ck_assert_int_eq(web_get(p, "/healthz"), 200);
	ck_assert_str_eq(web_body(), "ok\n");
	ck_assert_int_eq(web_get(p, "/metrics"), 200);
	promtext_check(web_body());
	promtext_has(web_body(), "xiaotu_visitors 1");
	promtext_has(web_body(), "xiaotu_chats 0");
	promtext_has(web_body(), "xiaotu_requests_total 4");
	ck_assert_int_eq(web_ask(p, "HEAD / HTTP/1.1\r\nHost: x\r\n"), 200);
	ck_assert_int_eq(
	    web_ask(p, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"), 200);
	peer_eof(p);
	ck_assert_int_eq(server_count_log(s, "ev=chat_open"), 0);
	scene_end(s, NULL);
}
END_TEST

START_TEST(i17_page_may_run_nothing_but_itself)
{
	static const char *const lines[] = {
		"Content-Security-Policy: default-src 'none'; script-src 'sha256-",
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n",
		"X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
		"Cache-Control: no-"
	};
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = peer_open(s->address, WEB_PORT);

	ck_assert_int_eq(web_get(p, "/"), 200);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_ptr_nonnull(strstr(web_head(), lines[i]));
	ck_assert_ptr_null(strstr(web_head(), "unsafe"));
	ck_assert_int_eq(web_get(p, "/<script>alert(1)</script>"), 404);
	ck_assert_ptr_null(strstr(web_body(), "alert"));
	scene_end(s, NULL);
}
END_TEST

START_TEST(i12_other_paths_are_not_there_however_they_are_spelled)
{
	static const char *const paths[] = { "/../etc/passwd", "/..%2fetc/passwd",
		"/%2e%2e/etc/passwd", "/%00", "/healthz%00", "//", "//healthz", "/healthz/",
		"/./healthz", "/\\..\\etc", "/healthz\\", "/%68ealthz", "/HEALTHZ", "/index.html",
		"/favicon.ico", "/page.html", "/chat/", "/chat/..", "/etc/passwd", "/metrics;x" };
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = peer_open(s->address, WEB_PORT);

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		ck_assert_int_eq(web_get(p, paths[i]), 404);
		ck_assert_ptr_null(strstr(web_body(), "root"));
	}
	ck_assert_int_eq(web_get(p, "/healthz"), 200);
	scene_end(s, NULL);
}
END_TEST

static const struct {
	const char *request;
	int status;
	bool closes;
} others[] = {
	{ "POST / HTTP/1.1\r\nHost: x\r\n", 405, false },
	{ "DELETE /nowhere HTTP/1.1\r\nHost: x\r\n", 405, false },
	{ "HEAD /chat HTTP/1.1\r\nHost: x\r\n", 405, false },
	{ "POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n", 405, true },
	{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n", 413, true },
	{ "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", 400, true },
	{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400,
	    true },
	{ "GET / HTTP/1.1\r\n", 400, true },
	{ "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n", 400, true },
	{ "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n", 400, true },
	{ "GET / HTTP/2.0\r\nHost: x\r\n", 505, true },
	{ "GET / HTTP/1.0\r\n", 200, true },
	{ "nonsense\r\n", 400, true },
	{ "\x16\x03\x01\x02\n", 400, true },
	{ "GET /chat HTTP/1.1\r\nHost: x\r\n", 426, false },
	{ "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n",
	    426, false },
	{ "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	  "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",
	    400, false },
};

START_TEST(other_requests_are_told_what_is_wrong)
{
	struct server *s = server_start(WEB_SERVER);

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct peer *p = peer_open(s->address, WEB_PORT);
		int status = web_ask(p, others[i].request);

		ck_assert_msg(status == others[i].status, "%s: %d", others[i].request, status);
		if (others[i].closes)
			peer_eof(p);
		else
			ck_assert_int_eq(web_get(p, "/healthz"), 200);
		peer_close(p);
	}
	scene_end(s, NULL);
}
END_TEST

START_TEST(heads_have_8_kib_at_most)
{
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = peer_open(s->address, WEB_PORT);
	char padding[7001];

	memset(padding, 'x', sizeof padding);
	padding[7000] = '\0';
	peer_sendf(p, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", padding);
	ck_assert_int_eq(web_answer(p, true), 200);
	peer_sendf(p, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\nY: %s", padding, padding);
	ck_assert_int_eq(web_answer(p, true), 431);
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(half_closed_connection_gets_its_answers)
{
	struct server *s = server_start(WEB_SERVER);
	struct peer *p = peer_open(s->address, WEB_PORT);

	peer_send(
	    p, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_half_close(p);
	ck_assert_int_eq(web_answer(p, true), 200);
	ck_assert_int_eq(web_answer(p, true), 404);
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

/* The page, thousands of times, and nobody reads. */
START_TEST(pipelined_requests_nobody_reads_pin_no_memory)
{
	struct server *s = server_start(
	    PLAIN POOL(1) WEB_DOORS NO_RATE HELLO "timeouts = { message = \"1s\"; };\n");
	struct peer *p = peer_open(s->address, WEB_PORT);
	pid_t worker;
	int64_t before;

	ck_assert_int_eq(web_get(p, "/"), 200);
	ck_assert_int_eq(server_pids(s, &worker), 1);
	before = procfs_memory_kib(worker, "VmRSS:");
	for (int i = 0; i < PIPELINED / 100; i++) {
		char some[100 * 40] = "";

		for (int k = 0; k < 100; k++)
			strcat(some, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		if (send(p->fd, some, strlen(some), MSG_DONTWAIT | MSG_NOSIGNAL) <= 0)
			break;
		procfs_tick();
	}
	ck_assert_int_le(procfs_memory_kib(worker, "VmRSS:") - before, SLACK_KIB);
	peer_drop(p);
	scene_end(s, NULL);
}
END_TEST

/* --- whose page it is ------------------------------------------------------------------------ */

static int
opens(struct server *s, const char *origin, const char *host)
{
	struct peer *p = peer_open(s->address, WEB_PORT);
	int status = web_try(p, origin, host);

	if (status == 101)
		web_expect(p, "{\"greeting\":\"Welcome\\n\"}");
	else
		ck_assert_int_eq(web_get(p, "/healthz"), 200);
	peer_close(p);
	return status;
}

START_TEST(i11_without_origins_only_the_same_address_may_chat)
{
	struct server *s = server_start(WEB_SERVER);
	char origin[64], trick[96];
	const char *host = origin + 7;

	snprintf(origin, sizeof origin, "http://%s:%d", s->address, WEB_PORT);
	ck_assert_int_eq(opens(s, origin, host), 101);
	ck_assert_int_eq(opens(s, "http://localhost:1", "localhost:1"), 101);
	ck_assert_int_eq(opens(s, NULL, host), 403);
	ck_assert_int_eq(opens(s, "null", host), 403);
	ck_assert_int_eq(opens(s, "http://evil.example", host), 403);
	snprintf(trick, sizeof trick, "%s.evil.example", origin);
	ck_assert_int_eq(opens(s, trick, host), 403);
	snprintf(trick, sizeof trick, "http://evil.example/%s", host);
	ck_assert_int_eq(opens(s, trick, host), 403);
	/* A name of his that leads here: host and origin agree. */
	ck_assert_int_eq(opens(s, "http://evil.example:9980", "evil.example:9980"), 403);
	(void)server_wait_log(s, "ev=chat_refused origin=\"null\"");
	scene_end(s, NULL);
}
END_TEST

START_TEST(i11_with_origins_only_these_may_chat)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO WEB_DOOR_WITH(
	    "origins = ( \"https://chat.example.com\", \"http://localhost:8080\" );"));
	char origin[64];

	snprintf(origin, sizeof origin, "http://%s:%d", s->address, WEB_PORT);
	ck_assert_int_eq(opens(s, "https://chat.example.com", "chat.example.com"), 101);
	ck_assert_int_eq(opens(s, "https://chat.example.com", origin + 7), 101);
	ck_assert_int_eq(opens(s, "http://localhost:8080", "x"), 101);
	ck_assert_int_eq(opens(s, "https://chat.example.com.evil.org", "chat.example.com"), 403);
	ck_assert_int_eq(opens(s, "http://chat.example.com", "chat.example.com"), 403);
	ck_assert_int_eq(opens(s, origin, origin + 7), 403);
	ck_assert_int_eq(opens(s, NULL, "chat.example.com"), 403);
	/* Whoever waits to open one goes by the settings of now. */
	server_config(s, PLAIN POOL(2) NO_RATE HELLO WEB_DOORS);
	server_reload_ok(s);
	ck_assert_int_eq(opens(s, origin, origin + 7), 101);
	ck_assert_int_eq(opens(s, "https://chat.example.com", "chat.example.com"), 403);
	scene_end(s, NULL);
}
END_TEST

static const char *const bad_doors[] = {
	"speak = \"web\"; transport = \"udp\";",
	"origins = \"https://chat.example.com\";",
	"speak = \"web\"; origins = \"https://chat.example.com/\";",
	"speak = \"web\"; origins = \"chat.example.com\";",
	"speak = \"web\"; origins = \"*\";",
	"speak = \"web\"; origins = \"null\";",
	"speak = \"web\"; origins = \"https://Chat.example.com\";",
};

START_TEST(doors_that_make_no_sense_are_refused)
{
	struct server *s = server_start(WEB_SERVER);

	for (size_t i = 0; i < sizeof bad_doors / sizeof *bad_doors; i++) {
		server_config(s,
		    PLAIN POOL(2) NO_RATE HELLO
		    "listen = ( { address = \"$ADDR\"; port = 9999; %s } );\n",
		    bad_doors[i]);
		server_reload_rejected(s, "listen.[0]");
	}
	ck_assert_int_eq(web_get(peer_open(s->address, WEB_PORT), "/healthz"), 200);
	scene_end(s, NULL);
}
END_TEST

/* --- who may stay ---------------------------------------------------------------------------- */

static void
drip(struct peer **drippers, int n, const char *byte)
{
	for (int i = 0; i < n; i++)
		if (drippers[i])
			peer_push(drippers[i], byte, 1);
}

START_TEST(b3_heads_that_drip_are_cut_off_and_others_feel_nothing)
{
	struct server *s = server_start(WEB_SERVER "timeouts = { message = \"1s\"; };\n");
	struct peer *drippers[DRIPPERS], *p;
	int64_t began = lapse_now_ms();

	for (int i = 0; i < DRIPPERS; i++) {
		drippers[i] = peer_open(s->address, WEB_PORT);
		if (i % 2)
			peer_send(drippers[i], "GET / HTTP/1.1\r\nHost: x\r\nX: ");
	}
	p = web_chat(s->address, WEB_PORT);
	for (int i = 0; i < TALKS; i++) {
		int64_t asked_ms = lapse_now_ms();

		drip(drippers, DRIPPERS, i % 10 ? "x" : "\r");
		web_say(p, "{\"user\":\"ann\",\"text\":\"hi\"}");
		web_expect(p, "{\"robot\":\"hello\",\"text\":\"Hello, hi!\"}");
		ck_assert_int_lt(lapse_now_ms() - asked_ms, SOON_MS);
	}
	while (lapse_now_ms() < began + 1500) {
		drip(drippers, DRIPPERS, "x");
		procfs_tick();
	}
	for (int i = 0; i < DRIPPERS; i++)
		peer_drop(drippers[i]);
	ck_assert_int_lt(lapse_now_ms() - began, 6000);
	scene_end(s, NULL);
}
END_TEST

START_TEST(b3_silence_and_empty_lines_are_cut_off_too)
{
	struct server *s = server_start(WEB_SERVER "timeouts = { message = \"500ms\"; };\n");
	struct peer *silent = peer_open(s->address, WEB_PORT), *p = peer_open(s->address, WEB_PORT);
	struct peer *blank = peer_open(s->address, WEB_PORT);
	int64_t began = lapse_now_ms();

	ck_assert_int_eq(web_get(p, "/healthz"), 200);
	while (peer_fill(blank) == PEER_NOTHING && lapse_now_ms() < began + SERVER_MS) {
		peer_push(blank, "\r\n", 2);
		peer_wait_any(&blank, 1, 100);
	}
	ck_assert_int_lt(lapse_now_ms() - began, 5000);
	peer_eof(silent);
	peer_eof(p);
	scene_end(s, NULL);
}
END_TEST

START_TEST(b3_visitors_have_no_more_places_than_chats)
{
	struct server *s = server_start(PLAIN POOL(2) HELLO WEB_DOORS
	    "limits = { messages_per_minute = 0; chats_per_address = 5; };\n");
	struct peer *visitors[5], *chat, *p;
	char origin[64];

	for (int i = 0; i < 5; i++) {
		visitors[i] = peer_open_from("127.7.7.1", s->address, WEB_PORT);
		ck_assert_int_eq(web_get(visitors[i], "/healthz"), 200);
	}
	p = peer_open_from("127.7.7.1", s->address, WEB_PORT);
	ck_assert_int_eq(web_answer(p, true), 503);
	ck_assert_ptr_nonnull(strstr(web_head(), "\r\nRetry-After: "));
	peer_eof(p);
	(void)server_wait_log(s, "ev=chat_refused limit=chats_per_address");
	/* Another address has places of its own. */
	ck_assert_int_eq(web_get(peer_open(s->address, WEB_PORT), "/healthz"), 200);
	/* Who becomes a chat keeps his place, and gives it back at the end. */
	snprintf(origin, sizeof origin, "http://%s:%d", s->address, WEB_PORT);
	chat = visitors[0];
	ck_assert_int_eq(web_try(chat, origin, origin + 7), 101);
	web_expect(chat, "{\"greeting\":\"Welcome\\n\"}");
	p = peer_open_from("127.7.7.1", s->address, WEB_PORT);
	ck_assert_int_eq(web_answer(p, true), 503);
	peer_close(chat);
	(void)server_wait_log(s, "ev=chat_close reason=eof");
	p = peer_open_from("127.7.7.1", s->address, WEB_PORT);
	ck_assert_int_eq(web_get(p, "/metrics"), 200);
	promtext_has(web_body(), "xiaotu_visitors 6");
	promtext_has(web_body(), "xiaotu_chats 0");
	scene_end(s, NULL);
}
END_TEST

/* --- what happens to the door ---------------------------------------------------------------- */

START_TEST(reload_makes_a_chat_door_a_web_door_and_back)
{
	struct server *s = server_start(HELLO_SERVER);
	struct peer *chat = scene_chat(s), *visitor;

	server_config(s, PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { address = \"$ADDR\"; port = 9999; speak = \"web\"; } );\n");
	server_reload_ok(s);
	visitor = peer_open(s->address, SERVER_PORT);
	ck_assert_int_eq(web_get(visitor, "/healthz"), 200);
	scene_hello(chat, "me::still a chat");
	server_config(s, HELLO_SERVER);
	server_reload_ok(s);
	ck_assert_int_eq(web_get(visitor, "/healthz"), 200);
	scene_hello(scene_chat(s), "me::hi");
	scene_end(s, NULL);
}
END_TEST

START_TEST(unix_socket_can_be_a_web_door)
{
	struct server *s = server_start(PLAIN POOL(2) NO_RATE HELLO
	    "listen = ( { path = \"$DIR/web\"; speak = \"web\"; } );\n");
	char path[96];

	snprintf(path, sizeof path, "%s/web", s->folder);
	ck_assert_int_eq(web_get(peer_open_unix(path), "/healthz"), 200);
	scene_end(s, NULL);
}
END_TEST

Suite *
web_suite(void)
{
	Suite *suite = suite_create("web");
	TCase *tc = scene_case(suite, "requests");

	tcase_add_test(tc, page_health_and_metrics_come_over_one_connection);
	tcase_add_test(tc, i17_page_may_run_nothing_but_itself);
	tcase_add_test(tc, i12_other_paths_are_not_there_however_they_are_spelled);
	tcase_add_test(tc, other_requests_are_told_what_is_wrong);
	tcase_add_test(tc, heads_have_8_kib_at_most);
	tcase_add_test(tc, half_closed_connection_gets_its_answers);
	tcase_add_test(tc, pipelined_requests_nobody_reads_pin_no_memory);
	tc = scene_case(suite, "origins");
	tcase_add_test(tc, i11_without_origins_only_the_same_address_may_chat);
	tcase_add_test(tc, i11_with_origins_only_these_may_chat);
	tcase_add_test(tc, doors_that_make_no_sense_are_refused);
	tc = scene_case(suite, "visitors");
	tcase_add_test(tc, b3_heads_that_drip_are_cut_off_and_others_feel_nothing);
	tcase_add_test(tc, b3_silence_and_empty_lines_are_cut_off_too);
	tcase_add_test(tc, b3_visitors_have_no_more_places_than_chats);
	tc = scene_case(suite, "door");
	tcase_add_test(tc, reload_makes_a_chat_door_a_web_door_and_back);
	tcase_add_test(tc, unix_socket_can_be_a_web_door);
	return suite;
}
