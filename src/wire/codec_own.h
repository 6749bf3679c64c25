/* codec_own.h - what the dialects share.
 * For:     codec_*.c alone.
 * Memory:  as in codec.h. */
#ifndef WIRE_CODEC_OWN_H
#define WIRE_CODEC_OWN_H

#include "wire/codec.h"

/* Split `user::text`, remember the user, find commands. `commands`: `/help` and `exit` mean
 * something; `strict`: a name holds no white space, else the whole is text. Returns GOT, MORE for
 * nothing to say, or BAD. */
enum decode wire_take(
    struct wire *w, const char *s, size_t n, bool commands, bool strict, struct msg *msg);
/* Is it `exit` or, with `commands`, another command? Then msg says which. */
bool wire_command(const char *s, size_t n, bool commands, struct msg *msg);
enum decode wire_bad(struct msg *msg, enum fail fail, bool fatal);

/* Find the next whole line of `in`, without its end. Returns GOT with the line (w->eat set), MORE,
 * or BAD for one that fills `in` to its limit. */
enum decode wire_line(
    struct wire *w, struct buf *in, enum edge edge, const char **s, size_t *n, struct msg *msg);
/* The greatest text of a message in bytes. */
uint32_t wire_text_limit(const struct wire *w);

/* What an object says (json, ws): GOT or BAD. It borrows from w->tree. */
enum decode json_take(struct wire *w, const char *s, size_t n, struct msg *msg);

/* Do the first n bytes open a conversation that is none of ours, an HTTP request or a TLS hello?
 * Then all input is dropped, and it is BAD; GOT otherwise. */
enum decode wire_refuse_foreign(struct wire *w, struct buf *in, size_t n, struct msg *msg);

#endif
