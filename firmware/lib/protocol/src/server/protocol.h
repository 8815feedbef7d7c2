/* The numbers of the wire protocol, see docs/protocol.md. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define PROTOCOL_HEADER_BYTES 3 /* type:u8 seq:u16 */
#define PROTOCOL_CRC_BYTES 2

/* The sizes of packet and frame for a body of `body` bytes. COBS adds one byte to a packet of up to 254 bytes, and the
 * delimiter is another byte. */
#define PACKET_BYTES(body) (PROTOCOL_HEADER_BYTES + (body) + PROTOCOL_CRC_BYTES)
#define FRAME_BYTES(body) (PACKET_BYTES(body) + 2)

enum {
    MESSAGE_HELLO = 0x01,
    MESSAGE_BEGIN = 0x02,
    MESSAGE_SAMPLES = 0x03,
    MESSAGE_STATUS = 0x04,
    MESSAGE_TENSOR = 0x05,
    MESSAGE_ECHO = 0x06,
    MESSAGE_RESET = 0x07,
    MESSAGE_FAULT = 0x08,
    MESSAGE_WRITE = 0x09,
    MESSAGE_INVOKE = 0x0A,
    MESSAGE_READ = 0x0B,
    MESSAGE_DESCRIBE = 0x0C,
    MESSAGE_SENSE = 0x0D,
    MESSAGE_PROFILE = 0x0E,
    MESSAGE_STEPS = 0x0F,
    MESSAGE_RESPONSE = 0x80, /* this bit is set in the type of a response */
    MESSAGE_BOOT = 0xF0,
    MESSAGE_CRASH = 0xF1,
    MESSAGE_LOG = 0xF2,
    MESSAGE_NAK = 0xF3,
    MESSAGE_STACK = 0xF4,
    MESSAGE_ERROR = 0xFF,
};

/* Reasons of a NAK. */
enum {
    NAK_CORRUPT = 1,
    NAK_GAP = 2,
};

/* Reasons of an error response. */
enum {
    ERROR_UNKNOWN_TYPE = 1,
    ERROR_MALFORMED = 2,
    ERROR_NOT_AVAILABLE = 3,
    ERROR_ENGINE = 4,
};

#endif
