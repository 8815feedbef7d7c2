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
    FRAME_COMPLETE,   /* the decoder holds a packet whose CRC is right */
    FRAME_CORRUPT,    /* a frame ended that is not one */
} frame_event_t;

/* Decodes a byte stream. All zeroes but for `packet` and its `capacity` is its state at the start. */
typedef struct {
    uint8_t *packet;
    uint16_t capacity;  /* of `packet`, at most 254 */
    uint16_t length;    /* bytes of the packet so far, crc included */
    uint8_t block;      /* length code of the COBS block under way; 0 before the first */
    uint8_t block_left; /* bytes that are missing from it */
    bool overflow;
} frame_decoder_t;

/* Takes the next byte. After FRAME_COMPLETE the functions below tell the packet's parts, until the next call. */
frame_event_t hil_frame_decode(frame_decoder_t *decoder, uint8_t byte);

uint8_t hil_frame_type(const frame_decoder_t *decoder);
uint16_t hil_frame_seq(const frame_decoder_t *decoder);
const uint8_t *hil_frame_body(const frame_decoder_t *decoder, uint16_t *length);

/* Where the body belongs in a buffer of FRAME_BYTES() that hil_frame_encode() makes a frame of. */
#define FRAME_BODY_OFFSET (1 + PROTOCOL_HEADER_BYTES)

/*
 * Makes a frame, in place, around the body of at most HIL_MOST_BODY bytes that lies at FRAME_BODY_OFFSET. Returns
 * the length of the frame, which is FRAME_BYTES(body_length).
 */
uint16_t hil_frame_encode(uint8_t *frame, uint8_t type, uint16_t seq, uint16_t body_length);

#endif
