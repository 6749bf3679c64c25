/* frames.h - how far a WebSocket is in a message.
 * For:     struct wire; codec_ws.c has the rest, worker/move_pack.c carries it over.
 * Holds:   what came of the message so far stands, unmasked and in one piece, at the head of `in`:
 *          `got` bytes, and behind them what is not read yet. So the state is small, and a chat can
 *          move in the middle of a frame. Zeroed is fresh.
 * Memory:  none. */
#ifndef WIRE_FRAMES_H
#define WIRE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

struct wire_frames {
	uint32_t got, left; /* bytes of the message; bytes of its frame that are to come */
	unsigned char mask[4];
	uint8_t turn;           /* the next byte of the mask */
	bool is_open, in_frame; /* a message, a frame of it has begun */
	bool is_last;           /* the frame ends the message */
	bool has_closed;        /* our close is out */
	uint16_t close;         /* the code we close with; 0: none yet */
};

#endif
