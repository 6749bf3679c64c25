/* test_link.c - the way to the robot: connections, names, redirects, TLS, proxies (FAULTS, rows C2
 * to C4, C11, C19 to C22). */
#include "e2e/scene.h"
#include "e2e/suites.h"

#include "base/lapse.h"
#include "lib/certs.h"
#include "lib/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bound is on the best of a few: nobody else is delayed. */
static void
expect_quick_hello(struct peer *p)
{
	int64_t began, best = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		began = lapse_now_ms();
		scene_hello(p, "me::hi");
		if (lapse_now_ms() - began < best)
			best = lapse_now_ms() - began;
	}
	ck_assert_int_lt(best, 50);
}

/* --- C2, C3, C22: robots that do not get going ----------------------------------------------- */

START_TEST(c2_connect_that_never_completes_times_out)
{
	struct server *s = server_start(ONE_WORKER
	    "robots = ( " TURING_ROBOT("connect_timeout = \"300ms\";") ", " HELLO_ROBOT " );\n");
	struct fakebot_deaf *deaf = fakebot_deaf(s->address, SERVER_BOT_PORT);
	struct peer *p = scene_chat(s), *canary = scene_chat(s);
	const char *line;

	peer_send(canary, "/robot hello\n");
	ck_assert_str_ne(peer_line(canary), "");
	peer_send(p, "me::hi\n");
	expect_quick_hello(canary);
	peer_expect(p, "Hello, hi!\n");
	line = server_wait_log(s, "ev=message robot=hello passed=turing:timeout");
	ck_assert_int_ge(server_log_number(line, "ms"), 280);
	ck_assert_int_le(server_log_number(line, "ms"), 1500);
	fakebot_deaf_stop(deaf);
	scene_end(s, NULL);
}
END_TEST

START_TEST(c2_connect_that_never_completes_is_told_when_there_is_no_other_robot)
{
	struct server *s =
	    server_start(ONE_WORKER TURING_WITH(KEY, "connect_timeout = \"300ms\";"));
	struct fakebot_deaf *deaf = fakebot_deaf(s->address, SERVER_BOT_PORT);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-timeout ");
	fakebot_deaf_stop(deaf);
	scene_end(s, NULL);
}
END_TEST

