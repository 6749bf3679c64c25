/* client.c - xiaotu, the terminal client: options, then a chat. See xiaotu(1). */
#include "base/text.h"
#include "client/chat.h"
#include "client/link.h"
#include "client/lines.h"
#include "client/tty.h"
#include "client/words.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_RAW = 256,
	OPT_JSON,
	OPT_TLS,
	OPT_CA_FILE,
	OPT_CERT,
	OPT_KEY,
	OPT_TOKEN_FILE,
	ANSWER_MS = 60000
};

static const char *const usage[] = {
	[WORDS_ZH] = "用法：xiaotu [选项] [主机[:端口]]\n"
		     "与聊天机器人小图聊天；默认 127.0.0.1:9999。\n"
		     "标准输入或输出不是终端时，每行是一条消息，只打印回答。\n"
		     "\n"
		     "  -u, --user=名字      用这个名字聊天（默认：登录名）\n"
		     "  -m, --message=消息   只问这一句，打印回答后结束\n"
		     "  -t, --timeout=秒     等一个回答最多这么久（默认 60）\n"
		     "      --json           回答打印成 JSON，每行一个对象\n"
		     "      --raw            按教程程序的方式说话，不用 JSON\n"
		     "      --tls            用 TLS 连接，并核对服务器的证书\n"
		     "      --ca-file=文件   签发服务器证书的机构（默认：系统的）\n"
		     "      --cert=文件      自己的证书，给要求证书的服务器\n"
		     "      --key=文件       证书的私钥（默认：与证书同一文件）\n"
		     "      --token-file=文件  先报口令，文件的第一行；或用环境变量 XIAOTU_TOKEN\n"
		     "  -V, --version        打印版本\n"
		     "  -h, --help           打印这段帮助\n"
		     "\n"
		     "退出码：0 完成，1 机器人没能回答，2 用法错误，3 连接不上，4 超时。\n",
	[WORDS_EN] =
	    "usage: xiaotu [options] [HOST[:PORT]]\n"
	    "Chat with the robot xiaotu; the default is 127.0.0.1:9999. When input or output is "
	    "no\n"
	    "terminal, every line is a message and only the answers are printed.\n"
	    "\n"
	    "  -u, --user=NAME      chat under this name (default: the login name)\n"
	    "  -m, --message=TEXT   ask this alone, print the answer and leave\n"
	    "  -t, --timeout=SECS   wait this long for an answer (default: 60)\n"
	    "      --json           print answers as JSON, one object a line\n"
	    "      --raw            speak like the tutorial's programs, not JSON\n"
	    "      --tls            connect by TLS, and verify the server's certificate\n"
	    "      --ca-file=FILE   who signs the server's certificate (default: the system's)\n"
	    "      --cert=FILE      our certificate, for servers that ask for one\n"
	    "      --key=FILE       its key (default: in the same file)\n"
	    "      --token-file=FILE  say the token in its first line; or set XIAOTU_TOKEN\n"
	    "  -V, --version        print the version\n"
	    "  -h, --help           print this help\n"
	    "\n"
	    "Exit status: 0 done, 1 the robot failed, 2 usage, 3 no connection, 4 timeout.\n",
};

struct wish {
	struct link_options link;
	struct link_place place;
	const char *message; /* NULL: the input */
	bool json;
};

