/* sentence.c - see sentence.h. Rows are in the order of the enums. */
#include "wire/sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const fails[FAIL_COUNT][2] = {
	[FAIL_NONE] = { "ok", "ok" },
	[FAIL_NO_USER] = { "no-user 请先说明你是谁：用户名::消息",
	    "no-user please say who you are: name::message" },
	[FAIL_TOO_LONG] = { "too-long 这条消息太长了", "too-long that message is too long" },
	[FAIL_BAD_UTF8] = { "bad-utf8 消息不是 UTF-8 编码", "bad-utf8 the message is not UTF-8" },
	[FAIL_BAD_INPUT] = { "bad-input 看不懂这样的输入", "bad-input this is no message" },
	[FAIL_RATE] = { "rate 说得太快了，请稍等", "rate too fast, please wait" },
	[FAIL_BUSY] = { "busy 现在太忙，请稍后再试",
	    "busy too much at once, please try again later" },
	[FAIL_DENIED] = { "denied 口令不对", "denied the token is not right" },
	[FAIL_ROBOT_TIMEOUT] = { "robot-timeout 机器人没有及时回答",
	    "robot-timeout the robot did not answer in time" },
	[FAIL_ROBOT_UNAVAILABLE] = { "robot-unavailable 暂时联系不上机器人",
	    "robot-unavailable the robot cannot be reached" },
	[FAIL_ROBOT_BAD_REPLY] = { "robot-bad-reply 机器人的回答无法理解",
	    "robot-bad-reply the robot's reply makes no sense" },
	[FAIL_ROBOT_REFUSED] = { "robot-refused 机器人拒绝回答",
	    "robot-refused the robot refuses to answer" },
};

static const char *const byes[BYE_COUNT][2] = {
	[BYE_IDLE] = { "idle 很久没有消息，先再见了", "idle nothing was said for long" },
	[BYE_SHUTDOWN] = { "shutdown 服务器要休息了，再见", "shutdown the server is leaving" },
	[BYE_SLOW_READER] = { "slow-reader 回答一直没有被读取",
	    "slow-reader the answers are not being read" },
	[BYE_LIMIT] = { "limit 消息没有及时发完", "limit the message was not completed in time" },
};

const char *
sentence_fail(enum fail fail, enum conf_language language)
{
	return fails[fail][language == CONF_EN];
}

size_t
sentence_rate(int64_t wait_ms, enum conf_language language, char *text, size_t size)
{
	int n = snprintf(text, size, "%s (%" PRId64 " s)", sentence_fail(FAIL_RATE, language),
	    (wait_ms + 999) / 1000);

	return (size_t)n < size ? (size_t)n : size - 1;
}

const char *
sentence_bye(enum bye bye, enum conf_language language)
{
	return byes[bye][language == CONF_EN];
}

static const char *const sentences[SAY_COUNT][2] = {
	[SAY_HELP] = { "用户名::消息   以这个名字说话；之后直接发消息即可\n"
		       "/forget        忘掉这次聊天说过的话\n"
		       "/robot [名字]  列出机器人，或选择一个\n"
		       "exit           离开",
	    "name::message  speak as NAME; afterwards a message alone will do\n"
	    "/forget        forget what was said in this chat\n"
	    "/robot [NAME]  list the robots, or choose one\n"
	    "exit           leave" },
	[SAY_FORGOTTEN] = { "好的，我都忘了。", "Forgotten." },
	[SAY_WAIT] = { "小图正在想，请稍等……", "Thinking, one moment please…" },
	[SAY_CHOSEN] = { "现在和你聊天的是：", "Now you talk to: " },
	[SAY_NO_ROBOT] = { "没有叫这个名字的机器人；现有：",
	    "There is no robot of that name; there are:" },
	[SAY_RESTS] = { "休息中", "rests" },
	[SAY_ANSWERED] = { "上一个回答来自：", "Last answer by: " },
};

const char *
sentence(enum say say, enum conf_language language)
{
	return sentences[say][language == CONF_EN];
}

/* The first words of the rows, cut off once. */
static const char *
word_of(const char *sentence, char *out, size_t size)
{
	size_t n = strcspn(sentence, " ");

	n = n < size ? n : size - 1;
	memcpy(out, sentence, n);
	out[n] = '\0';
	return out;
}

const char *
sentence_fail_word(enum fail fail)
{
	static char words[FAIL_COUNT][24];

	return word_of(fails[fail][1], words[fail], sizeof words[fail]);
}

const char *
sentence_bye_word(enum bye bye)
{
	static char words[BYE_COUNT][24];

	return word_of(byes[bye][1], words[bye], sizeof words[bye]);
}