/* Headers alone are no answer; nor is a pause between them and the first byte an endless one. */
START_TEST(c3_robot_that_sends_its_head_alone_times_out)
{
	struct server *s =
	    server_start(ONE_WORKER TURING_WITH(KEY, "first_byte_timeout = \"300ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .body = "", .promise = 100, .stay_open = true });
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-timeout ");
	fakebot_wait_gone(b, 1);
	scene_end(s, b);
}
END_TEST

START_TEST(c3_answer_that_takes_longer_than_the_total_time_times_out)
{
	struct server *s = server_start(ONE_WORKER MODEL("openai", "total_timeout = \"400ms\";"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .type = "text/event-stream",
			    .body = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"}}]}\n\n",
			    .piece_ms = 50,
			    .repeat = 1000 });
	peer_send(p, "me::hi\n");
	peer_expect(p, "soso");
	ck_assert_ptr_nonnull(strstr(peer_line(p), "so"));
	peer_expect_prefix(p, "ERR robot-timeout ");
	fakebot_wait_gone(b, 1);
	scene_end(s, b);
}
END_TEST

START_TEST(c22_chat_that_leaves_frees_its_place_at_the_robot)
{
	struct server *s = server_start(ONE_WORKER TURING_WITH(KEY, "max_inflight = 1;"));
	struct fakebot *b = scene_bot(s);
	struct peer *p = scene_chat(s), *q = scene_chat(s);

	scene_canary(s);
	fakebot_play(b, &(struct fakebot_script){ .only = "stuck", .hold = true });
	peer_send(p, "me::stuck\n");
	fakebot_wait_requests(b, 1);
	peer_reset(p);
	fakebot_wait_gone(b, 1);
	peer_send(q, "me::hi\n");
	peer_expect(q, "echo:hi\n");
	(void)server_wait_log(s, "ev=message outcome=cancelled");
	scene_end(s, b);
}
END_TEST

/* --- C4: names -------------------------------------------------------------------------------- */

/* The resolver would give up after three seconds: nobody may wait for that. */
START_TEST(c4_name_server_that_says_nothing_delays_nobody_and_is_found_again)
{
	struct server *s;
	struct fakebot *b;
	struct peer *p, *canary;
	int64_t began, by_ms;

	if (!names_begin())
		return;
	s = server_start(ONE_WORKER
	    "robots = ( { name = \"turing\"; type = \"turing\"; url = \"http://robot.test:8000/\"; "
	    "connect_timeout = \"300ms\"; api_key = \"" KEY "\"; }, " HELLO_ROBOT " );\n");
	b = scene_bot(s);
	p = scene_chat(s);
	canary = scene_chat(s);
	peer_send(canary, "/robot hello\n");
	ck_assert_str_ne(peer_line(canary), "");
	began = lapse_now_ms();
	peer_send(p, "me::hi\n");
	expect_quick_hello(canary);
	peer_expect(p, "Hello, hi!\n");
	ck_assert_int_lt(lapse_now_ms() - began, 2000);
	expect_quick_hello(canary);
	(void)server_wait_log(s, "ev=message robot=hello passed=turing:timeout");
	names_answer(s->address);
	for (by_ms = lapse_now_ms() + SERVER_MS; fakebot_requests(b) == 0;) {
		ck_assert_int_lt(lapse_now_ms(), by_ms);
		peer_send(p, "me::hi\n");
		ck_assert_str_ne(peer_line(p), "");
		peer_wait_any(&p, 1, 20);
	}
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	scene_end(s, b);
}
END_TEST

/* --- C11: redirects -------------------------------------------------------------------------- */

START_TEST(c11_redirect_of_any_kind_is_not_followed)
{
	static const char *const places[] = { "http://$:8001/openapi/api", "https://$:8001/",
		"//$:8001/", "/elsewhere", "file:///etc/passwd", "gopher://$:8001/_x",
		"ftp://$:8001/x", "dict://$:8001/x" };
	static const int statuses[] = { 301, 302, 303, 307, 308 };
	struct server *s = server_start(ONE_WORKER MODEL("openai", ""));
	struct fakebot *b = scene_bot(s), *elsewhere = fakebot_start(s->address, 8001);
	struct peer *p = scene_chat(s);
	char header[160];

	scene_canary(s);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const char *dollar = strchr(places[i], '$');

		snprintf(header, sizeof header, "Location: %.*s%s%s\r\n",
		    (int)(dollar ? dollar - places[i] : 0), places[i], dollar ? s->address : "",
		    dollar ? dollar + 1 : places[i]);
		fakebot_play(b, &(struct fakebot_script){
				    .status = statuses[_i], .headers = header, .body = "" });
		peer_send(p, "me::hi\n");
		peer_expect_prefix(p, "ERR robot-refused ");
		ck_assert_int_eq(fakebot_requests(b), (int)i + 1);
	}
	ck_assert_int_eq(fakebot_connections(elsewhere), 0);
	fakebot_stop(elsewhere);
	scene_end(s, b);
}
END_TEST

/* --- C19: TLS -------------------------------------------------------------------------------- */

#define TLS_ROBOT(more)                                                                            \
	"robots = ( { name = \"model\"; type = \"openai\"; url = \"https://%s:8000\"; api_key = "  \
	"\"" KEY "\"; " more " } );\n"
#define OUR_CA "ca_file = \"$DIR/ca.pem\";"

/* A robot behind TLS with the certificate NAME of the server's folder. */
static struct fakebot *
start_tls(const struct server *s, const char *name)
{
	char cert[128], key[128];

	snprintf(cert, sizeof cert, "%s/%s.pem", s->folder, name);
	snprintf(key, sizeof key, "%s/%s.key", s->folder, name);
	return fakebot_start_tls(s->address, SERVER_BOT_PORT, cert, key);
}

static struct peer *
serve(struct server *s)
{
	server_run(s);
	server_wait_ready(s);
	return scene_chat(s);
}

START_TEST(c19_certificate_of_our_ca_is_trusted)
{
	struct server *s = server_new(ONE_WORKER TLS_ROBOT(OUR_CA), server_address());
	struct fakebot *b;
	struct peer *p;

	certs_make(s->folder, "good", s->address, 1);
	b = start_tls(s, "good");
	p = serve(s);
	peer_send(p, "me::hi\nagain\n");
	peer_expect(p, "echo:hi\necho:again\n");
	ck_assert_int_eq(fakebot_connections(b), 1);
	ck_assert_str_eq(fakebot_record(b, 0).key, KEY);
	scene_end(s, b);
}
END_TEST

START_TEST(c19_bad_certificate_is_refused_before_the_key_is_sent)
{
	static const struct {
		const char *name, *address;
		int days;
	} bad[] = { { "self", NULL, 1 }, { "wrong", "127.0.0.9", 1 },
		{ "named", "robot.example", 1 }, { "expired", NULL, -1 } };
	struct server *s = server_new(ONE_WORKER TLS_ROBOT(OUR_CA), server_address());
	const char *address = bad[_i].address != NULL ? bad[_i].address : s->address;
	struct fakebot *b;
	struct peer *p;

	certs_make(s->folder, "good", s->address, 1); /* and the CA */
	if (strcmp(bad[_i].name, "self") == 0)
		certs_make_self_signed(s->folder, bad[_i].name, address);
	else
		certs_make(s->folder, bad[_i].name, address, bad[_i].days);
	b = start_tls(s, bad[_i].name);
	p = serve(s);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 0);
	(void)server_wait_log(s, "ev=robot_unreachable certificate");
	scene_end(s, b);
}
END_TEST

