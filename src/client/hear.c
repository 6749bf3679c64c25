/* hear.c - see hear.h.
 * A server may say something before it knows the dialect (that it is full, say), so a line that is
 * no object is looked at, too. Answers to questions that nobody waits for any more are dropped by
 * their id, which is what makes cancelling safe. */
#include "client/hear.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

static const char *const err_words[] = { "no-user", "too-long", "bad-utf8", "bad-input", "rate",
	"busy", "denied", "robot-timeout", "robot-unavailable", "robot-bad-reply", "robot-refused",
	NULL };
static const char *const bye_words[] = { "idle", "shutdown", "slow-reader", "limit", NULL };

/* Is s "KEYWORD WORD..." with one of the words? A robot may well begin a sentence with ERR. */
static bool
has_word(const char *s, size_t n, const char *keyword, const char *const *words)
{
	if (n < 5 || memcmp(s, keyword, 4) != 0)
		return false;
	for (size_t k; *words; words++) {
		k = strlen(*words);
		if (n >= 4 + k && memcmp(s + 4, *words, k) == 0 &&
		    (n == 4 + k || s[4 + k] == ' ' || s[4 + k] == '\n'))
			return true;
	}
	return false;
}

bool
hear_is_notice(const char *s, size_t n)
{
	return has_word(s, n, "ERR ", err_words) || has_word(s, n, "BYE ", bye_words);
}

const char *
hear_sentence(const struct buf *notice, size_t *n, const char **code, size_t *n_code)
{
	const char *s = notice->len > 4 ? buf_head(notice) + 4 : "", *blank;
	size_t left = notice->len > 4 ? notice->len - 4 : 0;

	blank = memchr(s, ' ', left);
	*code = s;
	*n_code = blank ? (size_t)(blank - s) : left;
	*n = blank ? left - *n_code - 1 : 0;
	return blank ? blank + 1 : "";
}

void
hear_clean(const char *s, size_t n, struct buf *out)
{
	struct text_clean c = { 0 };

	/* A full buffer cuts the text; what fitted is whole characters. */
	if (text_clean(&c, s, n, out) == 0)
		(void)text_clean_end(&c, out);
}

static void
chomp(struct buf *b)
{
	while (b->len > 0 && buf_head(b)[b->len - 1] == '\n')
		buf_cut(b, b->len - 1);
}

enum heard
hear_plain(const char *s, size_t n, struct buf *text)
{
	enum heard heard = has_word(s, n, "ERR ", err_words)   ? HEARD_FAILED
			   : has_word(s, n, "BYE ", bye_words) ? HEARD_BYE
							       : HEARD_ANSWER;

	hear_clean(s, n, text);
	if (heard != HEARD_ANSWER)
		chomp(text);
	return heard;
}

static void
notice(const char *keyword, struct json_object *o, const char *word_key, struct buf *text)
{
	size_t n_word = 0, n_message = 0;
	const char *word = json_text(o, word_key, &n_word);
	const char *message = json_text(o, "message", &n_message);

	(void)buf_adds(text, keyword);
	hear_clean(word ? word : "", n_word, text);
	(void)buf_adds(text, " ");
	hear_clean(message ? message : "", n_message, text);
}

static enum heard
hear_object(struct json_object *o, int64_t open_id, struct buf *text)
{
	struct json_object *error = json_object_member(o, "error");
	struct json_object *bye = json_object_member(o, "bye");
	int64_t id = open_id;
	const char *s;
	size_t n;

	(void)json_whole(o, "id", &id);
	if (bye) {
		notice("BYE ", bye, "reason", text);
		return HEARD_BYE;
	}
	if (open_id == 0 || id != open_id)
		return HEARD_NOTHING;
	if (error) {
		notice("ERR ", error, "code", text);
		return HEARD_FAILED;
	}
	if ((s = json_text(o, "text", &n)) != NULL) {
		hear_clean(s, n, text);
		return HEARD_ANSWER;
	}
	if ((s = json_text(o, "piece", &n)) == NULL)
		return HEARD_NOTHING;
	hear_clean(s, n, text);
	return HEARD_PIECE;
}

enum heard
hear_line(const char *s, size_t n, int64_t open_id, struct buf *text, struct buf *object)
{
	struct json_object *o = n && s[0] == '{' ? json_read(s, n) : NULL;
	enum heard heard;

	if (o) {
		heard = hear_object(o, open_id, text);
		json_drop(o);
		if (heard == HEARD_ANSWER || heard == HEARD_FAILED) {
			buf_cut(object, 0);
			hear_clean(s, n, object);
		}
		return heard;
	}
	if (n == 0)
		return HEARD_NOTHING;
	heard = hear_plain(s, n, text);
	return heard == HEARD_ANSWER ? HEARD_SAID : heard;
}
