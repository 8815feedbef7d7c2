/*
 * Frames: COBS(type:u8 seq:u16 body crc:u16) and a zero. COBS is Cheshire and Baker, Consistent Overhead Byte Stuffing,
 * IEEE/ACM Transactions on Networking 7(2), 1999.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

typedef enum {
    FRAME_INCOMPLETE, /* more bytes are needed, or the frame was empty */
    FRAME_COMPLETE,   /* the decoder holds a valid packet */
    FRAME_CORRUPT,    /* an invalid frame ended */
} frame_event_t;

/* Decodes a byte stream. In the initial state all members except `packet` and `capacity` are 0. */
typedef struct {
    uint8_t *packet;
    uint16_t capacity;  /* of `packet`, at most 254 */
    uint16_t length;    /* bytes of the packet so far, including the CRC */
    uint8_t block;      /* length code of the current COBS block; 0 before the first one */
    uint8_t block_left; /* bytes of it that have not arrived yet */
    bool overflow;
} frame_decoder_t;

/* Takes the next byte. After FRAME_COMPLETE, the functions below return the parts of the packet until the next call. */
frame_event_t hil_frame_decode(frame_decoder_t *decoder, uint8_t byte);

uint8_t hil_frame_type(const frame_decoder_t *decoder);
uint16_t hil_frame_seq(const frame_decoder_t *decoder);
const uint8_t *hil_frame_body(const frame_decoder_t *decoder, uint16_t *length);

/* The position of the body in a buffer for hil_frame_encode(). */
#define FRAME_BODY_OFFSET (1 + PROTOCOL_HEADER_BYTES)

/*
 * Makes a frame, in place, around the body of at most HIL_MOST_BODY bytes at FRAME_BODY_OFFSET. Returns the length of
 * the frame, FRAME_BYTES(body_length), for which `frame` must have room.
 */
uint16_t hil_frame_encode(uint8_t *frame, uint8_t type, uint16_t seq, uint16_t body_length);

#endif