/* The system's certificates do not sign it: without ca_file it is nobody's. */
START_TEST(c19_certificate_of_a_ca_nobody_named_is_refused)
{
	struct server *s = server_new(ONE_WORKER TLS_ROBOT(""), server_address());
	struct fakebot *b;
	struct peer *p;

	certs_make(s->folder, "good", s->address, 1);
	b = start_tls(s, "good");
	p = serve(s);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 0);
	scene_end(s, b);
}
END_TEST

START_TEST(c19_there_is_no_fallback_to_plain_http)
{
	struct server *s = server_new(ONE_WORKER TLS_ROBOT(OUR_CA), server_address());
	struct fakebot *b;
	struct peer *p;

	certs_make(s->folder, "good", s->address, 1);
	b = scene_bot(s);
	p = serve(s);
	peer_send(p, "me::hi\n");
	peer_expect_prefix(p, "ERR robot-unavailable ");
	ck_assert_int_eq(fakebot_requests(b), 0);
	scene_end(s, b);
}
END_TEST

/* --- C20: a robot that flaps ----------------------------------------------------------------- */

enum { FLAP_CHATS = 50, FLAPS = 15, FLAP_OUTCOMES = 2000 };

/* Hear what there is; every question gets one answer or one error, then the next is asked. Returns
 * how many outcomes there were. */
static int
talk_on(struct peer **chats, int *asked)
{
	char answer[32];
	const char *line;
	int n = 0;

	peer_wait_any(chats, FLAP_CHATS, 100);
	for (int i = 0; i < FLAP_CHATS; i++) {
		ck_assert_int_le(peer_fill(chats[i]), PEER_NOTHING);
		while ((line = peer_take_line(chats[i])) != NULL) {
			snprintf(answer, sizeof answer, "echo:q%d", asked[i]);
			if (strcmp(line, answer) != 0 && strncmp(line, "ERR robot-", 10) != 0)
				ck_abort_msg("question %d: \"%s\"", asked[i], line);
			n++;
			peer_sendf(chats[i], "me::q%d\n", ++asked[i]);
		}
	}
	return n;
}

