/* Read little-endian fields from a request and append them to a response. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_u16(const uint8_t *from) {
    return (uint16_t)(from[0] | (uint16_t)from[1] << 8);
}

static inline uint32_t get_u32(const uint8_t *from) {
    return (uint32_t)get_u16(from) | (uint32_t)get_u16(from + 2) << 16;
}

/* A body being written. A field that does not fit is left out and sets `overflow`. */
typedef struct hil_response {
    uint8_t *data;
    uint16_t length;
    uint16_t capacity;
    bool overflow;
} writer_t;

/* The number of bytes before the zero that ends a text, at most `most`. newlib's strlen() is faster, but takes 220. */
uint16_t hil_length(const void *text, uint16_t most);

void hil_put_bytes(writer_t *to, const void *data, uint32_t length);
void hil_put_u8(writer_t *to, uint8_t value);
void hil_put_u16(writer_t *to, uint16_t value);
void hil_put_u32(writer_t *to, uint32_t value);

/* Appends length:u8 and the text, which is cut off after 255 bytes. */
void hil_put_str(writer_t *to, const char *text);

#endif