static _Noreturn void __attribute__((format(printf, 2, 3)))
die(enum status status, const char *format, ...)
{
	va_list args;

	fputs("xiaotu: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static const char *
login_name(void)
{
	const struct passwd *p = getpwuid(getuid());
	const char *name = p ? p->pw_name : getenv("USER");

	return name && *name ? name : "user";
}

static int
answer_ms(const char *text)
{
	int64_t ms;

	if (text_to_ms(text, &ms) || ms < 1 || ms > INT_MAX)
		die(STATUS_USAGE, "-t: \"%s\" is no number of seconds", text);
	return (int)ms;
}

/* The first line of the file. */
static const char *
read_token(const char *path)
{
	static char token[1024];
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(token, sizeof token, f) == NULL)
		die(STATUS_USAGE, "--token-file: %s: %s", path, f ? "is empty" : strerror(errno));
	fclose(f);
	token[strcspn(token, "\r\n")] = '\0';
	if (*token == '\0')
		die(STATUS_USAGE, "--token-file: %s: its first line is empty", path);
	return token;
}

static _Noreturn void
print_and_exit(const char *text)
{
	exit(fputs(text, stdout) < 0 || fflush(stdout) ? STATUS_FAILED : STATUS_DONE);
}

static void
set_option(struct wish *w, int option)
{
	switch (option) {
	case 'u':
		w->link.user = optarg;
		break;
	case 'm':
		w->message = optarg;
		break;
	case 't':
		w->link.answer_ms = answer_ms(optarg);
		break;
	case OPT_JSON:
		w->json = true;
		break;
	case OPT_RAW:
		w->link.raw = true;
		break;
	case OPT_TLS:
		w->link.tls = true;
		break;
	case OPT_CA_FILE:
		w->link.ca_file = optarg;
		break;
	case OPT_CERT:
		w->link.cert_file = optarg;
		break;
	case OPT_KEY:
		w->link.key_file = optarg;
		break;
	case OPT_TOKEN_FILE:
		w->link.token = read_token(optarg);
		break;
	case 'V':
		print_and_exit("xiaotu " XIAOTU_VERSION "\n");
	case 'h':
		print_and_exit(usage[words_language()]);
	default:
		fputs(usage[words_language()], stderr);
		exit(STATUS_USAGE);
	}
}

static void
read_options(struct wish *w, int argc, char **argv)
{
	static const struct option longs[] = { { "user", required_argument, NULL, 'u' },
		{ "message", required_argument, NULL, 'm' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, OPT_JSON }, { "raw", no_argument, NULL, OPT_RAW },
		{ "tls", no_argument, NULL, OPT_TLS },
		{ "ca-file", required_argument, NULL, OPT_CA_FILE },
		{ "cert", required_argument, NULL, OPT_CERT },
		{ "key", required_argument, NULL, OPT_KEY },
		{ "token-file", required_argument, NULL, OPT_TOKEN_FILE },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct err e;
	int option;

	while ((option = getopt_long(argc, argv, "u:m:t:Vh", longs, NULL)) != -1)
		set_option(w, option);
	if (argc - optind > 1)
		die(STATUS_USAGE, "\"%s\" is too much: one server, with its port as in HOST:PORT",
		    argv[optind + 1]);
	if (w->link.token == NULL)
		w->link.token = getenv("XIAOTU_TOKEN");
	if (*w->link.key_file == '\0')
		w->link.key_file = w->link.cert_file;
	if (!w->link.tls && (*w->link.ca_file || *w->link.cert_file))
		die(STATUS_USAGE, "--ca-file, --cert and --key are for --tls");
	if (link_place_parse(&w->place, optind < argc ? argv[optind] : "", &e) ||
	    link_name_check(w->link.user, &e))
		die(STATUS_USAGE, "%s", e.text);
}

/* In a pipe, or on a terminal that edits lines by itself. */
static enum status
talk_by_lines(struct link *link, const struct wish *w)
{
	enum status status;
	struct lines t;

	lines_init(&t, link, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
	t.json = w->json;
	if (w->message)
		status = lines_say(&t, w->message);
	else if (isatty(t.in) && isatty(t.out) && !w->json)
		status = lines_chat(&t);
	else
		status = lines_pipe(&t);
	link_close(link);
	lines_release(&t);
	return status;
}

int
main(int argc, char **argv)
{
	struct wish w = { .link = { .user = login_name(),
			      .answer_ms = ANSWER_MS,
			      .ca_file = "",
			      .cert_file = "",
			      .key_file = "" } };
	struct link *link;
	struct err e;

	read_options(&w, argc, argv);
	signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of write(2) */
	w.link.stream = !w.message && !w.json && tty_is_able(STDIN_FILENO, STDOUT_FILENO);
	link = link_open(&w.place, &w.link, &e);
	if (link == NULL)
		die(STATUS_NO_CONNECTION, "%s", e.text);
	if (w.link.stream)
		return (int)chat_talk(link, &w.place, &w.link, STDIN_FILENO, STDOUT_FILENO);
	return (int)talk_by_lines(link, &w);
}