START_TEST(c20_robot_that_flaps_gives_one_answer_or_error_for_each_message)
{
	struct server *s = server_start(
	    PLAIN POOL(2) DOOR(9999) NO_RATE "%s", _i == 0 ? TURING : MODEL("openai", ""));
	struct peer *chats[FLAP_CHATS];
	struct fakebot *b = NULL;
	int asked[FLAP_CHATS] = { 0 };

	scene_canary(s);
	for (int i = 0; i < FLAP_CHATS; i++) {
		chats[i] = scene_chat(s);
		peer_send(chats[i], "me::q0\n");
	}
	for (int flap = 0; flap < FLAPS; flap++) {
		int64_t by_ms = lapse_now_ms() + SERVER_MS;

		for (int n = 0; n < FLAP_OUTCOMES; n += talk_on(chats, asked))
			ck_assert_int_lt(lapse_now_ms(), by_ms);
		if (b != NULL) {
			fakebot_stop(b);
			b = NULL;
		} else {
			b = scene_bot(s);
		}
	}
	for (int i = 0; i < FLAP_CHATS; i++)
		ck_assert_int_gt(asked[i], 0);
	s->worker_slack = FLAP_CHATS; /* connections that are kept */
	scene_end(s, b);
}
END_TEST

/* --- C21: what the environment says ---------------------------------------------------------- */

START_TEST(c21_proxies_and_netrc_are_not_looked_at)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTP_PROXY",
		"HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	struct fakebot *b, *proxy = fakebot_start(server_address(), 8002);
	char home[] = "/tmp/xiaotu-home-XXXXXX", path[64], url[64];
	struct server *s;
	struct peer *p;
	FILE *f;

	snprintf(url, sizeof url, "http://%s:8002", server_address());
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_int_eq(setenv(names[i], url, 1), 0);
	ck_assert_ptr_nonnull(mkdtemp(home));
	ck_assert_int_eq(setenv("HOME", home, 1), 0);
	snprintf(path, sizeof path, "%s/.netrc", home);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "machine %s login evil password evil\ndefault login evil password evil\n",
	    server_address());
	fclose(f);
	s = server_start(ONE_WORKER TURING);
	b = scene_bot(s);
	p = scene_chat(s);
	peer_send(p, "me::hi\n");
	peer_expect(p, "echo:hi\n");
	ck_assert_ptr_null(strcasestr(fakebot_record(b, 0).head, "\nAuthorization:"));
	ck_assert_int_eq(fakebot_connections(proxy), 0);
	unlink(path);
	rmdir(home);
	fakebot_stop(proxy);
	scene_end(s, b);
}
END_TEST

static void
add_tls_tests(TCase *tc)
{
	tcase_add_test(tc, c19_certificate_of_our_ca_is_trusted);
	tcase_add_loop_test(tc, c19_bad_certificate_is_refused_before_the_key_is_sent, 0, 4);
	tcase_add_test(tc, c19_certificate_of_a_ca_nobody_named_is_refused);
	tcase_add_test(tc, c19_there_is_no_fallback_to_plain_http);
}

Suite *
link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = scene_case(suite, "connect");

	tcase_add_test(tc, c2_connect_that_never_completes_times_out);
	tcase_add_test(tc, c2_connect_that_never_completes_is_told_when_there_is_no_other_robot);
	tcase_add_test(tc, c3_robot_that_sends_its_head_alone_times_out);
	tcase_add_test(tc, c3_answer_that_takes_longer_than_the_total_time_times_out);
	tcase_add_test(tc, c4_name_server_that_says_nothing_delays_nobody_and_is_found_again);
	tcase_add_test(tc, c22_chat_that_leaves_frees_its_place_at_the_robot);
	tcase_add_loop_test(tc, c11_redirect_of_any_kind_is_not_followed, 0, 5);
	add_tls_tests(scene_case(suite, "tls"));
	tc = scene_case(suite, "around");
	tcase_add_loop_test(
	    tc, c20_robot_that_flaps_gives_one_answer_or_error_for_each_message, 0, 2);
	tcase_add_test(tc, c21_proxies_and_netrc_are_not_looked_at);
	return suite;
}
