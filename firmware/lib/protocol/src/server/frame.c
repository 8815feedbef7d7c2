#include "frame.h"

#include "bytes.h"
#include "crc16.h"

#define FULL_BLOCK 0xFFu /* a block of 254 bytes without a zero behind it */

static void append(frame_decoder_t *decoder, uint8_t byte) {
    if (decoder->length == decoder->capacity) {
        decoder->overflow = true;
        return;
    }
    decoder->packet[decoder->length++] = byte;
}

static bool is_valid(const frame_decoder_t *decoder) {
    if (decoder->overflow || decoder->block_left > 0 || decoder->length < PROTOCOL_HEADER_BYTES + PROTOCOL_CRC_BYTES) {
        return false;
    }
    uint16_t covered = (uint16_t)(decoder->length - PROTOCOL_CRC_BYTES);
    return hil_crc16(CRC16_INITIAL, decoder->packet, covered) == get_u16(decoder->packet + covered);
}

static frame_event_t finish(frame_decoder_t *decoder) {
    frame_event_t event = FRAME_INCOMPLETE;
    if (decoder->block != 0) {
        event = is_valid(decoder) ? FRAME_COMPLETE : FRAME_CORRUPT;
    }
    decoder->block = 0;
    decoder->block_left = 0;
    return event;
}

frame_event_t hil_frame_decode(frame_decoder_t *decoder, uint8_t byte) {
    if (byte == 0) {
        return finish(decoder);
    }
    if (decoder->block_left > 0) {
        decoder->block_left--;
        append(decoder, byte);
        return FRAME_INCOMPLETE;
    }
    if (decoder->block == 0) {
        decoder->length = 0;
        decoder->overflow = false;
    } else if (decoder->block != FULL_BLOCK) {
        append(decoder, 0); /* the zero between two blocks */
    }
    decoder->block = byte;
    decoder->block_left = (uint8_t)(byte - 1);
    return FRAME_INCOMPLETE;
}

uint8_t hil_frame_type(const frame_decoder_t *decoder) {
    return decoder->packet[0];
}

uint16_t hil_frame_seq(const frame_decoder_t *decoder) {
    return get_u16(decoder->packet + 1);
}

const uint8_t *hil_frame_body(const frame_decoder_t *decoder, uint16_t *length) {
    *length = (uint16_t)(decoder->length - PROTOCOL_HEADER_BYTES - PROTOCOL_CRC_BYTES);
    return decoder->packet + PROTOCOL_HEADER_BYTES;
}

/* A packet has at most 254 bytes, so no block is full: just replace each zero by the distance to the next one. */
uint16_t hil_frame_encode(uint8_t *frame, uint8_t type, uint16_t seq, uint16_t body_length) {
    uint8_t *packet = frame + 1;
    uint16_t covered = (uint16_t)(PROTOCOL_HEADER_BYTES + body_length);
    uint16_t end = (uint16_t)(1 + covered + PROTOCOL_CRC_BYTES);
    packet[0] = type;
    packet[1] = (uint8_t)seq;
    packet[2] = (uint8_t)(seq >> 8);
    uint16_t crc = hil_crc16(CRC16_INITIAL, packet, covered);
    packet[covered] = (uint8_t)crc;
    packet[covered + 1] = (uint8_t)(crc >> 8);

    uint16_t next_zero = end;
    for (uint16_t i = (uint16_t)(end - 1); i > 0; i--) {
        if (frame[i] == 0) {
            frame[i] = (uint8_t)(next_zero - i);
            next_zero = i;
        }
    }
    frame[0] = (uint8_t)next_zero;
    frame[end] = 0;
    return (uint16_t)(end + 1);
}
