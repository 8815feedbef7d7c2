/* The numbers of the wire protocol: docs/protocol.md says what they mean. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define PROTOCOL_VERSION 1

/*
 * Requests that may be on their way at once: receive slots, and responses that are kept, 768 bytes of RAM for each. A
 * board that can spare the memory says more in its JSON file (build.credits).
 */
#ifndef HIL_CREDITS
#define HIL_CREDITS 4
#endif

#define PROTOCOL_MAX_BODY 249
#define PROTOCOL_HEADER_BYTES 3 /* type:u8 seq:u16 */
#define PROTOCOL_CRC_BYTES 2
#define PROTOCOL_MAX_PACKET (PROTOCOL_HEADER_BYTES + PROTOCOL_MAX_BODY + PROTOCOL_CRC_BYTES)

/* On the wire: COBS adds one byte to a packet of up to 254, and the delimiter is another. */
#define PROTOCOL_MAX_FRAME (PROTOCOL_MAX_PACKET + 2)

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
    MESSAGE_RESPONSE = 0x80, /* set in the type of a response */
    MESSAGE_BOOT = 0xF0,
    MESSAGE_CRASH = 0xF1,
    MESSAGE_LOG = 0xF2,
    MESSAGE_NAK = 0xF3,
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

/* Marks a buffer that serves the link alone, so that a footprint can be stated without it. */
#define UART_BUFFER __attribute__((section(".bss.uart_buffers"), aligned(4)))

#endif
