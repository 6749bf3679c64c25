/* words.c - see words.h. */
#include "client/words.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct words words[] = {
	[WORDS_ZH] = {
		.first_prompt = "请输入消息：",
		.prompt = "我：",
		.heading = "【机器人小图】",
		.closed = "聊天室已关闭",
		.gone = "服务器断开了连接",
		.mute = "服务器一句话没说就断开了连接：是不是要用 --tls 或 --token-file？",
		.late = "等了太久，没有回答",
		.too_long = "这一行太长了",
		.unwritten = "回答写不出去",
		.thinking = "小图正在想…",
		.cancelled = "已取消",
		.how_to_leave = "按 Ctrl-D 或输入 exit 离开",
		.connecting = "正在连接服务器，连上就发出这句话…",
		.gone_again = "连接断开了，正在重新连接…",
		.again = "正在重新连接…",
		.connected = "已重新连接",
		.resend = "这句话没有得到回答，按回车再发一次",
	},
	[WORDS_EN] = {
		.first_prompt = "Your message: ",
		.prompt = "Me: ",
		.heading = "[xiaotu]",
		.closed = "The chat is closed.",
		.gone = "The server closed the connection.",
		.mute = "The server closed the connection without a word: does it want --tls or "
			"--token-file?",
		.late = "No answer in time.",
		.too_long = "This line is too long.",
		.unwritten = "The answer cannot be written",
		.thinking = "Thinking…",
		.cancelled = "Cancelled.",
		.how_to_leave = "Ctrl-D or exit leaves.",
		.connecting = "Not connected yet; this goes out as soon as we are…",
		.gone_again = "The connection is gone; connecting again…",
		.again = "Connecting again…",
		.connected = "Connected again.",
		.resend = "This message got no answer; Enter sends it again.",
	},
};

enum words_language
words_language(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < 3 && (value == NULL || *value == '\0'); i++)
		value = getenv(names[i]);
	if (value == NULL || *value == '\0' || strncmp(value, "zh", 2) == 0)
		return WORDS_ZH;
	if (strcmp(value, "C") == 0 || strncmp(value, "C.", 2) == 0 || strcmp(value, "POSIX") == 0)
		return WORDS_ZH;
	return WORDS_EN;
}

const struct words *
words_get(void)
{
	return &words[words_language()];
}
